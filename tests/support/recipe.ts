/** Follows a recipe of CONTRIBUTING.md: does to a folder what its blocks say, and nothing else. */

/** One block of a recipe, with the file that the line before it names. */
interface Step {
  readonly verb: "In" | "Create";
  readonly path: string;
  readonly code: string;
}

/**
 * Does the steps of a recipe in `folder`, a copy of the repository.
 * @returns the files that it made or changed
 * @throws when a step cannot be followed as it stands
 */
export async function followRecipe(markdown: string, folder: string): Promise<string[]> {
  const steps = stepsOf(markdown);
  for (const { verb, path, code } of steps) {
    const file = `${folder}/${path}`;
    if (verb === "Create") await Deno.writeTextFile(file, code, { createNew: true });
    else await Deno.writeTextFile(file, insert(await Deno.readTextFile(file), code, path));
  }
  return [...new Set(steps.map(({ path }) => path))];
}

function stepsOf(markdown: string): Step[] {
  const pattern = /^( *)(In|Create) `([^`]+)`:\n\n\1```\w+\n([\s\S]*?)^\1```$/gm;
  return [...markdown.matchAll(pattern)].map(([, indent, verb, path, code]) => ({
    verb: verb as Step["verb"],
    path: path!,
    code: code!.split("\n").map((line) => line.slice(indent!.length)).join("\n"),
  }));
}

/** Puts the lines that begin with `+` where the others stand, which a person finds by reading. */
function insert(text: string, diff: string, path: string): string {
  const lines = text.split("\n");
  const wanted = diff.trimEnd().split("\n");
  const context = wanted.filter((line) => !line.startsWith("+")).map(squeeze);
  const places = lines.keys().filter((at) =>
    context.every((line, index) => squeeze(lines[at + index] ?? "") === line)
  ).toArray();
  if (places.length !== 1) {
    throw new Error(`${places.length} places of ${path} have the lines:\n${context.join("\n")}`);
  }
  let at = places[0]!;
  for (const line of wanted) {
    if (line.startsWith("+")) lines.splice(at, 0, line.slice(1));
    at++;
  }
  return lines.join("\n");
}

/** Neither indentation nor the width of a table's columns matters to a reader. */
function squeeze(line: string): string {
  return line.trim().replaceAll(/\s+/g, " ").replaceAll(/-{3,}/g, "---");
}
