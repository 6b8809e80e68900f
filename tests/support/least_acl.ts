/**
 * The rules of the Redis user that SECURITY.md documents, for `ACL SETUSER <name>`: tests run as a
 * user who may do no more.
 */
export async function leastAcl(): Promise<string[]> {
  const text = await Deno.readTextFile(new URL("../../SECURITY.md", import.meta.url));
  const rules = /ACL SETUSER keywire on '>password' ([^`]+?)\s*```/.exec(text)?.[1];
  if (rules === undefined) throw new Error("SECURITY.md documents no ACL");
  const words = rules.replaceAll("\\\n", " ").replaceAll("'", "").trim().split(/\s+/);
  return ["on", ">password", ...words];
}
