/** One file of the house, as far as its rules look into it. */
export interface SourceFile {
  /** Its path from the root of the repository, such as `src/core/hub.ts`. */
  readonly path: string;
  readonly lines: readonly string[];
  /** The text without comment lines. */
  readonly code: string;
  /** What it imports: paths from the root, or the bare names of packages. */
  readonly imports: readonly string[];
  readonly exports: readonly Export[];
}

/** Something that a file exports under a name of its own. */
export interface Export {
  readonly name: string;
  readonly documented: boolean;
}

/**
 * Reads a file that `deno fmt` has formatted: there, statements of the module begin a line, and
 * every line of a doc comment begins with an asterisk.
 */
export function parseSourceFile(path: string, text: string): SourceFile {
  const lines = text.trimEnd().split("\n");
  const code = lines.filter((line) => !/^\s*(?:\/\/|\/?\*)/.test(line)).join("\n");
  const imports = code.matchAll(
    /^(?:import|export)\s(?:[^"';]*?\sfrom\s)?"([^"]+)"|\bimport\(\s*"([^"]+)"/gm,
  );
  return {
    path,
    lines,
    code,
    imports: [...imports].map(([, still, dynamic]) => resolve(path, still ?? dynamic ?? "")),
    exports: lines.flatMap((line, i) => exported(line, lines.slice(0, i))),
  };
}

/** Reads every TypeScript file of the program itself: `main.ts` and what is under `src`. */
export function readHouse(root: URL): SourceFile[] {
  const files: SourceFile[] = [];
  const visit = (path: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(new URL(path, root))) {
      if (isDirectory) visit(`${path}${name}/`);
      else if (name.endsWith(".ts")) files.push(read(`${path}${name}`));
    }
  };
  const read = (path: string) => parseSourceFile(path, Deno.readTextFileSync(new URL(path, root)));
  visit("src/");
  return [read("main.ts"), ...files];
}

function resolve(from: string, specifier: string): string {
  if (!specifier.startsWith(".")) return specifier.replace(/^npm:/, "").replace(/(?<=.)@\d.*$/, "");
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

function exported(line: string, before: readonly string[]): Export[] {
  const pattern =
    /^export (?:default )?(?:declare )?(?:abstract )?(?:async )?(?:class|function\*?|const|let|interface|type|enum) (\w+)/;
  const [, name] = pattern.exec(line) ?? [];
  if (name === undefined) return [];
  const above = before.findLast((each) => !each.startsWith("// deno-lint-ignore")) ?? "";
  const overload = above.startsWith(`export function ${name}`);
  return [{ name, documented: overload || above.trimEnd().endsWith("*/") }];
}
