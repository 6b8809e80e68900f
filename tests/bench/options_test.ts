import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { readOptions, USAGE } from "./options.ts";
import { SCENARIO_NAMES } from "./scenario.ts";

Deno.test("readOptions() takes the default subjects, or those that are named", () => {
  const names = (args: string[]) => readOptions(args)!.subjects.map(({ name }) => name);
  assertEquals(names([]).includes("bun"), false);
  assertEquals(names(["--all"]).includes("bun"), true);
  assertEquals(names(["--subject", "bare,bun"]), ["bare", "bun"]);
});

Deno.test("readOptions() refuses what it does not know, and says what there is", () => {
  assertThrows(() => readOptions(["--scenario", "topics"]), Error, "is none of topic, list");
  assertThrows(() => readOptions(["--rounds", "0"]), Error, "--rounds");
});

Deno.test("readOptions(): --help asks for the usage, which names every scenario", () => {
  assertEquals(readOptions(["--help", "--rounds", "0"]), undefined);
  for (const name of SCENARIO_NAMES) assertStringIncludes(USAGE, name);
});
