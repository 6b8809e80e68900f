import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { pasteableJson, shellWord } from "../../../webpage/page/shell_word.js";

Deno.test("shellWord: a shell reads each text as it is, in one word", async () => {
  const character = fc.constantFrom(..."'\"\\$`!*?~#&|;<>(){}[] \t\n-=%ab1é😀".split(/(?:)/u));
  const samples = fc.sample(fc.array(character).map((all) => all.join("")), 300)
    .filter((text) => !text.includes("\0"));
  const texts = ["", "-n", "a b", "$(touch x)", "it's", "~", "http://h:1/a?b=c&d", ...samples];
  const script = `printf '%s\\0' ${texts.map(shellWord).join(" ")}`;
  const { stdout } = await new Deno.Command("sh", { args: ["-c", script] }).output();
  assertEquals(new TextDecoder().decode(stdout).split("\0").slice(0, -1), texts);
});

Deno.test("shellWord: leaves a plain word as people would write it", () => {
  assertEquals(shellWord("my_channel"), "my_channel");
  assertEquals(shellWord("http://localhost:8088/api/publish"), "http://localhost:8088/api/publish");
});

Deno.test("pasteableJson: means the same, on one line that no terminal obeys", () => {
  const text = fc.string({ unit: "binary" }).map((value) =>
    JSON.stringify({ [value]: value }, null, 1)
  );
  fc.assert(fc.property(text, (json) => {
    const pasteable = pasteableJson(json);
    assertEquals(JSON.parse(pasteable), JSON.parse(json));
    assert(!/[\p{Cc}\u2028-\u202e\u2066-\u2069]/u.test(pasteable));
  }));
});
