import { assertEquals, assertThrows } from "@std/assert";
import { FAULTS } from "./faults.ts";
import { COLUMNS } from "./row.ts";
import { withRow } from "./table_page.ts";

const page = Deno.readTextFileSync(new URL("../../docs/operations.md", import.meta.url));
const alerts = [
  ...Deno.readTextFileSync(new URL("../../deploy/prometheus/alerts.yml", import.meta.url))
    .matchAll(/- alert: (\w+)/g),
].map(([, name]) => name!);
const names = ["one", "two"];

/** The names of the faults in the page's tables, in order. */
function rowsOf(text: string, table: string): string[] {
  const [, rest = ""] = text.split(`<!-- deno task faults writes this table: ${table} -->`);
  return rest.split("<!-- its end -->")[0]!.trim().split("\n").slice(2)
    .map((line) => line.split("|")[1]!.trim());
}

Deno.test("withRow: a row takes the place of the fault's old one, in the order of the faults", () => {
  const cells = (name: string) => COLUMNS.clients.map((_, at) => at === 0 ? name : `${name} ${at}`);
  let text = page;
  for (const name of ["two", "one", "two"]) {
    text = withRow(text, { table: "clients", row: cells(name), names });
  }
  assertEquals(rowsOf(text, "clients"), names);
  assertEquals(rowsOf(text, "operators"), rowsOf(page, "operators"));
  assertThrows(() => withRow("", { table: "clients", row: cells("one"), names }), Error, "lacks");
});

Deno.test("docs/operations.md: its tables have the faults that can be run, and no other", () => {
  const all = FAULTS.map(({ name }) => name);
  assertEquals(new Set(all).size, all.length);
  for (const table of ["clients", "operators"]) assertEquals(rowsOf(page, table), all);
});

Deno.test("FAULTS: each alert is fired by at least one of them, and each that they name exists", () => {
  const fired = new Set(FAULTS.flatMap(({ alerts }) => alerts));
  assertEquals([...fired].sort(), [...alerts].sort());
});

Deno.test("docs/operations.md: nothing was lost in silence by the table, and all came back", () => {
  assertEquals(page.match(/\*\*not told\*\*|\*\*not within/g), null);
});
