import { assertEquals } from "@std/assert";

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

Deno.test("keywire.d.ts is what `deno task types` makes of keywire.js", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const project = "tests/webpage/types.tsconfig.json";
    await deno("run", "-A", TSC, "--project", project, "--outDir", directory);
    await deno("fmt", "--config", "deno.json", `${directory}/keywire.d.ts`);
    assertEquals(
      await Deno.readTextFile(`${root}/webpage/keywire.d.ts`),
      await Deno.readTextFile(`${directory}/keywire.d.ts`),
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
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
`;

Deno.test("The client's package imports into a strict TypeScript project, and into Node", async () => {
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
      "keywire.d.ts",
      "keywire.js",
      "package.json",
    ]);
    const home = `${project}/node_modules/keywire`;
    await Deno.mkdir(home, { recursive: true });
    await run(project, "tar", "-xzf", filename, "-C", home, "--strip-components=1");
    await Deno.writeTextFile(`${project}/package.json`, '{"type":"module"}');
    await Deno.writeTextFile(`${project}/consumer.ts`, CONSUMER);
    for (const [module, moduleResolution] of [["esnext", "bundler"], ["nodenext", "nodenext"]]) {
      const compilerOptions = {
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        target: "es2022",
        lib: ["es2022", "dom"],
        types: [],
        module,
        moduleResolution,
      };
      await Deno.writeTextFile(
        `${project}/tsconfig.json`,
        JSON.stringify({ compilerOptions, files: ["consumer.ts"] }),
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
