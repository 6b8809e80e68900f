/**
 * `deno task faults`: lets one fault after the other strike real servers and prints what was seen.
 * `--only <text>` takes those whose name holds the text, `--write` puts the rows into
 * docs/operations.md, `--list` names them all.
 */
import { parseArgs } from "node:util";
import { ensureMongodb } from "../support/mongodb.ts";
import { say } from "../support/say.ts";
import { FAULTS } from "./faults.ts";
import { observe } from "./observe.ts";
import { type Row, rowOf, type TableName } from "./row.ts";
import { tableOf, withRow } from "./table_page.ts";

const PAGE = new URL("../../docs/operations.md", import.meta.url);
const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    only: { type: "string", multiple: true, default: [] },
    write: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
  },
});

const chosen = FAULTS.filter(({ name }) =>
  options.only.length === 0 || options.only.some((text) => name.includes(text))
);
if (options.list) {
  for (const { name } of FAULTS) await say(name);
  Deno.exit(0);
}
if (chosen.some(({ stage }) => stage?.mongodb)) await ensureMongodb();

const TABLES: readonly TableName[] = ["clients", "operators"];
const rows: Row[] = [];
const wrong: string[] = [];
for (const fault of chosen) {
  const began = performance.now();
  const seen = await observe(fault);
  const row = rowOf(seen);
  rows.push(row);
  const missing = fault.alerts.filter((name) => !seen.alerts.has(name));
  wrong.push(
    ...row.faults.map((text) => `${fault.name}: ${text}`),
    ...missing.map((name) => `${fault.name}: ${name} does not fire`),
  );
  if (options.write) await write(row);
  const took = Math.round((performance.now() - began) / 1000);
  await say([...row.clients, ...row.operators.slice(1), `(${took} s)`].join("\n  "));
}
if (options.write) {
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", PAGE.pathname] }).output();
} else {
  for (const table of TABLES) await say(tableOf(table, rows.map((row) => row[table])));
}
await say(
  wrong.length === 0 ? "Nothing was lost in silence; every alert fired." : wrong.join("\n"),
);
Deno.exit(wrong.length === 0 ? 0 : 1);

/** Puts the row into the page at once: a run that is cut off keeps what it has. */
async function write(row: Row): Promise<void> {
  const names = FAULTS.map(({ name }) => name);
  let page = await Deno.readTextFile(PAGE);
  for (const table of TABLES) page = withRow(page, { table, row: row[table], names });
  await Deno.writeTextFile(PAGE, page);
}
