/** From what was seen of a fault to a row of the table. Nothing is written by hand. */
import type { Observation, Testimony } from "./observe.ts";
import { type Source, SOURCES } from "./publisher.ts";

/** The columns of both tables, in order. */
export const COLUMNS = {
  clients: [
    "fault",
    "`keywire.v1`",
    "SSE",
    "plain",
    "lost by v1 and SSE",
    "lost by plain",
    "delivery is back",
    "new clients",
  ],
  operators: ["fault", "`/ready`", "alerts", "`POST /api/publish`", "counters", "log"],
} as const;

/** What clients see of a fault, and what operators see. */
export type TableName = keyof typeof COLUMNS;

/** A row in each table, and what is wrong with the gateway by them. */
export interface Row extends Readonly<Record<TableName, readonly string[]>> {
  readonly faults: readonly string[];
}

const LONGEST = 110;
const NOTHING = "–";

/** What one client lost, got twice, and was told of. */
export interface Loss {
  readonly lost: Readonly<Record<Source, number>>;
  readonly doubles: number;
  readonly told: ReadonlySet<Source>;
}

/** Turns an observation into a row. */
export function rowOf(seen: Observation): Row {
  const [v1, sse, plain] = seen.clients as [Testimony, Testimony, Testimony];
  const losses = [v1, sse].map((client) => lossOf(client, seen));
  const faults = [v1, sse].flatMap(({ kind }, at) => {
    const { lost, doubles, told } = losses[at]!;
    const silent = SOURCES.filter((source) => lost[source] > 0 && !told.has(source));
    return [
      ...silent.map((source) => `${kind} lost ${lost[source]} of the ${source} in silence`),
      ...doubles > 0 ? [`${kind} got ${doubles} twice`] : [],
    ];
  });
  const clients = [
    seen.name,
    wordsOf(v1, seen),
    wordsOf(sse, seen),
    wordsOf(plain, seen),
    SOURCES.map((source) => {
      const most = Math.max(...losses.map(({ lost }) => lost[source]));
      const isTold = losses.every(({ lost, told }) => lost[source] === 0 || told.has(source));
      return most === 0 ? `${source} 0` : `${source} ${most}, ${isTold ? "told" : "**not told**"}`;
    }).join("; "),
    SOURCES.map((source) => `${source} ${lossOf(plain, seen).lost[source]}`).join("; "),
    backOf(seen),
    answersOf(seen.newcomers, seen),
  ];
  const operators = [
    seen.name,
    readyOf(seen),
    [...seen.alerts].map(([name, at]) => `${name.replace("Keywire", "")} ${after(at, seen)}`)
      .join("; ") || NOTHING,
    answersOf(seen.api, seen),
    countersOf(seen),
    logOf(seen),
  ];
  return { clients: clients.map(asCell), operators: operators.map(asCell), faults };
}

function asCell(text: string): string {
  return text.replaceAll("|", "/").replaceAll("\n", " ");
}

/** What `client` never got of what was confirmed while it listened, and what it was told of that. */
export function lossOf(
  { arrivals, words }: Testimony,
  { published, struckAt }: Pick<Observation, "published" | "struckAt">,
): Loss {
  const heard = new Map<string, number>();
  for (const { source, n } of arrivals) {
    heard.set(`${source} ${n}`, (heard.get(`${source} ${n}`) ?? 0) + 1);
  }
  const lost = { stream: 0, channel: 0 };
  for (const source of SOURCES) {
    const first = arrivals.find((arrival) => arrival.source === source)?.n ?? 0;
    lost[source] = published.filter((one) =>
      one.source === source && one.isConfirmed && one.n >= first && !heard.has(`${source} ${one.n}`)
    ).length;
  }
  const told = words.filter(({ at }) => at >= struckAt).flatMap(({ lost }) => lost ?? []);
  return {
    lost,
    doubles: [...heard.values()].filter((times) => times > 1).length,
    told: new Set(told),
  };
}

/** What the client was told, each once with how often; and for how long it heard nothing. */
function wordsOf({ words, arrivals }: Testimony, { struckAt, endedAt }: Observation): string {
  const counts = new Map<string, number>();
  for (const { at, text } of words) {
    if (at >= struckAt) counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  const told = [...counts].map(([text, times]) => times === 1 ? text : `${text} × ${times}`);
  const silences = SOURCES.map((source) => {
    const times = arrivals.filter((arrival) => arrival.source === source).map(({ at }) => at);
    const gaps = times.slice(1).map((at, index) => at > struckAt ? at - times[index]! : 0);
    const rest = times.length > 0 && times.at(-1)! < endedAt ? endedAt - times.at(-1)! : 0;
    return Math.max(...gaps, rest);
  });
  const [stream, channel] = silences as [number, number];
  const alike = Math.abs(stream - channel) < 500;
  const silent = Math.max(stream, channel) < 500
    ? "no pause"
    : alike
    ? `silent for ${seconds(Math.max(stream, channel))}`
    : `silent for ${seconds(stream)} (stream), ${seconds(channel)} (channel)`;
  return [...told.length === 0 ? ["stays"] : told, silent].join("; ");
}

/** When all three clients heard both sources again, from the fault's end. */
function backOf({ clients, published, healedAt, struckAt }: Observation): string {
  const times = clients.map(({ arrivals }) =>
    Math.max(...SOURCES.map((source) => {
      const first = arrivals.find((arrival) =>
        arrival.source === source &&
        published.some((one) => one.source === source && one.n === arrival.n && one.at >= healedAt)
      );
      return first?.at ?? Infinity;
    }))
  );
  const took = Math.max(...times) - healedAt;
  if (!Number.isFinite(took)) return "**not within a minute**";
  return `${seconds(took)} after ${healedAt > struckAt ? "its end" : "it struck"}`;
}

/** Answers that follow one another, as a run each: `101; 503 from 0.2 s to 5.1 s; 101`. */
function answersOf(
  answers: readonly { readonly at: number; readonly text: string }[],
  seen: Observation,
): string {
  const during = answers.filter(({ at }) => at >= seen.struckAt);
  const usual = answers.find(({ at }) => at < seen.struckAt)?.text ?? during[0]?.text ?? NOTHING;
  const others = new Map<string, { from: number; to: number; times: number }>();
  for (const { at, text } of during) {
    if (text === usual) continue;
    const span = others.get(text);
    if (span === undefined) others.set(text, { from: at, to: at, times: 1 });
    else Object.assign(span, { to: at, times: span.times + 1 });
  }
  const spans = [...others].map(([text, { from, to, times }]) =>
    `${text} × ${times}, ${after(from, seen)} to ${after(to, seen)}`
  );
  return spans.length === 0 ? `always ${usual}` : `${spans.join("; ")}; else ${usual}`;
}

function readyOf(seen: Observation): string {
  const during = seen.ready.filter(({ at }) => at >= seen.struckAt);
  if (during.length === 0) return `stays ${seen.ready.at(-1)?.text ?? NOTHING}`;
  // Reasons change on the way; the status tells when.
  const changes = during.filter(({ text }, at) =>
    statusOf(text) !== statusOf(during[at - 1]?.text)
  );
  const shown = changes.length > 5 ? [...changes.slice(0, 4), changes.at(-1)!] : changes;
  const texts = shown.map(({ at, text }) => `${after(at, seen)}: ${plain(text)}`);
  return changes.length > 5 ? `${texts.join("; ")} (${changes.length} changes)` : texts.join("; ");
}

function statusOf(text: string | undefined): string | undefined {
  return text?.replace(/:.*$/, text.endsWith("store down") ? " store" : "");
}

/** Counters, each with what its labels say: `gaps: channel 1`. */
function countersOf({ counters }: Observation): string {
  const byName = new Map<string, string[]>();
  for (const [series, by] of counters) {
    const [name = "", labels = ""] = series.replace(/^keywire_/, "").replace("_total", "").split(
      "{",
    );
    const values = [...labels.matchAll(/"([^"]*)"/g)].map(([, value]) => value);
    byName.set(name, [...byName.get(name) ?? [], [...values, Math.round(by)].join(" ")]);
  }
  return [...byName].map(([name, all]) => `\`${name}\`: ${all.join(", ")}`).join("; ") || NOTHING;
}

/** The first warning, how many there are, and the last line that tells of an end. */
function logOf(seen: Observation): string {
  const during = seen.log.filter(({ at }) => at >= seen.struckAt - 50);
  const warnings = during.filter(({ level }) => level !== "INFO" && level !== "DEBUG");
  const ends = during.filter(({ level, message }) =>
    level === "INFO" && /again after|Listens again/.test(message)
  );
  const shown = [
    ...warnings.slice(0, 1).map(({ at, message }) => `${after(at, seen)}: “${plain(message)}”`),
    ...warnings.length > 1 ? [`${warnings.length} warnings`] : [],
    ...ends.slice(-1).map(({ at, message }) => `${after(at, seen)}: “${plain(message)}”`),
  ];
  return shown.join("; ") || NOTHING;
}

/** Without the ports, which are others in each run, and without what Markdown would take for its own. */
function plain(text: string): string {
  const shown = text.replace(/127\.0\.0\.1:\d+/g, "host:port").replace(/[<>*`\\]/g, "")
    .replace(/\s+/g, " ");
  return shown.length > LONGEST ? `${shown.slice(0, LONGEST).trimEnd()}…` : shown;
}

function after(at: number, { struckAt }: Observation): string {
  return seconds(at - struckAt);
}

function seconds(ms: number): string {
  return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
}
