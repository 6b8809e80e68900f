import {
  type Command,
  type Shard,
  type ShardLink,
  ShardLost,
} from "../../../src/presence/shard.ts";
import type { SimulatedClock } from "./simulated_clock.ts";
import type { SimulatedRedis } from "./simulated_redis.ts";

const DEADLINE_MS = 2_000;

/** A master behind a network. */
export interface SimulatedServer {
  readonly redis: SimulatedRedis;
  isFrozen: boolean;
  isDown: boolean;
}

/** What a link asks about its node. */
export interface LinkedNode {
  readonly isFrozen: boolean;
  readonly isDead: boolean;
  /** Calls `callback` now, or when the node is thawed. */
  run(callback: () => void): void;
}

interface Request {
  readonly commands: readonly Command[];
  readonly replies: unknown[];
  readonly done: PromiseWithResolvers<readonly unknown[]>;
  readonly connection: number;
  /** Whether it is on its way although its connection was cut. */
  isLate: boolean;
}

/** A connection that is slow, cut, and late: what was sent before a cut may be done after it. */
export class SimulatedLink implements ShardLink {
  shard!: Shard;
  #connection = 0;
  #blockedUntil = 0;
  #isUp = false;
  /** Connections whose commands are not executed any more. */
  readonly #killed = new Set<number>();
  readonly #requests = new Set<Request>();
  /** What is not done yet, in the order in which it was sent: a connection keeps that. */
  readonly #order: Request[] = [];

  constructor(
    readonly node: LinkedNode,
    readonly server: SimulatedServer,
    readonly clock: SimulatedClock,
    readonly random: () => number,
    readonly killsOld = true,
  ) {}

  /** Whether an answer is on its way. */
  get isAwaited(): boolean {
    return this.#requests.size > 0;
  }

  send(commands: readonly Command[]): Promise<readonly unknown[]> {
    const done = Promise.withResolvers<readonly unknown[]>();
    if (!this.#isUp) {
      done.reject(new ShardLost("No connection"));
      return done.promise;
    }
    const request = { commands, replies: [], done, connection: this.#connection, isLate: false };
    this.#requests.add(request);
    this.#order.push(request);
    this.clock.after(this.#latency, () => this.#execute(request, 0));
    const { connection } = request;
    this.clock.after(DEADLINE_MS, () => {
      if (!this.#requests.has(request)) return;
      this.node.run(() => {
        if (connection === this.#connection && this.#requests.has(request)) this.cut();
      });
    });
    return done.promise;
  }

  /** Opens the first connection. */
  open(): void {
    if (this.node.isDead || this.#isUp) return;
    const isAway = this.clock.now() < this.#blockedUntil;
    if (isAway || this.server.isFrozen || this.server.isDown) {
      this.clock.after(100 + 400 * this.random(), () => this.node.run(() => this.open()));
      return;
    }
    if (this.killsOld) { for (let at = 0; at <= this.#connection; at++) this.#killed.add(at); }
    this.#connection++;
    this.#isUp = true;
    this.shard.connected(this.server.redis.runId);
  }

  /** Cuts the connection: replies are lost, and commands that were sent come late. */
  cut({ late = true, ms = 0 } = {}): void {
    this.#blockedUntil = Math.max(this.#blockedUntil, this.clock.now() + ms);
    if (!this.#isUp) return;
    this.#isUp = false;
    if (!late) this.#killed.add(this.#connection);
    for (const request of this.#requests) {
      request.isLate = true;
      request.done.reject(new ShardLost("Cut"));
    }
    this.#requests.clear();
    this.shard.disconnected();
    this.clock.after(50 + 450 * this.random(), () => this.node.run(() => this.open()));
  }

  /** Nothing of it is delivered any more. */
  end(): void {
    for (let at = 0; at <= this.#connection; at++) this.#killed.add(at);
  }

  /** The process behind it ends, once it has done and answered what it was sent. */
  crash(): void {
    for (const request of this.#requests) {
      const { commands, replies } = request;
      for (const command of commands.slice(replies.length)) {
        replies.push(this.server.redis.run(command));
      }
      this.#answer(request);
    }
    this.cut({ late: false });
  }

  get #latency(): number {
    return 1 + 4 * this.random() ** 2 + (this.random() < 0.02 ? 50 : 0);
  }

  #execute(request: Request, at: number): void {
    if (this.#killed.has(request.connection) || this.server.isDown) return this.#forget(request);
    const isNext =
      this.#order.find(({ connection }) => connection === request.connection) === request;
    if (this.server.isFrozen || !isNext) {
      this.clock.after(isNext ? 20 : 1, () => this.#execute(request, at));
      return;
    }
    if (request.isLate && at === 0) {
      request.isLate = false;
      this.clock.after(4_000 * this.random(), () => this.#execute(request, at));
      return;
    }
    const command = request.commands[at];
    if (command === undefined) {
      this.#forget(request);
      this.clock.after(this.#latency, () => this.node.run(() => this.#answer(request)));
      return;
    }
    request.replies[at] = this.server.redis.run(command);
    this.clock.after(0.05, () => this.#execute(request, at + 1));
  }

  #forget(request: Request): void {
    this.#order.splice(this.#order.indexOf(request), 1);
  }

  #answer(request: Request): void {
    if (this.#requests.delete(request)) request.done.resolve(request.replies);
  }
}
