const TOKEN = "keywire.ops.token";

/** What the gateway refused, in its own words. */
export class Refused extends Error {
  /** @param {number} status 0 where there was no answer */
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** The token of this tab; it is never written anywhere else. */
export const token = {
  get: () => sessionStorage.getItem(TOKEN),
  set: (value) => sessionStorage.setItem(TOKEN, value),
  forget: () => sessionStorage.removeItem(TOKEN),
};

/**
 * Asks the gateway that serves this page.
 *
 * @param {string} path below `/api/`
 * @param {unknown} [body] text as it is, else as JSON; without one it is a GET
 * @throws {Refused}
 */
export async function ask(path, body) {
  const known = token.get();
  const headers = known === null ? {} : { Authorization: `Bearer ${known}` };
  const init = body === undefined ? { headers } : {
    method: "POST",
    headers: { ...headers, "Content-Type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  };
  let response;
  try {
    // The page stands at /ops, whatever a proxy puts in front of it.
    const signal = AbortSignal.timeout(5_000);
    response = await fetch(new URL(`./api/${path}`, document.baseURI), { ...init, signal });
  } catch {
    throw new Refused(
      0,
      "This node does not answer: it may be gone. Open the page of another one.",
    );
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new Refused(response.status, answer.detail ?? `The gateway answered ${response.status}.`);
}
