import { assertEquals, assertStringIncludes } from "@std/assert";
import * as rules from "./rules.ts";
import { parseSourceFile, readHouse } from "./source_file.ts";

const ROOT = new URL("../../", import.meta.url);

/** Files that break a rule, and what it says of them. Each is seen beside a house that is in order. */
const BROKEN: readonly (readonly [rules.Rule, string, string, string])[] = [
  [rules.everyFileHasARoom, "src/loose.ts", "a();", "src/loose.ts"],
  [rules.everyFileHasARoom, "src/attic/a.ts", "a();", "src/attic/a.ts"],
  [rules.importsRunOneWay, "src/core/a.ts", 'import { A } from "../bus/port.ts";', "src/bus"],
  [rules.importsRunOneWay, "src/core/a.ts", 'import "../settings/settings.ts";', "settings"],
  [rules.importsRunOneWay, "src/core/a.ts", 'export * from "../bus/port.ts";', "src/bus/port.ts"],
  [rules.importsRunOneWay, "src/core/a.ts", 'import "./history/window.ts";', "src/core/history"],
  [rules.importsRunOneWay, "src/core/history/a.ts", 'import "../delivery/hub.ts";', "delivery"],
  [rules.importsRunOneWay, "src/core/delivery/a.ts", 'import "../history/b.ts";', "history"],
  [rules.importsRunOneWay, "src/settings/a.ts", 'import {\n  A,\n} from "../bus/b.ts";', "src/bus"],
  [rules.importsRunOneWay, "src/redis/a.ts", 'import { A } from "../bus/port.ts";', "src/bus"],
  [rules.importsRunOneWay, "src/http/a.ts", 'import "../transports/port.ts";', "src/transports"],
  [rules.importsRunOneWay, "src/bus/a.ts", 'import "../presence/port.ts";', "src/presence"],
  [rules.importsRunOneWay, "src/bus/a.ts", 'await import("../gateway/mod.ts");', "src/gateway"],
  [rules.importsRunOneWay, "src/gateway/a.ts", 'import { A } from "../api/mod.ts";', "src/api"],
  [rules.importsRunOneWay, "src/api/a.ts", 'import { A } from "../app.ts";', "src/app.ts"],
  [rules.importsRunOneWay, "src/api/a.ts", 'import { A } from "../ops/mod.ts";', "src/ops"],
  [rules.importsRunOneWay, "src/ops/a.ts", 'import "../../main.ts";', "main.ts"],
  [rules.importsRunOneWay, "src/cli/a.ts", 'import "../gateway/mod.ts";', "src/gateway"],
  [rules.coreIsPure, "src/core/a.ts", 'import { z } from "zod";', "zod"],
  [rules.coreIsPure, "src/core/a.ts", 'import { b } from "node:crypto";', "node:crypto"],
  [rules.coreIsPure, "src/core/a.ts", "const now = Date.now();", "Date.now"],
  [rules.coreIsPure, "src/core/a.ts", "const now = new Date();", "new Date()"],
  [rules.coreIsPure, "src/core/a.ts", "queueMicrotask(f);", "queueMicrotask"],
  [rules.driversStayAtHome, "src/bus/other.ts", 'import { Redis } from "ioredis";', "ioredis"],
  [rules.driversStayAtHome, "src/bus/mongo.ts", 'import "npm:mongodb@7.9.0";', "mongodb"],
  [rules.driversStayAtHome, "src/ops/redis.ts", 'import a from "ioredis/built/a.js";', "ioredis"],
  [rules.driversStayAtHome, "src/presence/mongo.ts", 'import { M } from "mongodb";', "mongodb"],
  [
    rules.driversStayAtHome,
    "src/presence/a.ts",
    'import { A } from "../bus/redis.ts";',
    "mod.ts",
  ],
  [
    rules.importsRunInNoCircle,
    "src/core/b.ts",
    'import { A } from "./b.ts";',
    "b.ts → src/core/b.ts",
  ],
  [rules.nothingReachesOut, "src/bus/a.ts", 'new Deno.Command("ls");', "Deno.Command"],
  [rules.nothingReachesOut, "src/bus/a.ts", 'Deno.dlopen("a", {});', "Deno.dlopen"],
  [rules.nothingReachesOut, "src/bus/a.ts", "await Deno.openKv();", "Deno.openKv"],
  [rules.nothingReachesOut, "src/bus/a.ts", 'Deno.writeTextFileSync("a", "");', "Deno.writeText"],
  [rules.nothingReachesOut, "src/bus/a.ts", "const { Command } = Deno;", "Deno"],
  [rules.nothingReachesOut, "src/bus/a.ts", 'import fs from "node:fs/promises";', "node:fs"],
  [rules.filesAreSmall, "src/bus/a.ts", "a();\n".repeat(251), "251 lines"],
  [rules.exportsAreDocumented, "src/bus/a.ts", "export async function a() {}", "a without"],
  [rules.exportsAreDocumented, "src/bus/a.ts", "/** A. */\n\nexport const a = 1;", "a without"],
  [rules.filesAreNamedAfterTheirExport, "src/bus/b.ts", "export const a = 1;", "src/bus/b.ts"],
];

const ORDERLY = [
  parseSourceFile("main.ts", 'import { createApp } from "./src/app.ts";'),
  parseSourceFile(
    "src/app.ts",
    'import { Gateway } from "./gateway/gateway.ts";\nexport interface AppOptions {}',
  ),
  parseSourceFile(
    "src/gateway/gateway.ts",
    'import type { Bus } from "../bus/port.ts";\n/** G. */\nexport class Gateway {}',
  ),
  parseSourceFile(
    "src/bus/redis.ts",
    [
      'import { Redis } from "ioredis";',
      'import { Hub } from "../core/hub.ts";',
      "",
      "/** On Redis: `Deno.Command` is a word here. */",
      "export class RedisBus {}",
    ].join("\n"),
  ),
  parseSourceFile(
    "src/core/hub.ts",
    [
      'import { Queue } from "./queue.ts";',
      "",
      "/**",
      " * @example",
      " * ```ts",
      ' * import { assertEquals } from "@std/assert";',
      " * ```",
      " */",
      "// deno-lint-ignore no-explicit-any",
      "export class Hub {}",
    ].join("\n"),
  ),
  parseSourceFile("src/core/queue.ts", "/** A queue. */\nexport class Queue {}"),
];

const said = (rule: rules.Rule) =>
  rule.name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

for (const rule of Object.values(rules)) {
  Deno.test(`the house holds: ${said(rule)}`, () => {
    assertEquals(rule(readHouse(ROOT)), []);
  });

  Deno.test(`a broken house is found out: ${said(rule)}`, () => {
    assertEquals(rule(ORDERLY), []);
    const cases = BROKEN.filter(([each]) => each === rule);
    assertEquals(cases.length > 0, true, "there is no case that breaks this rule");
    for (const [, path, text, expected] of cases) {
      const others = ORDERLY.filter((file) => file.path !== path);
      const complaints = rule([...others, parseSourceFile(path, text)]);
      assertEquals(complaints.length, 1, `${path}: ${text}\n${complaints.join("\n")}`);
      assertStringIncludes(complaints[0]!, expected);
    }
  });
}

Deno.test("a circle over several files is found once", () => {
  const files = [
    parseSourceFile("src/core/a.ts", 'import { B } from "./b.ts";'),
    parseSourceFile("src/core/b.ts", 'import type { C } from "./c.ts";'),
    parseSourceFile("src/core/c.ts", 'export { A } from "./a.ts";'),
  ];
  assertEquals(rules.importsRunInNoCircle(files), [
    "src/core/a.ts → src/core/b.ts → src/core/c.ts → src/core/a.ts",
  ]);
});

Deno.test("the imports that are found are those that the compiler finds", async () => {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "main.ts"],
    cwd: ROOT,
  }).output();
  assertEquals(code, 0);
  const graph = JSON.parse(new TextDecoder().decode(stdout)) as {
    modules: { specifier: string; dependencies?: { specifier: string }[] }[];
  };
  const house = new Map(readHouse(ROOT).map((file) => [file.path, file.imports]));
  for (const { specifier, dependencies = [] } of graph.modules) {
    if (!specifier.startsWith(`${ROOT.href}src/`) || !specifier.endsWith(".ts")) continue;
    const path = specifier.slice(ROOT.href.length);
    const wanted = parseSourceFile(
      path,
      dependencies.map((each) => `import "${each.specifier}";`).join("\n"),
    );
    const missed = wanted.imports.filter((target) => !house.get(path)?.includes(target));
    assertEquals(missed, [], path);
  }
});
