/** What deploy/ holds for Prometheus and Grafana: it asks for metrics that exist, and works. */
import { assert, assertEquals } from "@std/assert";
import { documentedMetrics } from "../support/metrics_page.ts";
import { promtool } from "../support/promtool.ts";

const ROOT = new URL("../../", import.meta.url);
const PROMETHEUS = new URL("deploy/prometheus/", ROOT).pathname;
const readText = (path: string) => Deno.readTextFileSync(new URL(path, ROOT));

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly datasource: { type: string } }[];
}

/** The metrics of Keywire that an expression asks for and that docs/metrics.md does not name. */
function unknownMetrics(expression: string): string[] {
  const known = new Set(
    documentedMetrics().flatMap(([name, type]) =>
      type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name]
    ),
  );
  const names = expression.replaceAll(/"[^"]*"/g, "").match(/\b(?:keywire|process)_\w+/g) ?? [];
  return names.filter((name) => !known.has(name));
}

const alertNames = () =>
  [...readText("deploy/prometheus/alerts.yml").matchAll(/- alert: (\w+)/g)].map(([, name]) =>
    name!
  );

Deno.test("alerts.yml: promtool takes the rules, and their unit tests pass", async () => {
  for (const args of [["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]]) {
    const { isGood, text } = await promtool([...args.slice(0, 2), PROMETHEUS + args[2]]);
    assert(isGood, text);
  }
});

Deno.test("alerts.yml: each alert has a unit test, and a section of the runbook", () => {
  const names = alertNames();
  assert(names.length >= 15, names.join());
  const tested = [...readText("deploy/prometheus/alerts_test.yml").matchAll(/ name: (\w+)/g)];
  assertEquals(tested.map(([, name]) => name), names);
  const runbook = readText("docs/operations.md");
  for (const name of names) {
    const [, section] = runbook.split(`\n## ${name}\n`);
    for (const part of ["**Means**", "**Check**", "**Do**"]) {
      assert(section?.split("\n## ")[0]?.includes(part), `${name} has no ${part}`);
    }
    const url = `runbook_url: docs/operations.md#${name.toLowerCase()}\n`;
    assert(readText("deploy/prometheus/alerts.yml").includes(url), url);
  }
});

Deno.test("alerts.yml: asks for metrics that exist", () => {
  const rules = readText("deploy/prometheus/alerts.yml").replaceAll(/^ *#.*$/gm, "");
  assertEquals(unknownMetrics(rules), []);
});

Deno.test("keywire.json: each panel asks Prometheus, by expressions of metrics that exist", async () => {
  const { panels } = JSON.parse(readText("deploy/grafana/keywire.json")) as { panels: Panel[] };
  assertEquals(new Set(panels.map(({ id }) => id)).size, panels.length);
  const targets = panels.flatMap(({ targets = [] }) => targets);
  assert(targets.length > 25, `only ${targets.length} expressions`);
  for (const { expr, datasource } of targets) {
    assertEquals(unknownMetrics(expr), [], expr);
    assertEquals(datasource.type, "prometheus");
  }
  // As recording rules promtool parses them; Grafana fills its variables in before.
  const rules = targets.map(({ expr }, at) => ({
    record: `panel:${at}`,
    expr: expr.replaceAll("$__rate_interval", "1m").replaceAll("$instance", ".*"),
  }));
  const path = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(path, JSON.stringify({ groups: [{ name: "panels", rules }] }));
  const { isGood, text } = await promtool(["check", "rules", path]);
  await Deno.remove(path);
  assert(isGood, text);
});
