/** A request that curl holds open, from an address of one's choice: Deno cannot choose it. */
export interface HeldRequest extends AsyncDisposable {
  /** The status of the answer. */
  readonly status: number;
}

/** Sends a GET from the local address `from`, and returns once the status is there. */
export async function openFrom(
  from: string,
  url: string,
  headers: readonly string[] = [],
): Promise<HeldRequest> {
  const child = new Deno.Command("curl", {
    args: [
      ...["--silent", "--no-buffer", "--include", "--max-time", "30", "--interface", from],
      ...headers.flatMap((header) => ["--header", header]),
      url,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!/^HTTP\S+ \d{3}/.test(text)) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
  }
  return {
    status: Number(/^HTTP\S+ (\d{3})/.exec(text)?.[1]),
    async [Symbol.asyncDispose]() {
      await reader.cancel();
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended by itself.
      }
      await child.status;
    },
  };
}
