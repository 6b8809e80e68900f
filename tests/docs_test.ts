/** The pages of the repository: their links lead somewhere, and the files that they name exist. */
import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

/** Every Markdown file that people read, from the root of the repository. */
async function pages(folder = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder || ".", ROOT))) {
    if (["node_modules", ".venv", ".git"].includes(name)) continue;
    if (isDirectory) found.push(...await pages(`${folder}${name}/`));
    else if (name.endsWith(".md")) found.push(folder + name);
  }
  return found;
}

/** The names that GitHub gives the headings of a page. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").trim().replaceAll(" ", "-")
  );
}

const exists = (url: URL) => Deno.stat(url).then(() => true, () => false);

Deno.test("docs: every relative link leads to a page, and to a heading that it has", async () => {
  const broken: string[] = [];
  let links = 0;
  for (const path of await pages()) {
    const here = new URL(path, ROOT);
    const text = await Deno.readTextFile(here);
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue;
      links++;
      const [file = "", anchor] = target!.split("#");
      const url = new URL(file === "" ? here : file, here);
      if (!await exists(url)) broken.push(`${path}: ${target}`);
      else if (anchor !== undefined && url.pathname.endsWith(".md")) {
        const anchors = anchorsOf(await Deno.readTextFile(url));
        if (!anchors.includes(anchor)) broken.push(`${path}: ${target} (no such heading)`);
      }
    }
  }
  assert(links > 30, `only ${links} links were found`);
  assertEquals(broken, []);
});

Deno.test("docs/architecture.md: every file and folder that it names is there", async () => {
  const text = await Deno.readTextFile(new URL("docs/architecture.md", ROOT));
  const names = [...text.matchAll(/`((?:src|tests|docs)\/[\w/.]*)`/g)].map(([, name]) => name!);
  assert(names.length > 40, `only ${names.length} names were found`);
  const missing: string[] = [];
  for (const name of new Set(names)) if (!await exists(new URL(name, ROOT))) missing.push(name);
  assertEquals(missing, []);
});

Deno.test("docs/architecture.md: has a row for each room", async () => {
  const text = await Deno.readTextFile(new URL("docs/architecture.md", ROOT));
  for await (const { name, isDirectory } of Deno.readDir(new URL("src/", ROOT))) {
    const room = `| \`src/${name}${isDirectory ? "/" : ""}\``;
    assert(text.includes(room), `${room} is missing`);
  }
});

Deno.test("docs/architecture.md: a message's way goes from the bus through the gateway into the core, and never back", async () => {
  const text = await Deno.readTextFile(new URL("docs/architecture.md", ROOT));
  const [way = ""] = /## A message's way[\s\S]*?(?=\n## )/.exec(text) ?? [];
  const steps = way.split(/^\d+\. /m).slice(1).map((step) => /`(src\/[\w/.]+)`/.exec(step)?.[1]);
  assert(steps.length >= 9 && steps.every((step) => step !== undefined), steps.join(" "));
  // Deeper rooms know nothing of those before them: none of these imports goes back.
  const rank = (path: string) =>
    path.startsWith("src/core/") ? 2 : path.startsWith("src/gateway/") ? 1 : 0;
  for (let at = 1; at < steps.length - 1; at++) {
    assert(rank(steps[at]!) >= rank(steps[at - 1]!), `${steps[at - 1]} → ${steps[at]}`);
  }
});
