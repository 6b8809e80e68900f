/**
 * `deno task bench`: measures Keywire beside its peers. The tables go to stdout and progress to
 * stderr; `results.json` and the picture `topic.svg` are written beside this file.
 */
import { runBench } from "./bench.ts";
import { readOptions, USAGE } from "./options.ts";
import { type Bar, plot } from "./plot.ts";
import { medianOf } from "./result.ts";
import { resultTable } from "./table.ts";
import { targetTable } from "./target.ts";

const options = readOptions(Deno.args);
if (options === undefined) {
  write(Deno.stdout, USAGE);
  Deno.exit();
}
const run = await runBench({ ...options, say: (line) => write(Deno.stderr, line) });
const parts = [resultTable(run, options.subjects), targetTable(run), run.machine];
write(Deno.stdout, parts.filter((part) => part !== "").join("\n\n"));
save("results.json", JSON.stringify(run, null, 1));
const bars = options.subjects.flatMap(({ name, title }): Bar[] => {
  const value = medianOf(run.results, {
    scenario: "topic",
    subject: name,
    value: "deliveriesPerSecond",
  });
  const own = name.startsWith("keywire");
  return value === undefined ? [] : [{ title: title.replaceAll("`", ""), value, own }];
});
if (bars.length > 1) {
  save(
    "topic.svg",
    plot(bars, {
      title: "Deliveries a second, on one core",
      says: "1,000 sockets that hear the same 240-byte messages, 50 in flight",
    }),
  );
}

function write(to: typeof Deno.stdout, line: string): void {
  to.writeSync(new TextEncoder().encode(`${line}\n`));
}

function save(name: string, text: string): void {
  Deno.writeTextFileSync(new URL(`./${name}`, import.meta.url), text);
}
