/** "Load the state, then listen" without a race: pages that print `/api/cursor`, and nodes that are killed. */
import { Keywire } from "../../webpage/keywire.js";
import { last, waitFor } from "../support/wait.ts";
import { Cluster } from "./cluster.ts";
import { StateBackend } from "./state_backend.ts";

/** How much of it there is. */
export interface PageStateOptions {
  /** How many people there are, each with a state of its own, each with one page at a time. */
  readonly people: number;
  /** Changes of states a second, over all. */
  readonly rate: number;
  /** How long pages are loaded and nodes are killed, in ms. */
  readonly durationMs: number;
  /** How long a page waits at most between its rendering and its connection, in ms. */
  readonly delayMs: number;
  /** How long a page is open at most until it is loaded anew, in ms. */
  readonly openMs: number;
  /** Settings of the nodes. */
  readonly env?: Record<string, string>;
}

/** What the pages saw. */
export interface PageStateResult {
  /** Pages that were rendered, and those of them that were connected. */
  readonly pages: number;
  readonly connected: number;
  readonly changes: number;
  /** Changes that came after a page was rendered and before it was connected, over all pages. */
  readonly betweenChanges: number;
  /** Changes that a page got and had in its state already. */
  readonly known: number;
  readonly kills: number;
  /** How often a backend asked again for a cursor, as a node was gone or not ready. */
  readonly askedAgain: number;
  /** Connections after the first one of a page. */
  readonly reconnects: number;
  /** Events `gap`, each of which would have the page fetch its state anew. */
  readonly gaps: number;
  /** What was wrong, a line for each page. */
  readonly wrong: readonly string[];
}

const TOKEN = "a-token-of-the-backend-of-32-characters";

/** Renders pages, connects them later, changes states and kills nodes; then compares all states. */
export async function pageState(options: PageStateOptions): Promise<PageStateResult> {
  const { people, rate, durationMs, env = {} } = options;
  const names = Array.from({ length: people }, (_, i) => `person-${i}`);
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(
    await Cluster.start({
      EMBEDDED_KEYS: names.join(","),
      API_TOKEN: TOKEN,
      // A node that has restarted cannot prove the channel's past.
      REDIS_CHANNEL: "",
      ...env,
    }),
  );
  const backend = stack.use(
    await StateBackend.open({
      redisUrl: cluster.redis.url,
      url: cluster.balancer.url,
      token: TOKEN,
    }),
  );
  const end = performance.now() + durationMs;
  const isOver = () => performance.now() >= end;
  const pages: Page[] = [];
  const visiting = Promise.all(names.map(async (name) => {
    do {
      const page = stack.use(await Page.load(cluster.balancer.url, { name, backend, ...options }));
      pages.push(page);
      // The last page of each stays open.
      if (!isOver()) await last(Math.min(Math.random() * options.openMs, left(end)));
      if (!isOver()) page[Symbol.dispose]();
    } while (!isOver());
  }));
  const changing = backend.change(names, { rate, isOver });
  let kills = 0;
  do {
    const node = cluster.nodes[kills++ % 2]!;
    node.process.kill("SIGKILL");
    await cluster.restart(node);
  } while (!isOver());
  await Promise.all([visiting, changing]);

  const open = pages.filter(({ isClosed }) => !isClosed);
  const isRight = (page: Page) => JSON.stringify(page.state) === backend.stateText(page.name);
  await waitFor("every page to have the right state", () => open.every(isRight), 60_000)
    .catch(() => {});
  const sum = (of: (page: Page) => number) => pages.reduce((total, page) => total + of(page), 0);
  return {
    pages: pages.length,
    connected: pages.filter(({ welcomes }) => welcomes > 0).length,
    changes: backend.changes,
    betweenChanges: sum(({ betweenChanges }) => betweenChanges),
    known: sum(({ known }) => known),
    kills,
    askedAgain: backend.askedAgain,
    reconnects: sum(({ welcomes }) => Math.max(0, welcomes - 1)),
    gaps: sum(({ gaps }) => gaps),
    wrong: [
      ...pages.flatMap(({ name, faults }) => faults.map((fault) => `${name}: ${fault}`)),
      ...open.filter((page) => !isRight(page)).map((page) =>
        `${page.name}: ${JSON.stringify(page.state)} instead of ${backend.stateText(page.name)}`
      ),
    ],
  };
}

/** What a page shows: one's own numbers, and everyone's. */
export interface State {
  own: Part;
  all: Part;
}

/** Each change raises the version by 1, and adds something: one that is missed or doubled is seen. */
export interface Part {
  version: number;
  total: number;
}

/** A page: rendered with its state and a cursor, connected some time later. */
class Page implements Disposable {
  readonly name: string;
  readonly state: State;
  welcomes = 0;
  gaps = 0;
  known = 0;
  betweenChanges = 0;
  isClosed = false;
  readonly faults: string[] = [];
  readonly #keywire: Keywire;

  /** Renders it, and connects it after a random delay. */
  static async load(
    url: string,
    { name, backend, delayMs }: { name: string; backend: StateBackend; delayMs: number },
  ): Promise<Page> {
    const { cursor, state } = await backend.render(name);
    await last(Math.random() * delayMs);
    const now = JSON.parse(backend.stateText(name)) as State;
    const page = new Page(url, { name, cursor, state });
    page.betweenChanges = now.own.version - state.own.version + now.all.version -
      state.all.version;
    return page;
  }

  private constructor(
    url: string,
    { name, cursor, state }: { name: string; cursor: string; state: State },
  ) {
    this.name = name;
    this.state = state;
    const keywire = this.#keywire = new Keywire(url, {
      key: name,
      cursor,
      transport: Math.random() < 0.2 ? "sse" : "websocket",
      minDelayMs: 100,
      maxDelayMs: 1_000,
      pingMs: 3_000,
      dialMs: 5_000,
      gapJitterMs: 0,
    });
    keywire.addEventListener("message", ({ data }) => this.#apply(data as unknown as Change));
    keywire.addEventListener("gap", () => this.gaps++);
    keywire.addEventListener("close", ({ retry, reason }) => {
      if (!retry) this.faults.push(`gave up: ${reason}`);
    });
    keywire.addEventListener("welcome", ({ recovered }) => {
      this.welcomes++;
      if (recovered !== true) this.faults.push(`recovered: ${recovered}`);
    });
  }

  [Symbol.dispose](): void {
    this.isClosed = true;
    this.#keywire.close();
  }

  #apply({ part, version, add }: Change): void {
    const own = this.state[part];
    // What the state from the database had in it already.
    if (version <= own.version) {
      this.known++;
      return;
    }
    if (version !== own.version + 1) this.faults.push(`${part} ${own.version}, then ${version}`);
    own.version = version;
    own.total += add;
  }
}

/** What the backend tells of a change. */
export interface Change {
  readonly part: keyof State;
  readonly version: number;
  readonly add: number;
}

function left(end: number): number {
  return end - performance.now();
}
