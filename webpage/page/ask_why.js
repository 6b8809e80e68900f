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
    const response = await fetch(new URL("events", gateway), {
      headers: { Authorization: `Bearer ${bytes(key)}` }, // not in the address, where logs see it
      cache: "no-store",
      signal: timeout.signal,
    });
    const { ok, status } = response;
    const { detail } = ok ? {} : await response.json().catch(() => ({}));
    return {
      status,
      reason: detail ?? explanation(status),
      retry: ok || status === 429 || status >= 500,
      retryAfterMs: 1000 * (Number(response.headers.get("Retry-After")) || 0),
    };
  } catch {
    return {
      status: 0,
      reason: "Nothing answers",
      retry: true,
      retryAfterMs: 0,
    };
  } finally {
    clearTimeout(timer);
    timeout.abort(); // an accepted stream would stay open
  }
}

function explanation(status) {
  if (status === 200) {
    return "The connection was lost, though the gateway answers";
  }
  if (status === 403) {
    return "The gateway does not know this key: ask for another";
  }
  if (status === 404) return "There is no Keywire at this address: check it";
  return "The gateway cannot take this connection now";
}

/** A header's characters are bytes, so these are the bytes of `text` in UTF-8. */
function bytes(text) {
  return String.fromCharCode(...new TextEncoder().encode(text));
}
