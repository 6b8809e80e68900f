/** What asks a node again and again, as balancers, new clients, backends and Prometheus do. */
import { last } from "../support/wait.ts";
import { handshake } from "../support/clients.ts";
import type { Prometheus } from "./prometheus.ts";
import { withDeadline } from "./publisher.ts";
import { type Stage, TOKEN } from "./stage.ts";

/** An answer that differs from the one before. */
export interface Change {
  /** By `performance.now()`. */
  readonly at: number;
  readonly text: string;
}

/** How long a question may wait, in milliseconds. */
const PATIENCE_MS = 3_000;

/** All that is asked of the struck node, and what it answered when. */
export class Watch implements AsyncDisposable {
  /** `/ready`: the status, and what stands behind it. */
  readonly ready: Change[] = [];
  /** The status of each attempt to connect through the door. */
  readonly newcomers: Change[] = [];
  /** The status of each `POST /api/publish`. */
  readonly api: Change[] = [];
  /** When each alert fired first. */
  readonly alerts = new Map<string, number>();
  readonly #running: Promise<void>[];
  #stopped = false;

  constructor(stage: Stage, prometheus: Prometheus) {
    this.#running = [
      this.#every(100, async () => note(this.ready, await askReady(stage))),
      this.#newcomers(stage),
      this.#every(500, async () => {
        this.api.push({ at: performance.now(), text: await post(stage) });
      }),
      this.#every(250, async () => {
        for (const name of await prometheus.firing().catch(() => [])) {
          if (!this.alerts.has(name)) this.alerts.set(name, performance.now());
        }
      }),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  /** They come at their pace, whether or not those before were answered. */
  async #newcomers(stage: Stage): Promise<void> {
    const waiting = new Set<Promise<void>>();
    while (!this.#stopped) {
      const at = performance.now();
      const asked = newcomer(stage).then((text) => {
        this.newcomers.push({ at, text });
        waiting.delete(asked);
      });
      waiting.add(asked);
      await last(250);
    }
    await Promise.all(waiting);
    this.newcomers.sort((one, other) => one.at - other.at);
  }

  async #every(ms: number, ask: () => Promise<void>): Promise<void> {
    while (!this.#stopped) {
      await ask();
      await last(ms);
    }
  }
}

function note(changes: Change[], text: string): void {
  if (changes.at(-1)?.text !== text) changes.push({ at: performance.now(), text });
}

async function askReady({ node }: Stage): Promise<string> {
  try {
    const response = await fetch(`${node.url}/ready`, { signal: AbortSignal.timeout(PATIENCE_MS) });
    const { status, detail, store } = await response.json();
    const trouble = detail ?? (store === "down" ? "store down" : undefined);
    return `${response.status} ${status}${trouble === undefined ? "" : `: ${trouble}`}`;
  } catch {
    return "no answer";
  }
}

async function newcomer({ door }: Stage): Promise<string> {
  const answer = handshake(door.port, "/websocket?newcomer").catch(() => undefined);
  const status = (await withDeadline(answer, PATIENCE_MS))?.status;
  return status === undefined || Number.isNaN(status) ? "no answer" : `${status}`;
}

async function post({ node }: Stage): Promise<string> {
  try {
    const response = await fetch(`${node.url}/api/publish`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${TOKEN}` },
      body: '{"recipients":["newcomer"],"by":"api"}',
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    await response.body?.cancel();
    return `${response.status}`;
  } catch {
    return "no answer";
  }
}
