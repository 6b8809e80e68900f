import { assert, assertEquals } from "@std/assert";
import { pageState } from "./page_state.ts";

Deno.test("a page: state and listening have no race, though nodes are killed between both", async () => {
  const result = await pageState({
    people: 40,
    rate: 200,
    durationMs: 1_500,
    delayMs: 700,
    openMs: 500,
  });
  assertEquals({ wrong: result.wrong, gaps: result.gaps }, { wrong: [], gaps: 0 });
  assert(result.betweenChanges > 0, "nothing changed between state and connection");
});
