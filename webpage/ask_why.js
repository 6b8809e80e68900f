/** How long a gateway may take to say why. */
const TIMEOUT_MS = 5_000;

/**
 * Asks a gateway why a connection with `key` did not open: a browser does not show a page the answer
 * to a refused WebSocket, but it does to a fetch.
 *
 * @param {string} gateway its address by HTTP, ending in a slash
 * @param {string} key
 * @returns {Promise<{status: number, reason: string, retry: boolean, retryAfterMs: number}>} what to
 * tell a person, and whether to try again; status 0 means that nothing answered
 */
export async function askWhy(gateway, key) {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), TIMEOUT_MS);
  try {
    const url = new URL(`events?${encodeURIComponent(key)}`, gateway);
    const response = await fetch(url, {
      cache: "no-store",
      signal: timeout.signal,
    });
    const { status } = response;
    const retryAfterMs = 1000 *
      (Number(response.headers.get("Retry-After")) || 0);
    const { detail } = response.ok
      ? {}
      : await response.json().catch(() => ({}));
    return {
      status,
      reason: detail ?? explanation(status),
      retry: response.ok || status === 429 || status >= 500,
      retryAfterMs,
    };
  } catch {
    return {
      status: 0,
      reason: explanation(0, gateway),
      retry: true,
      retryAfterMs: 0,
    };
  } finally {
    clearTimeout(timer);
    timeout.abort(); // an accepted stream would stay open
  }
}

function explanation(status, gateway) {
  if (status === 0) {
    return `Nothing answers at ${
      new URL(gateway).host
    }: is the gateway running?`;
  }
  if (status === 200) {
    return "The connection was lost, and the gateway is there: trying again";
  }
  if (status === 403) {
    return "The gateway does not know this key: check it, or ask for another";
  }
  if (status === 404) {
    return "There is no Keywire at this address: check the gateway's address";
  }
  return `The gateway answered with ${status}: try again later`;
}
