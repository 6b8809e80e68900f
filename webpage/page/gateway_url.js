/**
 * The gateway's address by HTTP, ending in a slash: where the page comes from, unless its own address
 * names another with `?gateway=`.
 *
 * @param {string} page the page's own address
 * @returns {{ url: string, named: boolean, trouble?: string }} `named`: whether one was named;
 * `trouble`: what is wrong with that one, which is then not used
 */
export function gatewayUrl(page) {
  const here = new URL("./", page);
  here.search = here.hash = "";
  const text = new URL(page).searchParams.get("gateway");
  if (text === null) return { url: here.href, named: false };
  const wrong = (detail) => ({
    url: here.href,
    named: true,
    trouble: `?gateway= ${detail}`,
  });
  const url = URL.parse(text.replace(/^ws/, "http"));
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return wrong(
      `must be an address such as ws://localhost:8088: it is ${text}`,
    );
  }
  // Not shown: it may be a password.
  if (url.username !== "" || url.password !== "") {
    return wrong("must be an address without a user name or password: leave out what is before @");
  }
  url.search = url.hash = "";
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return { url: url.href, named: true };
}
