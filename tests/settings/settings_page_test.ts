/** The table of docs/settings.md says what src/settings does. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { InvalidSetting, readSettings } from "../../src/settings/settings.ts";

const page = Deno.readTextFileSync(new URL("../../docs/settings.md", import.meta.url));

/** The rows of the table: name, default and values, as they are written. */
const rows = new Map(
  [...page.matchAll(/^\| `([A-Z_]+)`\s*\|([^|]*)\|([^|]*)\|/gm)].map((
    [, name, defaultText, values],
  ) => [name!, { defaultText: defaultText!.trim(), values: values!.trim() }]),
);

/** The settings of an environment that holds nothing but `env`. */
function read(env: Readonly<Record<string, string>> = {}) {
  return readSettings((name) => env[name]);
}

Deno.test("docs/settings.md: has a row for each setting that the code reads, and no other", () => {
  const names = new Set<string>();
  readSettings((name) => {
    names.add(name);
    return undefined;
  });
  assert(names.size > 30, `only ${names.size} settings were read`);
  assertEquals([...rows.keys()].sort(), [...names].sort());
});

Deno.test("docs/settings.md: the defaults are those of the code", () => {
  let compared = 0;
  for (const [name, { defaultText }] of rows) {
    const [, value] = /^`([^`]*)`/.exec(defaultText) ?? [];
    if (value === undefined) {
      assert(/^(unset|the key field)/.test(defaultText), `${name}: ${defaultText}`);
      continue;
    }
    const { logFormat: _format, ...expected } = read({ HOST: "0.0.0.0", DEMO: "1" });
    const { logFormat: _other, ...settings } = read({
      HOST: "0.0.0.0",
      DEMO: "1",
      ...name === "DEMO" ? {} : { [name]: value },
    });
    assertEquals(settings, expected, name);
    compared++;
  }
  assertEquals([read().demo, read().host], [false, "127.0.0.1"]);
  assert(compared > 25, `only ${compared} defaults were compared`);
});

Deno.test("docs/settings.md: the bounds are those of the code", () => {
  let compared = 0;
  for (const [name, { values }] of rows) {
    const [, from, to] = /^(\d+) to (\d+)$/.exec(values) ?? [];
    if (from === undefined || to === undefined) continue;
    for (const allowed of [from, to]) {
      const more = name === "MAX_MESSAGE_BYTES" ? { MAX_BUFFERED_BYTES: "1073741824" } : {};
      read({ ...more, [name]: allowed });
    }
    for (const wrong of [Number(from) - 1, Number(to) + 1]) {
      assertThrows(() => read({ [name]: `${wrong}` }), InvalidSetting, name);
    }
    compared++;
  }
  assert(compared >= 12, `only ${compared} bounds were compared`);
});

Deno.test("docs/settings.md: the choices are those of the code", () => {
  for (const name of ["DEMO", "REUSE_PORT", "REBALANCE", "LOG_LEVEL", "LOG_FORMAT"]) {
    const choices = [...rows.get(name)!.values.matchAll(/`([^`]+)`/g)].map(([, choice]) => choice!);
    const needed = name === "REUSE_PORT" ? { INTERNAL_PORT: "1", REDIS_URL: "redis://redis" } : {};
    for (const choice of choices) read({ ...needed, [name]: choice });
    const error = assertThrows(() => read({ [name]: "none" }), InvalidSetting);
    for (const choice of choices) assert(error.message.includes(choice), `${name}: ${choice}`);
    assertEquals(error.message.match(/ or |, /g)?.length, choices.length - 1, error.message);
  }
});
