/** What promtool says of something, and whether it is content. */
export interface PromtoolVerdict {
  readonly isGood: boolean;
  /** All that it wrote. */
  readonly text: string;
}

/** Runs Prometheus' own checker with `args`, and `input` as its standard input. */
export async function promtool(args: readonly string[], input = ""): Promise<PromtoolVerdict> {
  const child = new Deno.Command("promtool", {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout) + decoder.decode(stderr);
  // Of what is merely unusual it writes without failing.
  return { isGood: success && (args[1] !== "metrics" || text === ""), text };
}
