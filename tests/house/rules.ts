import type { SourceFile } from "./source_file.ts";

/** A rule of the house gives one line for each place where it is broken. */
export type Rule = (files: readonly SourceFile[]) => string[];

const FOUNDATION = ["core", "settings"];
const PORTS = [...FOUNDATION, "bus", "keystores", "presence", "transports"];
/** What each part may import beside itself. A room that is new here begins with the foundation. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  settings: ["core"],
  gateway: PORTS,
  api: [...PORTS, "gateway"],
  ops: [...PORTS, "gateway"],
  app: [...PORTS, "gateway", "api", "ops"],
  main: [...PORTS, "gateway", "api", "ops", "app"],
};
/** The files that settings consist of. */
const SETTINGS = ["src/settings.ts", "src/setting_rules.ts", "src/environment.ts"];

/** A file of one of these names in one of these rooms is where the driver is at home. */
const DRIVERS: Readonly<Record<string, RegExp>> = {
  ioredis: /^src\/(?:bus|presence)\/redis(?:_\w+)?\.ts$/,
  mongodb: /^src\/keystores\/mongo(?:_\w+)?\.ts$/,
};

const MAX_LINES = 250;

const EFFECTS = new RegExp(
  [
    String.raw`\b(?:Deno|console|crypto|performance)\.`,
    String.raw`\b(?:fetch|setTimeout|setInterval|queueMicrotask|Date\.now|Math\.random)\b`,
    String.raw`\bnew Date\(\)`,
  ].join("|"),
);
const FORBIDDEN = new RegExp(
  [
    String
      .raw`\bDeno\.(?:Command|run|dlopen|openKv|cron|open|create|mkdir|remove|rename|truncate)\b`,
    String.raw`\bDeno\.(?:write|copy|makeTemp|chmod|chown|utime|symlink|link|Unsafe)\w*`,
    String.raw`[=(]\s*Deno\b(?!\.)`,
    String.raw`"node:(?:fs|child_process|cluster|worker_threads|ffi)[/\w]*"`,
    String.raw`--unstable`,
    String.raw`\bnew Worker\b`,
  ].join("|"),
);

/** Imports run one way: main, app, gateway, the rooms, core. */
export const importsRunOneWay: Rule = (files) =>
  files.flatMap(({ path, imports }) => {
    const from = partOf(path);
    const allowed = MAY_IMPORT[from] ?? FOUNDATION;
    return imports.filter((target) => isFile(target) && partOf(target) !== from)
      .filter((target) => !allowed.includes(partOf(target)))
      .map((target) => `${path} imports ${target}: ${from} may import ${allowed.join(", ")}`);
  });

/** The core imports only the core, and has no clock, no randomness and no I/O of its own. */
export const coreIsPure: Rule = (files) =>
  files.filter(({ path }) => partOf(path) === "core").flatMap(({ path, code, imports }) => {
    const packages = imports.filter((target) => !isFile(target));
    const [effect] = EFFECTS.exec(code) ?? [];
    return [...packages, ...effect === undefined ? [] : [effect]]
      .map((thing) => `${path} uses ${thing}: the core is pure`);
  });

/** Only a driver's own files know the driver, and another room never reaches for them. */
export const driversStayAtHome: Rule = (files) =>
  files.flatMap(({ path, imports }) =>
    imports.flatMap((target) => {
      const home = DRIVERS[target.split("/")[0] ?? ""];
      if (home !== undefined && !home.test(path)) return [`${path} imports the driver ${target}`];
      const elsewhere = partOf(target) !== partOf(path) &&
        Object.values(DRIVERS).some((files) => files.test(target));
      return elsewhere ? [`${path} imports ${target}: other rooms go by mod.ts or port.ts`] : [];
    })
  );

/** No file imports itself, by whatever way round. */
export const importsRunInNoCircle: Rule = (files) => {
  const imports = new Map(files.map(({ path, imports }) => [path, imports]));
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, way: readonly string[]) => {
    if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(" → "));
    else if (!done.has(path)) {
      for (const target of imports.get(path) ?? []) visit(target, [...way, path]);
      done.add(path);
    }
  };
  for (const { path } of files) visit(path, []);
  return circles;
};

/** Nothing under src writes files, starts processes, or uses FFI or unstable APIs. */
export const nothingReachesOut: Rule = (files) =>
  files.filter(({ path }) => path.startsWith("src/")).flatMap(({ path, code }) => {
    const [thing] = FORBIDDEN.exec(code) ?? [];
    return thing === undefined ? [] : [`${path} uses ${thing}`];
  });

/** Files are small. */
export const filesAreSmall: Rule = (files) =>
  files.filter(({ path, lines }) => path.startsWith("src/") && lines.length > MAX_LINES)
    .map(({ path, lines }) => `${path} has ${lines.length} lines: at most ${MAX_LINES}`);

/** Every export is documented; of options, the one who takes them says what they are for. */
export const exportsAreDocumented: Rule = (files) =>
  files.flatMap(({ path, exports }) =>
    exports.filter(({ name, documented }) => !documented && !name.endsWith("Options"))
      .map(({ name }) => `${path} exports ${name} without a doc comment`)
  );

/** A file bears the name of something that it exports, or says at its top what it holds. */
export const filesAreNamedAfterTheirExport: Rule = (files) =>
  files.filter(({ path, lines, exports }) => {
    const [, fileName = ""] = /([^/]+)\.ts$/.exec(path) ?? [];
    const words = fileName.split("_");
    const named = exports.map(({ name }) => name.toLowerCase())
      .some((name) => words.every((word) => name.includes(word)));
    return !named && !["main", "mod", "port"].includes(fileName) && !lines[0]?.startsWith("/**");
  }).map(({ path }) => `${path} is named after nothing that it exports, and does not say why`);

function isFile(target: string): boolean {
  return target.endsWith(".ts");
}

/** The room of a file; at the top of `src`, what is neither settings nor the app is the gateway's. */
function partOf(path: string): string {
  if (SETTINGS.includes(path)) return "settings";
  const [, room] = /^src\/(\w+)\//.exec(path) ?? [];
  if (room !== undefined) return room;
  return ["main.ts", "src/app.ts"].includes(path) ? path.replace(/^src\/|\.ts$/g, "") : "gateway";
}
