/** What the backend says. */
export type Message =
  | { readonly type: "comment"; readonly text: string }
  | { readonly type: "like"; readonly count: number };

/** The gateway's address, which the test names. */
export const gateway = new URLSearchParams(location.search).get("gateway") ?? "/";
