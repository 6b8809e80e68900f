/** A node that is nothing but a presence, in a process of its own: killed and frozen by a test. */
import { TextLineStream } from "./text_lines.ts";
import { openRedisPresence, QUICK } from "../support/presence.ts";

const [url, graceMs] = Deno.args;
const presence = openRedisPresence(url!, { timing: { ...QUICK, graceMs: Number(graceMs) } });
const say = (value: unknown) =>
  Deno.stdout.write(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
for await (
  const line of Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(
    new TextLineStream(),
  )
) {
  const [command, ...recipients] = line.split(" ");
  if (command === "add") presence.add(recipients);
  else if (command === "remove") presence.remove(recipients);
  else if (command === "nodes") await say((await presence.nodes().catch(() => [])).length);
  else if (command === "settled") await say(await presence.settled() ?? null);
  else if (command === "look") {
    await say(
      [...await presence.lookUp(recipients).catch(() => [])].map((
        [name, { sockets }],
      ) => [name, sockets]),
    );
  } else if (command === "leave") {
    await presence[Symbol.asyncDispose]();
    await say(null);
    Deno.exit(0);
  }
}
