import { waitFor } from "../support/wait.ts";
import { say } from "../support/say.ts";
import { Backend } from "./backend.ts";
import type { Client } from "./client.ts";
import { ClientProcess } from "./client_process.ts";
import { ending, got, isBreak, isFailure, seen } from "./judgement.ts";
import type { Workshop } from "./workshop.ts";

/** What became of one client: the outcome of each trial that it took part in, in a word or two. */
export interface Result {
  readonly client: Client;
  readonly outcomes: ReadonlyMap<Trial, string>;
}

/** The trials, in order; each is a column of the table. */
export const TRIALS = ["connect", "bytes", "idle", "kill", "drain", "4403", "403", "503"] as const;
export type Trial = typeof TRIALS[number];

/** Enough for a Java virtual machine on a busy machine. */
const CONNECT_MS = 20_000;
/** Longer than the 30 s after which the runtime closes a peer that answers no ping. */
const IDLE_MS = 33_000;
/** Longer than the backoff of any client takes after a restart. */
const BACK_MS = 60_000;

/** What is said to all once they were disconnected. */
const AGAIN = '{"again":1}';
const EXACT = [
  '{"n":12345678901234567890,"x":1.0,"e":1e400}',
  String.raw`{"text":"👩‍🚀 مرحبا é \u00e9 \"quoted\" \\ <&>"}`,
  `{"text":"${"é€😀-".repeat(10_240)}"}`, // 100 KB
];

/** Drives all clients through all trials at once, against one gateway. */
export class Trials {
  readonly #workshop: Workshop;
  readonly #outcomes: ReadonlyMap<Client, Map<Trial, string>>;
  readonly #trace: boolean;

  /** @param options.trace whether to write to stderr what each client tells */
  constructor(
    workshop: Workshop,
    clients: readonly Client[],
    options: { readonly trace: boolean },
  ) {
    this.#workshop = workshop;
    this.#outcomes = new Map(clients.map((client) => [client, new Map()]));
    this.#trace = options.trace;
  }

  /** Runs them all, in two to three minutes. */
  async run(): Promise<readonly Result[]> {
    const clients = [...this.#outcomes.keys()];
    const keys = new Map(clients.map((client, at) => [client, `key-${at}`]));
    await using backend = await Backend.open([...keys.values()]);
    await backend.start();
    const spawned = clients.map((client) =>
      this.#spawn(backend, client, { key: keys.get(client)! })
    );
    const connected: ClientProcess[] = [];
    try {
      connected.push(...await this.#connect(backend, spawned));
      await this.#stayConnected(backend, connected);
      await this.#comeBack(backend, connected);
      await this.#areRevoked(backend, connected);
    } finally {
      await this.#end(spawned);
    }
    await this.#areRefused(backend, connected);
    await this.#waitUntilReady(backend, connected);
    return [...this.#outcomes].map(([client, outcomes]) => ({ client, outcomes }));
  }

  /** Those that connect. The others take part in no other trial. */
  async #connect(backend: Backend, processes: readonly ClientProcess[]): Promise<ClientProcess[]> {
    const keys = processes.map(({ key }) => key);
    let online = new Set<string>();
    const isOver = async () => {
      online = await backend.online(keys);
      return processes.every(({ key, hasEnded }) => online.has(key) || hasEnded);
    };
    await waitFor("all clients", isOver, CONNECT_MS).catch(() => {});
    await this.#judge("connect", processes, async ({ client, key, told, errors }) => {
      if (online.has(key)) return "yes";
      await say(`${client.name} does not connect: ${JSON.stringify(told.at(-1))} ${errors}`);
      const refusal = told.find(({ is }) => is === "refused");
      return refusal?.is === "refused" ? `no: ${refusal.status}` : "no";
    });
    return processes.filter(({ key }) => online.has(key));
  }

  async #stayConnected(backend: Backend, processes: readonly ClientProcess[]): Promise<void> {
    await say("bytes: an emoji, escapes, large numbers, 100 KB");
    for (const message of EXACT) await backend.publish(message);
    await this.#judge("bytes", processes, async (process) => {
      return await got(process, EXACT) ?? "exact";
    });
    await say(`idle: ${IDLE_MS / 1000} seconds without a message`);
    const marks = processes.map(({ told }) => told.length);
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    const quiet = processes.map((process, at) => !process.told.slice(marks[at]).some(isBreak));
    await backend.publish('{"idle":true}');
    await this.#judge("idle", processes, async (process, at) => {
      const loss = await got(process, ['{"idle":true}']);
      return loss ?? (quiet[at] ? "stays" : "reconnects");
    });
  }

  async #comeBack(backend: Backend, processes: readonly ClientProcess[]): Promise<void> {
    for (const trial of ["kill", "drain"] as const) {
      await say(`${trial}: the node goes, messages are appended, a node comes`);
      const marks = processes.map(({ told }) => told.length);
      await backend[trial]();
      const expected = [1, 2, 3].map((n) => `{"${trial}":${n}}`);
      await backend.append(expected[0]!);
      await backend.append(expected[1]!);
      await backend.start();
      await backend.publish(expected[2]!);
      await this.#judge(trial, processes, async (process, at) => {
        const loss = await got(process, expected, BACK_MS);
        return `${ending(process.told.slice(marks[at]))}, ${loss ?? "resumes"}`;
      });
    }
  }

  async #areRevoked(backend: Backend, processes: readonly ClientProcess[]): Promise<void> {
    await say("4403: a backend disconnects all");
    const marks = processes.map(({ told }) => told.length);
    await backend.disconnect(processes.map(({ key }) => key));
    await Promise.all(processes.map(async ({ told }, at) => {
      await waitFor("its end", () => told.slice(marks[at]).some(isBreak), BACK_MS).catch(() => {});
    }));
    await backend.append(AGAIN);
    await this.#judge("4403", processes, async (process, at) => {
      const loss = await got(process, [AGAIN], BACK_MS);
      const back = loss === undefined ? "comes back" : process.hasEnded ? "stays away" : loss;
      return `${ending(process.told.slice(marks[at]))}, ${back}`;
    });
  }

  async #areRefused(backend: Backend, before: readonly ClientProcess[]): Promise<void> {
    await say("403: a key that is not known");
    const processes = before.map(({ client }) =>
      this.#spawn(backend, client, { key: "no-such-key" })
    );
    try {
      await this.#judge("403", processes, async (process) => {
        // Up to three lines tell of one attempt.
        const triesOn = () => process.told.filter(isFailure).length > 6;
        const isOver = () => process.hasEnded || triesOn();
        await waitFor("its end", isOver, BACK_MS).catch(() => {});
        const end = process.hasEnded ? "stops" : triesOn() ? "tries on" : "waits";
        return `${seen(process, 403)}, ${end}`;
      });
    } finally {
      await this.#end(processes);
    }
  }

  async #waitUntilReady(backend: Backend, before: readonly ClientProcess[]): Promise<void> {
    await say("503: a node that has not read its window yet");
    await backend.kill();
    await backend.append('{"late":1}');
    backend.cutRedis();
    await backend.start({ ready: false });
    const processes = before.map(({ client, key, cursor }) =>
      this.#spawn(backend, client, { key, after: cursor })
    );
    try {
      await Promise.all(processes.map(async (process) => {
        const isRefused = () => process.hasEnded || process.told.some(isFailure);
        await waitFor("its refusal", isRefused, BACK_MS).catch(() => {});
      }));
      backend.giveRedis();
      await this.#judge("503", processes, async (process, at) => {
        // One that stayed away brings an older cursor.
        const missed = before[at]!.messages.includes(AGAIN) ? [] : [AGAIN];
        const loss = await got(process, [...missed, '{"late":1}'], BACK_MS);
        return `${seen(process, 503)}, ${loss ?? "comes back"}`;
      });
    } finally {
      await this.#end(processes);
    }
  }

  #spawn(
    backend: Backend,
    client: Client,
    options: { readonly key: string; readonly after?: string },
  ): ClientProcess {
    return new ClientProcess(client, {
      ...options,
      start: this.#workshop.start(client),
      url: backend.url,
      onTold: (told) => this.#trace && say(`${client.name} ${JSON.stringify(told).slice(0, 160)}`),
    });
  }

  async #end(processes: readonly ClientProcess[]): Promise<void> {
    for (const process of processes) {
      if (this.#trace && process.errors !== "") {
        await say(`${process.client.name} ${process.errors}`);
      }
      await process[Symbol.asyncDispose]();
    }
  }

  async #judge(
    trial: Trial,
    processes: readonly ClientProcess[],
    outcome: (process: ClientProcess, at: number) => Promise<string>,
  ): Promise<void> {
    await Promise.all(processes.map(async (process, at) => {
      this.#outcomes.get(process.client)!.set(trial, await outcome(process, at));
    }));
  }
}
