import { type Cidr, contains, parseAddress } from "../core/ip_address.ts";

/**
 * The address that a request came from. A client can write anything into
 * `X-Forwarded-For`, so only what trusted proxies appended to its right end is believed: the client is
 * the right-most address there that is not a trusted one.
 *
 * Where a proxy wrote no address (`unknown`), the last one known before it stands.
 *
 * @param peer the address at the other end of the TCP connection
 */
export function clientAddress(
  peer: string,
  xForwardedFor: string | null,
  trusted: readonly Cidr[],
): string {
  let client = plain(peer);
  const hops = xForwardedFor?.split(",") ?? [];
  for (let i = hops.length - 1; i >= 0 && isTrusted(client, trusted); i--) {
    const hop = plain(hops[i]!.trim());
    if (parseAddress(hop) === undefined) break;
    client = hop;
  }
  return client;
}

/**
 * What a limit by address counts: an IPv4 address, or the /64 of an IPv6 one, as that is what a
 * customer is given. All spellings of an address are one.
 */
export function clientNetwork(address: string): string {
  const bits = parseAddress(address);
  if (bits === undefined) return address;
  const isV4 = bits >> 32n === 0xffffn;
  return isV4 ? `v4:${bits & 0xffff_ffffn}` : `v6:${(bits >> 64n).toString(16)}`;
}

function isTrusted(address: string, trusted: readonly Cidr[]): boolean {
  const bits = parseAddress(address);
  return bits !== undefined && trusted.some((block) => contains(block, bits));
}

/** One spelling for one client: without a port, brackets, a zone, or the mapping of IPv4 into IPv6. */
function plain(text: string): string {
  const [, v6, v4] = /^\[([^\]]*)\](?::\d+)?$|^([\d.]+):\d+$/.exec(text) ?? [];
  return (v6 ?? v4 ?? text).replace(/%.*$/, "").replace(/^::ffff:(?=\d+\.)/i, "");
}
