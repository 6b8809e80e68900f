/** The tables of docs/clients.md. */

const PAGE = new URL("../../docs/clients.md", import.meta.url);

/** The cells of all rows of the page's tables whose first heading is `heading`. */
export async function readRows(heading: string): Promise<string[][]> {
  return rowsOf(await Deno.readTextFile(PAGE), heading);
}

/** Puts a table in the place of the page's one whose first heading is the same. */
export async function replaceTable(table: string): Promise<void> {
  const heading = cellsOf(table.slice(0, table.indexOf("\n")))[0]!;
  const page = await Deno.readTextFile(PAGE);
  const old = tablesOf(page).find((each) => cellsOf(each.split("\n")[0]!)[0] === heading);
  if (old === undefined) throw new Error(`docs/clients.md has no table headed ${heading}`);
  await Deno.writeTextFile(PAGE, page.replace(old, () => table));
}

/** The cells of all rows of the tables of `markdown` whose first heading is `heading`. */
export function rowsOf(markdown: string, heading: string): string[][] {
  return tablesOf(markdown).flatMap((table) => {
    const [head, _line, ...rows] = table.trimEnd().split("\n").map(cellsOf);
    return head![0] === heading ? rows : [];
  });
}

function tablesOf(markdown: string): string[] {
  return [...markdown.matchAll(/^(?:\|.*\n)+/gm)].map(([table]) => table);
}

function cellsOf(row: string): string[] {
  return row.split("|").slice(1, -1).map((cell) => cell.trim());
}
