/** A program that is to end by a deadline, and has work that never ends. */
import { exitBy, lastWords } from "../../src/ops/stop.ts";

exitBy(Number(Deno.args[0]));
setInterval(() => {}, 10);
await lastWords([]);
await new Promise(() => {});
