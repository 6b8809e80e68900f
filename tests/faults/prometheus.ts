import { freePort, waitFor } from "../support/wait.ts";

/** A real Prometheus that scrapes each second and knows the alerts of deploy/. */
export interface Prometheus extends AsyncDisposable {
  /** The names of the alerts that fire now. */
  firing(): Promise<string[]>;
  /** The answer to an expression: the labels and the value of each series. */
  ask(expression: string): Promise<{ metric: Record<string, string>; value: number }[]>;
}

const RULES = new URL("../../deploy/prometheus/alerts.yml", import.meta.url);

/** Starts Prometheus for the node at `url`; alerts fire without the time that they wait otherwise. */
export async function startPrometheus(url: string): Promise<Prometheus> {
  const folder = await Deno.makeTempDir({ prefix: "keywire-prometheus-" });
  const rules = await Deno.readTextFile(RULES);
  await Deno.writeTextFile(`${folder}/alerts.yml`, rules.replaceAll(/^ +for: .*\n/gm, ""));
  await Deno.writeTextFile(
    `${folder}/prometheus.yml`,
    `
global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }
rule_files: [alerts.yml]
scrape_configs:
  - job_name: keywire
    static_configs: [{ targets: ["${new URL(url).host}"] }]
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
    await waitFor("Prometheus to scrape the node", async () => {
      const [up] = await ask('up{job="keywire"}').catch(() => []);
      return up?.value === 1;
    }, 30_000);
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
    [Symbol.asyncDispose]: asyncDispose,
  };
}
