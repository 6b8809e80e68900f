import type { CloseReason } from "../../src/core/close_codes.ts";
import type { Connection, Sink } from "../../src/core/delivery/connection.ts";
import { type Format, V1 } from "../../src/core/format.ts";
import type { AdmittedClient } from "../../src/gateway/admission.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import { LookUps, MemoryKeyStore } from "../../src/keystores/mod.ts";
import { MemoryPresence } from "../../src/presence/memory.ts";
import { readSettings } from "../../src/settings/settings.ts";

/** A client of a node in this process: what it was sent, and how it was ended. */
export interface NodeClient {
  readonly client: AdmittedClient;
  readonly connection: Connection;
  readonly sent: readonly string[];
  readonly closed: readonly CloseReason[];
  /** The types of the events of `keywire.v1` that it was sent. */
  readonly types: readonly string[];
  /** Lets so many bytes be handed over to it from now on. */
  grow(capacity: number): void;
}

/** How a client connects. */
export interface NodeClientOptions {
  readonly key?: string;
  readonly format?: Format;
  /** The cursor that it brings. */
  readonly after?: string;
  /** What may be handed over to it, in bytes. */
  readonly capacity?: number;
}

/** The middle of a node without a server: the test is its bus, and its clients' transport. */
export class Node implements AsyncDisposable {
  /** How often a marker was asked for. */
  probes = 0;
  /** The notices that presence published. */
  readonly notices: string[] = [];
  readonly store = new MemoryKeyStore(["ann", "bob"]);
  readonly gateway: Gateway;
  readonly #presence = new MemoryPresence({
    notify: (kind, recipient) => {
      this.notices.push(`${kind} ${recipient}`);
      return Promise.resolve();
    },
  });

  constructor(env: Readonly<Record<string, string>> = {}) {
    this.gateway = new Gateway({
      settings: readSettings((name) => env[name]),
      lookUps: new LookUps(this.store, { timeoutMs: 1_000, gatherMs: 0 }),
      presence: this.#presence,
      bus: { probe: () => this.probes++ },
    });
  }

  /** Has a client admitted, and opens its connection. */
  async connect(
    { key = "ann", format = V1, after, capacity = 1e6 }: NodeClientOptions = {},
  ): Promise<NodeClient> {
    const query = after === undefined ? key : `${key}&after=${encodeURIComponent(after)}`;
    const request = new Request(`http://node/websocket?${query}`);
    const client = await this.gateway.manager.admit(request, "192.0.2.1");
    if ("status" in client) throw new Error(client.detail);
    const sent: string[] = [];
    const closed: CloseReason[] = [];
    let room = capacity;
    const sink: Sink = {
      get capacity() {
        return room;
      },
      bufferedBytes: 0,
      signalsDrain: false,
      send: (text) => sent.push(text),
      close: (reason) => closed.push(reason),
    };
    const connection = this.gateway.manager.open(client, sink, format);
    await Promise.resolve(); // The turn ends, and what is owed goes out.
    return {
      client: client as AdmittedClient,
      connection,
      sent,
      closed,
      grow: (capacity) => {
        room = capacity;
        connection.drain();
      },
      get types() {
        return sent.flatMap((text) => text.split("\n")).map((line) => JSON.parse(line).type);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.gateway[Symbol.dispose]();
    await this.#presence[Symbol.asyncDispose]();
  }
}
