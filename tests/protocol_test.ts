/** docs/protocol.md and docs/api.md say what the gateway does: transcripts and tables. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { CLOSE } from "../src/core/close_codes.ts";
import { REFUSED } from "../src/http/refusals.ts";
import { startKeywire } from "./support/gateway.ts";
import { blocksOf } from "./support/markdown.ts";
import { replayTranscript } from "./support/transcript.ts";

const read = (path: string) => Deno.readTextFileSync(new URL(`../${path}`, import.meta.url));
const page = read("docs/protocol.md");
const transcriptsOf = (markdown: string) =>
  blocksOf(markdown).filter(({ language }) => language === "transcript");
const transcripts = transcriptsOf(page);

for (const [path, least] of [["docs/protocol.md", 10], ["docs/api.md", 4]] as const) {
  Deno.test(`${path}: every transcript is what happens`, async (t) => {
    const all = transcriptsOf(read(path));
    assert(all.length >= least, `only ${all.length} transcripts were found`);
    for (const { code, line } of all) {
      const [first] = code.split("\n");
      await t.step(`line ${line}: ${first}`, async () => {
        await using gateway = await startKeywire();
        await replayTranscript(code, gateway);
      });
    }
  });
}

Deno.test("replayTranscript: a line that does not come, another, or one more fails", async (t) => {
  const [first] = transcripts;
  await using gateway = await startKeywire();
  for (
    const [what, change] of Object.entries({
      "another text": (text: string) => text.replace('"n":1}}', '"n":2}}'),
      "a cursor that moved": (text: string) => text.replaceAll("001-0~n1", "000-0~n1"),
      "a line too few": (text: string) => text.replace(/< .*"n":1.*\n/, ""),
    })
  ) {
    await t.step(what, async () => {
      const changed = change(first!.code);
      assert(changed !== first!.code);
      await assertRejects(() => replayTranscript(changed, gateway));
    });
  }
});

Deno.test("docs/protocol.md: the table of close codes is that of the code", () => {
  const rows = [...page.matchAll(/^\| (\d{4}) +\| `([^`]+)`[^|]*\| ([^|]*?) *\|$/gm)].map((
    [, code, reason, retry],
  ) => [Number(code), reason, retry]);
  const expected = Object.values(CLOSE).map((
    { code, reason, retry },
  ) => [code, reason, retry as string]).sort();
  assertEquals(
    rows.map(([code, reason, retry]) => [code, reason, String(retry).split(",")[0]]).sort(),
    expected,
  );
});

Deno.test("docs/protocol.md: the table of refusals names every status that there is", () => {
  const [table = ""] = /## Refusals[\s\S]*?```/.exec(page) ?? [];
  const named = new Set([...table.matchAll(/^\| (\d{3}) /gm)].map(([, status]) => Number(status)));
  const statuses = new Set<number>(Object.values(REFUSED).map(({ status }) => status));
  assertEquals([...named].sort(), [...statuses].sort());
});
