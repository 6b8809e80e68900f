/** A block of IP addresses: the first `prefix` bits of `bits` are what its members share. */
export interface Cidr {
  readonly bits: bigint;
  readonly prefix: number;
}

/** IPv4 lives in IPv6 as `::ffff:a.b.c.d`, so that both are numbers of 128 bits and compare as such. */
const MAPPED = 0xffffn << 32n;

/**
 * The 128 bits of an IPv4 or IPv6 address, an IPv4 one as its IPv4-mapped IPv6 form.
 * @returns undefined when `text` is not an address (a name, a port after it, leading zeros)
 */
export function parseAddress(text: string): bigint | undefined {
  return text.includes(":") ? parseV6(text) : mapped(parseV4(text));
}

/**
 * Parses a CIDR (`10.0.0.0/8`, `fd00::/8`), or an address as a block of one.
 * @returns undefined when `text` is neither
 */
export function parseCidr(text: string): Cidr | undefined {
  const [, address = "", width] = /^([^/]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const bits = parseAddress(address);
  const before = address.includes(":") ? 0 : 96;
  const prefix = width === undefined ? 128 : before + Number(width);
  return bits === undefined || prefix > 128 ? undefined : { bits, prefix };
}

/** Whether the block holds the address. */
export function contains(block: Cidr, address: bigint): boolean {
  return (block.bits ^ address) >> BigInt(128 - block.prefix) === 0n;
}

function mapped(v4: bigint | undefined): bigint | undefined {
  return v4 === undefined ? undefined : MAPPED | v4;
}

function parseV4(text: string): bigint | undefined {
  const parts = text.split(".");
  const right = (part: string) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255;
  return parts.length === 4 && parts.every(right) ? join(parts.map(Number), 8n) : undefined;
}

function parseV6(text: string): bigint | undefined {
  const [left = "", right, ...more] = text.split("::");
  const head = groups(left);
  const tail = groups(right ?? "");
  if (head === undefined || tail === undefined || more.length > 0) return undefined;
  if (right !== undefined && left.includes(".")) return undefined;
  const missing = 8 - head.length - tail.length;
  if (right === undefined ? missing !== 0 : missing < 1) return undefined;
  return join([...head, ...Array<number>(missing).fill(0), ...tail], 16n);
}

/** The groups of 16 bits in one half of an IPv6 address; a dotted IPv4 address at its end counts for two. */
function groups(half: string): number[] | undefined {
  if (half === "") return [];
  const parts = half.split(":");
  const v4 = parseV4(parts.at(-1)!);
  if (v4 !== undefined) parts.pop();
  if (!parts.every((part) => /^[0-9a-f]{1,4}$/i.test(part))) return undefined;
  const words = parts.map((part) => parseInt(part, 16));
  return v4 === undefined ? words : [...words, Number(v4 >> 16n), Number(v4 & 0xffffn)];
}

function join(parts: readonly number[], width: bigint): bigint {
  return parts.reduce((bits, part) => bits << width | BigInt(part), 0n);
}
