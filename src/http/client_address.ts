import { type Cidr, contains, parseAddress } from "../core/ip_address.ts";

/**
 * The address that a request came from. Who sends a request can write anything into
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

function isTrusted(address: string, trusted: readonly Cidr[]): boolean {
  const bits = parseAddress(address);
  return bits !== undefined && trusted.some((block) => contains(block, bits));
}

/** One spelling for one client: without a port, brackets, a zone, or the mapping of IPv4 into IPv6. */
function plain(text: string): string {
  const [, v6, v4] = /^\[([^\]]*)\](?::\d+)?$|^([\d.]+):\d+$/.exec(text) ?? [];
  return (v6 ?? v4 ?? text).replace(/%.*$/, "").replace(/^::ffff:(?=\d+\.)/i, "");
}
