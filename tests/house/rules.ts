import type { SourceFile } from "./source_file.ts";

/** A rule of the house gives one line for each place where it is broken. */
export type Rule = (files: readonly SourceFile[]) => string[];

/** The parts of the house, lowest first. A path belongs to the longest of these that it begins with. */
const PARTS: Readonly<Record<string, string>> = {
  "src/core/delivery/": "core/delivery",
  "src/core/history/": "core/history",
  "src/core/": "core",
  "src/settings/": "settings",
  "src/logging/": "logging",
  "src/http/": "http",
  "src/redis/": "redis",
  "src/bus/": "bus",
  "src/presence/": "presence",
  "src/keystores/": "keystores",
  "src/transports/": "transports",
  "src/tracing/": "tracing",
  "src/gateway/": "gateway",
  "src/api/": "api",
  "src/ops/": "ops",
  "src/cli/": "cli",
  "src/app.ts": "app",
  "main.ts": "main",
};
const CORE = ["core", "core/delivery", "core/history"];
const SHARED = [...CORE, "settings", "logging", "http", "redis"];
const PORTS = ["bus", "presence", "keystores", "transports", "tracing"];
/** What each part may import beside itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "core": [],
  "core/delivery": ["core"],
  "core/history": ["core"],
  "settings": CORE,
  "logging": CORE,
  "http": CORE,
  "redis": [...CORE, "logging"],
  "bus": SHARED,
  "presence": SHARED,
  "keystores": SHARED,
  "transports": SHARED,
  "tracing": SHARED,
  "gateway": [...SHARED, ...PORTS],
  "api": [...SHARED, ...PORTS, "gateway"],
  "ops": [...SHARED, ...PORTS, "gateway"],
  "cli": [...SHARED, "keystores"],
  "app": [...SHARED, ...PORTS, "gateway", "api", "ops"],
  "main": [...SHARED, ...PORTS, "gateway", "api", "ops", "app"],
};

/** A file of one of these names in one of these rooms is where the driver is at home. */
const DRIVERS: Readonly<Record<string, RegExp>> = {
  ioredis: /^src\/(?:redis\/\w+|(?:bus|presence)\/redis(?:_\w+)?)\.ts$/,
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
    String.raw`--unstable(?!-net, as the start task does)`,
    String.raw`\bnew Worker\b`,
  ].join("|"),
);

/** Every file stands in a room that the rules know. */
export const everyFileHasARoom: Rule = (files) =>
  files.filter(({ path }) => partOf(path) === undefined)
    .map(({ path }) => `${path} stands in no room: give it one, and the room its rules`);

/** Imports run one way: main, app, api and ops, gateway, the ports' rooms, what they share, core. */
export const importsRunOneWay: Rule = (files) =>
  files.flatMap(({ path, imports }) => {
    const from = partOf(path) ?? "";
    const allowed = MAY_IMPORT[from] ?? [];
    return imports.filter((target) => isFile(target) && partOf(target) !== from)
      .filter((target) => !allowed.includes(partOf(target) ?? ""))
      .map((target) => `${path} imports ${target}: ${from} may import ${allowed.join(", ")}`);
  });

/** The core imports only the core, and has no clock, no randomness and no I/O of its own. */
export const coreIsPure: Rule = (files) =>
  files.filter(({ path }) => CORE.includes(partOf(path) ?? "")).flatMap(
    ({ path, code, imports }) => {
      const packages = imports.filter((target) => !isFile(target));
      const [effect] = EFFECTS.exec(code) ?? [];
      return [...packages, ...effect === undefined ? [] : [effect]]
        .map((thing) => `${path} uses ${thing}: the core is pure`);
    },
  );

/** Only a driver's own files know the driver, and another room never reaches for them. */
export const driversStayAtHome: Rule = (files) =>
  files.flatMap(({ path, imports }) =>
    imports.flatMap((target) => {
      const home = DRIVERS[target.split("/")[0] ?? ""];
      if (home !== undefined && !home.test(path)) return [`${path} imports the driver ${target}`];
      const elsewhere = partOf(target) !== partOf(path) && !target.startsWith("src/redis/") &&
        partOf(path) !== "cli" && Object.values(DRIVERS).some((files) => files.test(target));
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

/** The part of the house that a file belongs to. */
function partOf(path: string): string | undefined {
  const prefix = Object.keys(PARTS).find((each) => path.startsWith(each));
  return prefix === undefined || (prefix.endsWith(".ts") && path !== prefix)
    ? undefined
    : PARTS[prefix];
}
