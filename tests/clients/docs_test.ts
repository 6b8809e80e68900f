/** docs/clients.md says what `deno task clients` drives. */
import { assertEquals } from "@std/assert";
import { CLIENTS, PINS, versionOf } from "./client.ts";
import { readRows } from "./results_page.ts";

const HERE = new URL(".", import.meta.url);

/** Without white space, by which a program may break a line that the page has on one. */
const squeezed = (text: string) => text.replaceAll(/\s/g, "");

Deno.test("docs/clients.md: has a row for each client, which leads to its program and has a line of it", async () => {
  const rows = await readRows("client");
  const wrong: string[] = [];
  for (const { name, program } of CLIENTS) {
    const link = `[${name}](../tests/clients/${program})`;
    const [, line = ""] = rows.find(([first]) => first === link) ?? [];
    const code = /^(`+)(.*)\1$/.exec(line)?.[2];
    if (line === "none") continue;
    const source = await Deno.readTextFile(new URL(program, HERE));
    if (code === undefined || !squeezed(source).includes(squeezed(code))) {
      wrong.push(`${name}: ${line}`);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("docs/clients.md: its table of results has the clients and the versions that are driven", async () => {
  const rows = await readRows("tried");
  assertEquals(
    rows.map(([name]) => name),
    CLIENTS.map((client) => `${client.name} ${versionOf(client)}`.trim()),
  );
});

Deno.test("CLIENTS: each version is pinned in the file beside the programs", async () => {
  const wrong: string[] = [];
  for (const { name, ecosystem, pinned } of CLIENTS) {
    const pins = await Deno.readTextFile(new URL(PINS[ecosystem], HERE));
    if (pinned !== "JDK" && !pins.includes(pinned)) wrong.push(`${name}: ${pinned}`);
  }
  assertEquals(wrong, []);
});
