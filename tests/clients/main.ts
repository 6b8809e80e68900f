/**
 * `deno task clients`: drives other people's clients against a real gateway, and prints what became of
 * each. It fails where docs/clients.md says otherwise; `--write` puts the table there instead. Names
 * as arguments drive those alone; `--trace` writes to stderr what each client tells.
 */
import { say } from "../support/say.ts";
import { CLIENTS } from "./client.ts";
import { readRows, replaceTable, rowsOf } from "./results_page.ts";
import { writeTable } from "./table.ts";
import { Trials } from "./trial.ts";
import { Workshop } from "./workshop.ts";

const names = Deno.args.filter((arg) => !arg.startsWith("--"));
const chosen = CLIENTS.filter(({ name }) => names.length === 0 || names.includes(name));
await using workshop = new Workshop();
const clients = await workshop.install(chosen);
const trials = new Trials(workshop, clients, { trace: Deno.args.includes("--trace") });
const table = writeTable(await trials.run());
await Deno.stdout.write(new TextEncoder().encode(table));

if (Deno.args.includes("--write")) await replaceTable(table);
else {
  const known = new Set((await readRows("tried")).map((row) => row.join(" | ")));
  const news = rowsOf(table, "tried").map((row) => row.join(" | ")).filter((row) =>
    !known.has(row)
  );
  for (const row of news) await say(`docs/clients.md says otherwise of ${row}`);
  if (news.length > 0) Deno.exitCode = 1;
}
