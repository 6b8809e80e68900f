import { freePort, waitFor } from "../support/wait.ts";

/** A real Prometheus that scrapes nodes and knows the alerts of deploy/. */
export interface Prometheus extends AsyncDisposable {
  /** The names of the alerts that fire now. */
  firing(): Promise<string[]>;
  /** The answer to an expression: the labels and the value of each series. */
  ask(expression: string): Promise<{ metric: Record<string, string>; value: number }[]>;
  /** The samples of a selector with a range, such as `up[5m]`: each at its time, in seconds. */
  samples(selector: string): Promise<Samples[]>;
  /** The alerts that it evaluates. */
  rules(): Promise<{ name: string; query: string; health: string }[]>;
}

/** One series: its labels, and the times of its samples in seconds since 1970. */
export interface Samples {
  readonly metric: Readonly<Record<string, string>>;
  readonly at: readonly number[];
}

/** How Prometheus watches. */
export interface PrometheusOptions {
  /** Seconds from one scrape, and one look at the rules, to the next (1). */
  readonly everySeconds?: number;
  /** Whether alerts wait before they fire, as the rules are shipped (true), or fire at once (false). */
  readonly waits?: boolean;
}

const RULES = new URL("../../deploy/prometheus/alerts.yml", import.meta.url);

/** Starts Prometheus for the nodes at `urls`, and waits until it has scraped each. */
export async function startPrometheus(
  urls: readonly string[],
  { everySeconds = 1, waits = false }: PrometheusOptions = {},
): Promise<Prometheus> {
  const folder = await Deno.makeTempDir({ prefix: "keywire-prometheus-" });
  const rules = await Deno.readTextFile(RULES);
  const kept = waits ? rules : rules.replaceAll(/^ +for: .*\n/gm, "");
  await Deno.writeTextFile(`${folder}/alerts.yml`, kept);
  const targets = urls.map((url) => new URL(url).host);
  const every = `${everySeconds}s`;
  await Deno.writeTextFile(
    `${folder}/prometheus.yml`,
    `
global: { scrape_interval: ${every}, scrape_timeout: ${every}, evaluation_interval: ${every} }
rule_files: [alerts.yml]
scrape_configs:
  - job_name: keywire
    static_configs: [{ targets: ${JSON.stringify(targets)} }]
`,
  );
  const address = `127.0.0.1:${freePort()}`;
  const process = new Deno.Command("prometheus", {
    args: [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=${address}`,
      "--log.level=error",
    ],
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const get = async (path: string) => {
    const response = await fetch(`http://${address}/api/v1/${path}`, {
      signal: AbortSignal.timeout(5_000),
    });
    return (await response.json()).data;
  };
  const ask: Prometheus["ask"] = async (expression) => {
    const { result } = await get(`query?query=${encodeURIComponent(expression)}`);
    return (result as { metric: Record<string, string>; value: [number, string] }[])
      .map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  };
  const asyncDispose = async () => {
    process.kill("SIGKILL");
    await process.status;
    await Deno.remove(folder, { recursive: true });
  };
  try {
    await waitFor("Prometheus to scrape the nodes", async () => {
      const up = await ask('up{job="keywire"} == 1').catch(() => []);
      return up.length === targets.length;
    }, 30_000 + 2_000 * everySeconds);
  } catch (error) {
    await asyncDispose();
    throw error;
  }
  return {
    ask,
    async firing() {
      const { alerts } = await get("alerts") as {
        alerts: { labels: { alertname: string }; state: string }[];
      };
      return alerts.filter(({ state }) => state === "firing")
        .map(({ labels }) => labels.alertname);
    },
    async samples(selector) {
      const { result } = await get(`query?query=${encodeURIComponent(selector)}`);
      return (result as { metric: Record<string, string>; values: [number, string][] }[])
        .map(({ metric, values }) => ({ metric, at: values.map(([at]) => at) }));
    },
    async rules() {
      const { groups } = await get("rules");
      return (groups as { rules: { name: string; query: string; health: string }[] }[])
        .flatMap(({ rules }) => rules);
    },
    [Symbol.asyncDispose]: asyncDispose,
  };
}
