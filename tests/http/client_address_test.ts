import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { contains, parseAddress, parseCidr } from "../../src/core/ip_address.ts";
import { clientAddress, clientNetwork } from "../../src/http/client_address.ts";

const cidrs = (...texts: string[]) => texts.map((text) => parseCidr(text)!);

Deno.test("an address has one value however it is spelled", () => {
  const value = parseAddress("2001:db8::1");
  assertEquals(parseAddress("2001:0DB8:0:0:0:0:0:1"), value);
  assertEquals(parseAddress("2001:db8:0::0.0.0.1"), value);
  assertEquals(parseAddress("::ffff:192.0.2.1"), parseAddress("192.0.2.1"));
  assertEquals(parseAddress("::"), 0n);
  assertEquals(parseAddress("1::"), 1n << 112n);
});

Deno.test("what is not an address has no value", () => {
  const wrong = [
    ...["", "localhost", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.04", "1.2.3.4.", "1.2.3.4:80"],
    ...[":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "[::1]"],
    ...["1:2:3:4:5:6:7::8", "1.2.3.4::", "::1.2.3.4:5", "::1 ", "fe80::1%eth0", "0x7f.0.0.1"],
  ];
  for (const text of wrong) assertEquals(parseAddress(text), undefined, text);
});

Deno.test("every IPv6 address comes back from its eight groups, and from its shortest spelling", () => {
  fc.assert(fc.property(fc.bigInt(0n, (1n << 128n) - 1n), fc.nat(0xffff), (random, low) => {
    for (const bits of [random, BigInt(low), BigInt(low) << 112n]) {
      const hex = bits.toString(16).padStart(32, "0").match(/.{4}/g)!.join(":");
      assertEquals(parseAddress(hex), bits);
      assertEquals(parseAddress(new URL(`http://[${hex}]`).hostname.slice(1, -1)), bits);
    }
  }));
});

Deno.test("a block holds what shares its first bits", () => {
  const holds = (block: string, address: string) =>
    contains(parseCidr(block)!, parseAddress(address)!);
  assert(holds("10.0.0.0/8", "10.255.0.1"));
  assert(!holds("10.0.0.0/8", "11.0.0.0"));
  assert(holds("10.1.2.3/8", "10.0.0.1"), "bits behind the prefix do not matter");
  assert(holds("192.0.2.128/25", "192.0.2.129"));
  assert(!holds("192.0.2.128/25", "192.0.2.127"));
  assert(holds("192.0.2.1", "192.0.2.1"));
  assert(!holds("192.0.2.1", "192.0.2.2"));
  assert(holds("fd00::/8", "fdff::1"));
  assert(!holds("fd00::/8", "fe00::1"));
  assert(holds("0.0.0.0/0", "255.255.255.255"));
  assert(!holds("0.0.0.0/0", "::1"), "all of IPv4 is not all of IPv6");
  assert(holds("::/0", "192.0.2.1"));
});

Deno.test("what is not a block is refused", () => {
  const wrong = [
    "",
    "10.0.0.0/33",
    "::/129",
    "10.0.0.0/",
    "10.0.0.0/08",
    "10.0.0.0/-1",
    "/8",
    "a/8",
  ];
  for (const text of wrong) assertEquals(parseCidr(text), undefined, text);
});

Deno.test("without trusted proxies the peer is the client, whatever the header says", () => {
  assertEquals(clientAddress("192.0.2.9", "198.51.100.7", []), "192.0.2.9");
  assertEquals(clientAddress("192.0.2.9", "198.51.100.7", cidrs("10.0.0.0/8")), "192.0.2.9");
});

Deno.test("behind trusted proxies the client is the right-most address that is not one of them", () => {
  const trusted = cidrs("10.0.0.0/8", "fd00::/8");
  const client = (header: string | null) => clientAddress("10.0.0.1", header, trusted);
  assertEquals(client("198.51.100.7"), "198.51.100.7");
  assertEquals(client("6.6.6.6, 198.51.100.7, fd00::2,10.0.0.2"), "198.51.100.7");
  assertEquals(client("10.9.9.9, 10.0.0.2"), "10.9.9.9");
  assertEquals(client(null), "10.0.0.1");
  assertEquals(client(""), "10.0.0.1");
});

Deno.test("a proxy that hides its client stands for it", () => {
  const client = (header: string) => clientAddress("10.0.0.1", header, cidrs("10.0.0.0/8"));
  assertEquals(client("198.51.100.7, unknown, 10.0.0.2"), "10.0.0.2");
  assertEquals(client("198.51.100.7,"), "10.0.0.1");
});

Deno.test("one client has one spelling, however it was written", () => {
  const client = (peer: string, header: string | null) =>
    clientAddress(peer, header, cidrs("10.0.0.0/8", "fe80::/10"));
  assertEquals(client("::ffff:192.0.2.9", null), "192.0.2.9");
  assertEquals(client("::ffff:10.0.0.1", "192.0.2.9:4711"), "192.0.2.9");
  assertEquals(client("10.0.0.1", "[2001:db8::1]:443"), "2001:db8::1");
  assertEquals(client("10.0.0.1", "[2001:db8::1]"), "2001:db8::1");
  assertEquals(client("fe80::1%eth0", "192.0.2.9"), "192.0.2.9");
});

Deno.test("the client is never read from what stands left of an address that is not trusted", () => {
  const address = fc.ipV4();
  fc.assert(fc.property(fc.array(address), fc.array(address), (forged, proxies) => {
    const trusted = cidrs("10.0.0.1", ...proxies);
    const client = "203.0.113.77";
    const header = [...forged, client, ...proxies].join(", ");
    assertEquals(clientAddress("10.0.0.1", header, trusted), client);
  }));
});

Deno.test("clientNetwork: an IPv6 address counts as its /64, an IPv4 address as itself", () => {
  const v6 = clientNetwork("2001:db8:0:1::1");
  for (const same of ["2001:db8:0:1::2", "2001:DB8:0:1:ffff::", "2001:0db8:0000:0001::9"]) {
    assertEquals(clientNetwork(same), v6, same);
  }
  assert(clientNetwork("2001:db8:0:2::1") !== v6);
  for (const same of ["::ffff:10.0.0.1", "::ffff:a00:1", "0:0:0:0:0:ffff:0a00:0001"]) {
    assertEquals(clientNetwork(same), clientNetwork("10.0.0.1"), same);
  }
  assert(clientNetwork("10.0.0.2") !== clientNetwork("10.0.0.1"));
});
