import { assert, assertEquals } from "@std/assert";

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
  const [, tag] = /^FROM denoland\/deno:debian-(\S+)$/m.exec(dockerfile) ?? [];
  assert(version !== undefined, ".ci/run names no version");
  assertEquals(tag, version);
});
