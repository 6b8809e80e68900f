/** `deno task page-state`: a minute of pages that load their state and connect later, as a table. */
import { say } from "../support/say.ts";
import { pageState } from "./page_state.ts";

const { wrong, ...counts } = await pageState({
  people: 200,
  rate: 400,
  durationMs: 60_000,
  delayMs: 10_000,
  openMs: 10_000,
});
await say(wrong.slice(0, 20).join("\n"));
await say(
  ["| what | count |", "| --- | --- |"]
    .concat(
      Object.entries({ ...counts, wrong: wrong.length }).map(([what, n]) => `| ${what} | ${n} |`),
    )
    .join("\n"),
);
Deno.exit(wrong.length + counts.gaps === 0 ? 0 : 1);
