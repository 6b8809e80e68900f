import { assert } from "@std/assert";
import { gzipSync } from "node:zlib";

const ROOT = new URL("../../", import.meta.url).pathname;

/**
 * What a page loads to connect: keywire.js alone. What `debug` and `shared` load beside it does not
 * count, as a page that does not ask for it does not get it.
 */
const BUDGET = 5_000;

Deno.test("keywire.js has at most 5,000 bytes, minified by esbuild and compressed by gzip -9", async () => {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "npm:esbuild@0.25.0", "webpage/keywire.js", "--minify", "--format=esm"],
    cwd: ROOT,
  });
  const { success, stdout, stderr } = await command.output();
  assert(success, new TextDecoder().decode(stderr));
  const { length } = gzipSync(stdout, { level: 9 });
  assert(length <= BUDGET, `it has ${length}`);
});
