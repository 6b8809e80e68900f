import { assert, assertEquals, assertMatch } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { startMongodb } from "../support/mongodb.ts";
import { TestCollection } from "../keystores/collection.ts";

/** Runs `deno task add-key` with nothing else of this environment than Deno needs. */
async function addKey(env: Record<string, string>, ...args: string[]) {
  const [, ...command] = config.tasks["add-key"].command.split(" ");
  const inherited = ["HOME", "PATH", "DENO_DIR"].flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...command.filter((word) => word !== "--frozen"), ...args],
    cwd: new URL("../../", import.meta.url),
    clearEnv: true,
    env: { ...Object.fromEntries(inherited), ...env },
  }).output();
  const text = new TextDecoder();
  return { success, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

Deno.test("deno task add-key prints a new key that may connect for 30 days", async () => {
  await using server = await startMongodb();
  await using keys = new TestCollection(server.url);
  const { url, database, collection } = keys.options();
  const env = {
    MONGODB_URL: url,
    MONGODB_DATABASE: database,
    MONGODB_COLLECTION: collection,
    MONGODB_RECIPIENT_FIELD: "user",
    MONGODB_EXPIRES_FIELD: "until",
  };
  const { stdout, stderr } = await addKey(env, "user:42");
  assertMatch(stdout, /^[A-Za-z0-9_-]{32}\n$/, stderr);
  const [document] = await keys.documents();
  assertEquals(document?.["user"], "user:42");
  const days = (document?.["until"] - Date.now()) / 86_400_000;
  assert(days > 29.9 && days <= 30, `${days} days`);
  await using store = keys.store({ recipientField: "user", expiresField: "until" });
  const key = stdout.trim();
  assertEquals(
    [...await store.find([key], AbortSignal.timeout(10_000))],
    [[key, ["user:42"]]],
  );
});

Deno.test("deno task add-key says in one line what is wrong", async () => {
  const runs = await Promise.all([
    addKey({}),
    addKey({ MONGODB_URL: "mongodb://127.0.0.1:1/" }, "user:42"),
    addKey({ MONGODB_URL: "mongodb://127.0.0.1:1/" }, "--days", "none"),
  ]);
  for (const [i, word] of ["MONGODB_URL", "recipient", "--days"].entries()) {
    const { success, stdout, stderr } = runs[i]!;
    assert(!success);
    assertEquals(stdout, "");
    assertMatch(stderr, new RegExp(`^[^\n]*${word}[^\n]*\n$`));
  }
});

Deno.test("deno task add-key --help prints how it is used, without a server", async () => {
  const { success, stdout, stderr } = await addKey({}, "--help");
  assertEquals([success, stderr], [true, ""]);
  for (const word of ["add-key [recipient]", "--key", "--days", "MONGODB_URL"]) {
    assert(stdout.includes(word), word);
  }
});
