import { assert, assertEquals } from "@std/assert";
import { clientExamples } from "./examples.ts";

const root = new URL("../../", import.meta.url).pathname;
const TSC = "npm:typescript@5.9.3/tsc";

/** Runs a program and returns what it printed. */
async function run(cwd: string, program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, cwd }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(text.decode(stdout) + text.decode(stderr));
  return text.decode(stdout);
}

const deno = (...args: string[]) => run(root, Deno.execPath(), ...args);

Deno.test("The client's modules hold what their comments say of types", async () => {
  await deno("run", "-A", TSC, "--project", "tests/webpage/types.tsconfig.json");
});

Deno.test("keywire.d.ts declares what keywire.js has, and nothing else", async () => {
  const types = await Deno.readTextFile(`${root}/webpage/keywire.d.ts`);
  const declared = types.slice(types.indexOf("export class Keywire"))
    .matchAll(/^ {2}(?:get )?(\w+|\[Symbol\.dispose\])(?:<.*)?\(/gm);
  const members = new Set([...declared].map(([, name]) => name));
  const module = await import("../../webpage/keywire.js");
  const own = Reflect.ownKeys(module.Keywire.prototype)
    .map((key) => typeof key === "symbol" ? `[${key.description}]` : key);
  assertEquals(members, new Set([...own, "removeEventListener"]));
});

Deno.test("The client's package has the version of the gateway", async () => {
  const version = async (path: string) => JSON.parse(await Deno.readTextFile(root + path)).version;
  assertEquals(await version("webpage/package.json"), await version("deno.json"));
});

const CONSUMER = `
import { Keywire, type KeywireState } from "keywire";

const keywire = new Keywire("wss://push.example.com", { key: () => Promise.resolve("k") });
keywire.addEventListener("message", ({ data }) => {
  const message: Record<string, unknown> = data;
  console.log(message);
});
keywire.addEventListener("gap", ({ sources }) => {
  const lost: readonly ("channel" | "stream")[] = sources;
  console.log(lost);
});
keywire.addEventListener("close", ({ code, reason, retry }) => {
  const known: [number, string, boolean] = [code, reason, retry];
  console.log(known);
});
export const state: KeywireState = keywire.state;
keywire.close();
// @ts-expect-error -- a client without a key connects nowhere
new Keywire("wss://push.example.com", {});
// @ts-expect-error -- codes are numbers
keywire.addEventListener("close", ({ code }) => code.trim());
// @ts-expect-error -- there is no such event
keywire.addEventListener("mesage", () => {});
// @ts-expect-error -- nor by a message's type, as these messages have none
keywire.on("comment", () => {});

type Message = { type: "comment"; text: string } | { type: "like"; count: number };
const typed = new Keywire<Message>("/", { key: "k" });
const undo: () => void = typed.on("comment", ({ data, cursor }) => {
  const text: string = data.text;
  const position: string | undefined = cursor;
  console.log(text, position);
});
undo();
typed.on("message", ({ data }) => data.type === "like" ? data.count : data.text);
typed.once("like", ({ data }) => data.count.toFixed());
typed.on("error", ({ message, retry }) => [message.trim(), retry === false]);
typed.ready.then(({ recovered }) => recovered === true);
// @ts-expect-error -- no message has this name
typed.on("coment", () => {});
// @ts-expect-error -- a comment has no count
typed.on("comment", ({ data }) => data.count);

interface Order {
  readonly kind: "order";
  readonly id: number;
}
const byKind = new Keywire<Order, "kind">("/", { key: "k", typeMember: "kind" });
byKind.on("order", ({ data }) => data.id.toFixed());
// @ts-expect-error -- then the client must be told of it, too
new Keywire<Order, "kind">("/", { key: "k" });

const open = new Keywire<{ type: string; n: number }>("/", { key: "k" });
open.on("whatever", ({ data }) => data.n.toFixed());
open.on("gap", ({ sources }) => sources.length);
`;

/** The README's block for browsers, as a file of a project that installed the client. */
async function readmeExample(): Promise<string> {
  const readme = await Deno.readTextFile(`${root}/README.md`);
  const [, code] = /<script type="module">\n([\s\S]*?)<\/script>/.exec(readme) ?? [];
  const served = '"http://localhost:8088/keywire.js"';
  assert(code !== undefined && code.includes(served), "the README has no block for browsers");
  return code.replace(served, '"keywire"');
}

Deno.test("The client's package and its manual compile in a strict TypeScript project; Node imports it", async () => {
  const project = await Deno.makeTempDir();
  try {
    const packed = await run(
      root,
      "npm",
      "pack",
      "./webpage",
      "--json",
      "--pack-destination",
      project,
    );
    const [{ filename, files }] = JSON.parse(packed);
    assertEquals(files.map(({ path }: { path: string }) => path).sort(), [
      "LICENSE",
      "README.md",
      "keywire.d.ts",
      "keywire.js",
      "keywire_debug.js",
      "keywire_pool.js",
      "keywire_shared.js",
      "package.json",
      "react.d.ts",
      "react.js",
      "svelte.d.ts",
      "svelte.js",
      "vue.d.ts",
      "vue.js",
    ]);
    const home = `${project}/node_modules/keywire`;
    await Deno.mkdir(home, { recursive: true });
    await run(project, "tar", "-xzf", filename, "-C", home, "--strip-components=1");
    await Deno.writeTextFile(`${project}/package.json`, '{"type":"module"}');
    await Deno.writeTextFile(`${project}/consumer.ts`, CONSUMER);
    // Those of React and Vue want their types: `deno task test:package` compiles them.
    const examples = (await clientExamples()).filter(({ code }) => !/"(react|vue)"/.test(code));
    assert(examples.length >= 10, `${examples.length} examples`);
    for (const { name, code } of examples) await Deno.writeTextFile(`${project}/${name}`, code);
    await Deno.writeTextFile(`${project}/readme.tsx`, await readmeExample());
    const names = ["consumer.ts", "readme.tsx", ...examples.map(({ name }) => name)];
    for (const [module, moduleResolution] of [["esnext", "bundler"], ["nodenext", "nodenext"]]) {
      const compilerOptions = {
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        target: "es2022",
        lib: ["es2022", "dom", "dom.iterable"],
        types: [],
        module,
        moduleResolution,
        jsx: "preserve",
      };
      await Deno.writeTextFile(
        `${project}/tsconfig.json`,
        JSON.stringify({ compilerOptions, files: names }),
      );
      await deno("run", "-A", TSC, "--project", project);
    }
    // As on a server that renders pages: the import alone must do nothing, and hold nothing.
    const script = 'const { Keywire } = await import("keywire"); console.log(typeof Keywire);';
    assertEquals(await run(project, "node", "--input-type=module", "-e", script), "function\n");
  } finally {
    await Deno.remove(project, { recursive: true });
  }
});
