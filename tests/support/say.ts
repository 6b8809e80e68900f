/** Writes a line to stderr, for the person who runs the tests. */
export async function say(text: string): Promise<void> {
  await Deno.stderr.write(new TextEncoder().encode(`${text}\n`));
}
