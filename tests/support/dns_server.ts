/** A name server for tests: knows a few names, and denies all others. */
import { createSocket, type Socket } from "node:dgram";

/** What a name server knows, by name. */
export interface DnsRecords {
  readonly A?: Readonly<Record<string, string>>;
  /** The port and the host of a service. */
  readonly SRV?: Readonly<Record<string, readonly [port: number, host: string]>>;
}

const TYPES = { A: 1, SRV: 33 };
const TTL = [0, 0, 0, 1];

/** Answers on port 53 of an address, which only root may listen on, over UDP. */
export class DnsServer implements Disposable {
  readonly #socket: Socket;
  readonly #records: DnsRecords;

  private constructor(records: DnsRecords) {
    this.#records = records;
    this.#socket = createSocket("udp4");
    this.#socket.on("message", (query, { address, port }) => {
      this.#socket.send(this.#answer(query), port, address);
    });
  }

  /** Starts one at `address`. */
  static async start(address: string, records: DnsRecords): Promise<DnsServer> {
    const server = new DnsServer(records);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.#socket.once("error", reject);
    server.#socket.bind(53, address, resolve);
    await promise;
    return server;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  #answer(query: Uint8Array): Uint8Array {
    const [name, end] = readName(query);
    const data = this.#find(name, query[end + 1]!);
    const header = new Uint8Array(query.slice(0, 12));
    // An answer, authoritative; NXDOMAIN where the name is not known; no additional records.
    header.set([0x85, data === undefined && !this.#knows(name) ? 0x83 : 0x80], 2);
    header.set([0, 1, 0, data === undefined ? 0 : 1, 0, 0, 0, 0], 4);
    const question = query.slice(12, end + 4);
    const record = data === undefined
      ? []
      : [0xc0, 12, ...question.slice(-4), ...TTL, data.length >> 8, data.length & 0xff, ...data];
    return new Uint8Array([...header, ...question, ...record]);
  }

  #knows(name: string): boolean {
    return Object.values(this.#records).some((names) => name in names);
  }

  #find(name: string, type: number): number[] | undefined {
    const { A = {}, SRV = {} } = this.#records;
    if (type === TYPES.A) return A[name]?.split(".").map(Number);
    const service = type === TYPES.SRV ? SRV[name] : undefined;
    if (service === undefined) return undefined;
    const [port, host] = service;
    return [0, 0, 0, 0, port >> 8, port & 0xff, ...writeName(host)];
  }
}

/** The name that is asked for, and where it ends. */
function readName(query: Uint8Array): [name: string, end: number] {
  const labels: string[] = [];
  let at = 12;
  while (query[at]! > 0) {
    const length = query[at]!;
    labels.push(new TextDecoder().decode(query.slice(at + 1, at + 1 + length)));
    at += 1 + length;
  }
  return [labels.join(".").toLowerCase(), at + 1];
}

function writeName(name: string): number[] {
  return [...name.split("."), ""].flatMap((label) => [
    label.length,
    ...new TextEncoder().encode(label),
  ]);
}
