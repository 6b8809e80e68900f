import { COLUMNS, type TableName } from "./row.ts";

/** The lines of the page between which a table stands. */
const begin = (table: TableName) => `<!-- deno task faults writes this table: ${table} -->`;
const END = "<!-- its end -->";

/** Rows of one table as Markdown. */
export function tableOf(table: TableName, rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const columns = COLUMNS[table];
  return [line(columns), line(columns.map(() => "---")), ...rows.map(line)].join("\n");
}

/**
 * The page with `row` in one of its tables, in place of the row of the same fault. The order is that of
 * `names`; rows of other names go.
 * @throws where the page has no place for it
 */
export function withRow(
  page: string,
  { table, row, names }: {
    readonly table: TableName;
    readonly row: readonly string[];
    readonly names: readonly string[];
  },
): string {
  const [before, rest] = page.split(begin(table));
  const at = rest?.indexOf(END) ?? -1;
  if (rest === undefined || at < 0) throw new Error(`The page lacks ${begin(table)} … ${END}`);
  const old = rest.slice(0, at).trim().split("\n").slice(2).map((line) =>
    line.slice(1, -1).split("|").map((cell) => cell.trim())
  );
  const all = new Map([...old, row].map((cells) => [cells[0]!, cells]));
  const kept = names.flatMap((name) => all.has(name) ? [all.get(name)!] : []);
  return `${before}${begin(table)}\n\n${tableOf(table, kept)}\n\n${rest.slice(at)}`;
}
