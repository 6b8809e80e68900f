/** A program that a bug ends: `promise`, in one that no code catches, or else in a callback. */
import { configureLog } from "../../src/logging/log.ts";
import { crashOnUncaught } from "../../src/ops/crash.ts";

await configureLog(
  { logLevel: "info", logFormat: "json" },
  { nodeId: "0123456789abcdef", isTerminal: false },
);
crashOnUncaught();
if (Deno.args[0] === "promise") Promise.resolve().then(faulty);
else setTimeout(faulty, 0);

function faulty(): void {
  throw new Error("a bug\nof two lines");
}
