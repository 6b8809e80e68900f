/** The least that Redis must permit, as SECURITY.md says, for tests to run under. */
import type { RedisServer } from "./redis.ts";

/** The rules of the one user for all nodes, as `ACL SETUSER` takes them. */
export async function readLeastAcl(): Promise<readonly string[]> {
  const text = await Deno.readTextFile(new URL("../../SECURITY.md", import.meta.url));
  const rules = /ACL SETUSER keywire on '>password' ([^`]+?)\s*```/.exec(text)?.[1];
  if (rules === undefined) throw new Error("SECURITY.md has no ACL SETUSER");
  return rules.replaceAll("\\\n", " ").replaceAll("'", "").trim().split(/\s+/);
}

/** Makes that user on `server`, with more or other rules behind it. Returns the URL to connect with. */
export async function addLeastUser(
  server: RedisServer,
  ...more: readonly string[]
): Promise<string> {
  const rules = [...await readLeastAcl(), ...more];
  await server.tell("ACL", "SETUSER", "keywire", "on", ">password", ...rules);
  return server.url.replace("//", "//keywire:password@");
}

/** What the server denied to that user so far, by the name of the command, channel or key. */
export async function deniedToLeastUser(server: RedisServer): Promise<readonly string[]> {
  const lines = (await server.tell("ACL", "LOG")).split("\r\n");
  return lines.flatMap((line, at) => line === "object" ? [lines[at + 2] ?? ""] : []);
}
