import { assert, assertEquals, assertMatch } from "@std/assert";
import config from "../deno.json" with { type: "json" };

const read = (path: string) => Deno.readTextFileSync(new URL(`../${path}`, import.meta.url));
const dockerfile = read("Dockerfile");

Deno.test("all that the image copies is let in by .dockerignore, and nothing else", () => {
  const copied = [...dockerfile.matchAll(/^COPY (?!--)(.*) \S+$/gm)].flatMap(([, paths]) =>
    paths!.split(" ")
  );
  const letIn = read(".dockerignore").trim().split("\n");
  assertEquals(letIn[0], "*");
  assertEquals(letIn.slice(1).sort(), copied.map((path) => `!${path}`).sort());
});

Deno.test("the image and CI have one version of Deno", () => {
  const [, version] = /^version=(\S+)$/m.exec(read(".ci/run")) ?? [];
  const from = /^FROM denoland\/deno:debian-([\d.]+)(?:@sha256:[0-9a-f]{64})?$/m;
  const [, tag] = from.exec(dockerfile) ?? [];
  assert(version !== undefined, ".ci/run names no version");
  assertEquals(tag, version);
});

Deno.test("the public CI names every action by its commit, which no later push changes", async () => {
  const { pathname: folder } = new URL("../.github/workflows", import.meta.url);
  for await (const { name } of Deno.readDir(folder)) {
    const uses = [...read(`.github/workflows/${name}`).matchAll(/uses: *(.*)$/gm)];
    assert(uses.length > 0, `${name} uses no action`);
    for (const [, action] of uses) assertMatch(action!, /^[\w/-]+@[0-9a-f]{40} # v\d/, name);
  }
});

Deno.test("SECURITY.md: every task that runs code takes the packages that deno.lock names", () => {
  assert(/every task runs\s+with `--frozen`/.test(read("SECURITY.md")));
  for (const [name, { command }] of Object.entries(config.tasks)) {
    const runs = [...command.matchAll(/\bdeno (?:run|test|check)\b[^&]*/g)].map(([run]) => run);
    assert(runs.length > 0 || name === "ok", `${name} runs nothing`);
    for (const run of runs) assert(run.includes(" --frozen "), `${name}: ${run}`);
  }
});
