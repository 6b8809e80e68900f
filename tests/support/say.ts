/** Tells whoever runs the tests, on a line of stderr. */
export async function say(text: string): Promise<void> {
  await Deno.stderr.write(new TextEncoder().encode(`${text}\n`));
}
