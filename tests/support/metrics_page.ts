/** The metrics that docs/metrics.md names: name, type, and what it says of each. */
export function documentedMetrics(): [name: string, type: string, help: string][] {
  const page = Deno.readTextFileSync(new URL("../../docs/metrics.md", import.meta.url));
  return [...page.matchAll(/^\| `(\w+)` +\| (\w+) +\| [^|]*\| (.*?) +\|$/gm)]
    .map(([, name, type, help]) => [name!, type!, help!.replaceAll("`", "")]);
}
