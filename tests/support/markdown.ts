/** A fenced block of code in a Markdown text. */
export interface MarkdownBlock {
  /** What stands behind the fence, empty where nothing does. */
  readonly language: string;
  readonly code: string;
  /** The line of its fence, from 1. */
  readonly line: number;
}

/** The fenced blocks of a Markdown text, in order. */
export function blocksOf(markdown: string): MarkdownBlock[] {
  return [...markdown.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    language: match[1]!,
    code: match[2]!,
    line: markdown.slice(0, match.index).split("\n").length,
  }));
}

/** A page of the repository, whose blocks are taken one by one, so that none is forgotten. */
export class MarkdownPage {
  readonly #path: string;
  readonly #blocks: MarkdownBlock[];

  constructor(path: string) {
    this.#path = path;
    this.#blocks = blocksOf(Deno.readTextFileSync(new URL(`../../${path}`, import.meta.url)));
  }

  /**
   * Takes the first block of `language` that holds `text`.
   * @throws when there is none
   */
  take(language: string, text = ""): string {
    const at = this.#blocks.findIndex((block) =>
      block.language === language && block.code.includes(text)
    );
    if (at === -1) throw new Error(`${this.#path} has no ${language} block with ${text}`);
    return this.#blocks.splice(at, 1)[0]!.code;
  }

  /** What was not taken of the blocks with a language. */
  get left(): readonly MarkdownBlock[] {
    return this.#blocks.filter(({ language }) => language !== "");
  }
}
