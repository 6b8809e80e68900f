import { blocksOf } from "../support/markdown.ts";

/** An example of a page of docs, as a module of its own. */
export interface Example {
  /** `12.tsx`: the line that it begins in, and its language. */
  readonly name: string;
  readonly code: string;
}

/** The examples of docs/client.md that are TypeScript. */
export async function clientExamples(): Promise<Example[]> {
  const page = new URL("../../docs/client.md", import.meta.url);
  return blocksOf(await Deno.readTextFile(page))
    .filter(({ language }) => /^tsx?$/.test(language))
    .map(({ line, language, code }) => ({ name: `${line}.${language}`, code }));
}
