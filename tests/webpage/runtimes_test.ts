import { assertEquals } from "@std/assert";
import { Peer } from "./peer.ts";

const client = new URL("../../webpage/keywire.js", import.meta.url).href;

/** A program that prints the first message and closes: nothing may hold it then. */
const program = (url: string, options: string) => `
import { Keywire } from ${JSON.stringify(client)};
const keywire = new Keywire(${JSON.stringify(url)}, { key: "demo", ${options} });
keywire.addEventListener("message", ({ data }) => {
  console.log(keywire.transport, JSON.stringify(data));
  keywire.close();
});
`;

/** A program that closes as soon as it waits for the next attempt. */
const waiting = (url: string) => `
import { Keywire } from ${JSON.stringify(client)};
const keywire = new Keywire(${
  JSON.stringify(url)
}, { key: "demo", minDelayMs: 3600_000, maxDelayMs: 3600_000 });
keywire.addEventListener("state", ({ state }) => {
  console.log(state);
  if (state === "waiting") keywire.close();
});
`;

/** A program that closes in a listener, behind which a gap would be due a day later. */
const losing = (url: string) => `
import { Keywire } from ${JSON.stringify(client)};
const options = { key: "demo", cursor: "old", gapJitterMs: 86_400_000 };
const keywire = new Keywire(${JSON.stringify(url)}, options);
keywire.on("welcome", ({ lost }) => {
  console.log(...lost);
  keywire.close();
});
`;

async function run(command: string[], source: string): Promise<string> {
  const [name, ...args] = command;
  const child = new Deno.Command(name!, { args, stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(source));
  await writer.close();
  const { stdout, code } = await child.output();
  assertEquals(code, 0);
  return new TextDecoder().decode(stdout);
}

const DENO = [Deno.execPath(), "run", "-A", "--no-lock", "--ext=js", "-"];
const NODE = ["node", "--input-type=module", "-"];

for (const [name, command] of [["Deno", DENO], ["Node", NODE]] as const) {
  for (const transport of ["auto", "sse"]) {
    Deno.test(`Keywire hears in ${name} by ${transport}, and lets it exit once closed`, async () => {
      await using peer = new Peer();
      const output = run(command, program(peer.url, `transport: "${transport}"`));
      const line = await peer.line();
      line.say({ type: "message", cursor: "1", message: { n: 1 } });
      assertEquals(await output, `${line.transport} {"n":1}\n`);
    });
  }

  Deno.test(`Keywire lets ${name} exit when it is closed while it waits`, async () => {
    await using peer = new Peer();
    peer.refuse = () => new Response(null, { status: 503, headers: { "retry-after": "3600" } });
    assertEquals(await run(command, waiting(peer.url)), "waiting\nclosed\n");
  });

  Deno.test(`Keywire lets ${name} exit when a listener closes it before a gap is due`, async () => {
    await using peer = new Peer();
    peer.welcome = () => ({ type: "welcome", cursor: "c", recovered: false, lost: ["stream"] });
    assertEquals(await run(command, losing(peer.url)), "stream\n");
  });
}
