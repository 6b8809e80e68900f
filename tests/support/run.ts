/**
 * Runs a command to its end.
 * @throws when it is not there or fails: the message ends with what it wrote to stderr.
 */
export async function run(
  [command, ...args]: readonly [string, ...string[]],
  options: { readonly cwd?: string; readonly env?: Record<string, string> } = {},
): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, {
    ...options,
    args,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return;
  throw new Error(`${command} ${args[0] ?? ""} failed:\n${new TextDecoder().decode(stderr)}`);
}

/** Whether the command is there and succeeds. */
export async function succeeds(...command: readonly [string, ...string[]]): Promise<boolean> {
  return await run(command).then(() => true, () => false);
}
