import { assert, assertEquals } from "@std/assert";
import { type AskedPresence, lookUpAudiences } from "../../src/api/audience.ts";
import { PresenceUnavailable, type RecipientPresence } from "../../src/presence/port.ts";

const HERE: RecipientPresence = { sockets: 1 };

/** Names that no client uses, the first of which is `<prefix>0`. */
function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${prefix}${at}`);
}

/** A presence where those are there whose names end with 0. It notes how many names it is asked at once. */
function presenceOf(asked: number[], wait: () => Promise<void> = async () => {}): AskedPresence {
  return {
    async lookUp(recipients) {
      asked.push(recipients.length);
      await wait();
      return new Map(recipients.filter((it) => it.endsWith("0")).map((it) => [it, HERE]));
    },
    size: () => Promise.resolve(7),
  };
}

Deno.test("lookUpAudiences: tells of each message, and asks for a name once", async () => {
  const asked: number[] = [];
  const audiences = await lookUpAudiences(presenceOf(asked), [
    { recipients: ["a0", "b", "a0"] },
    { recipients: "*" },
    { recipients: [] },
    { recipients: ["b", "c0"] },
  ]);
  assertEquals(audiences, [
    { online: 1, offline: ["b"] },
    { online: 7 },
    { online: 0, offline: [] },
    { online: 1, offline: ["b"] },
  ]);
  assertEquals(asked, [3]);
});

Deno.test("lookUpAudiences: asks for many names in parts, and lets others have their turn", async () => {
  const asked: number[] = [];
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  const messages = Array.from({ length: 30 }, (_, at) => ({ recipients: names(`${at}-`, 20_000) }));
  const audiences = await lookUpAudiences(presenceOf(asked), messages);
  clearInterval(timer);
  assert(asked.every((count) => count <= 500), `${Math.max(...asked)} names at once`);
  // On a busy machine it may be late, and leaves out what it does not know.
  for (const { online } of audiences) assert(online === undefined || online === 2_000, `${online}`);
  assert(turns >= 3, `${turns} turns of the event loop`);
});

Deno.test("lookUpAudiences: past the deadline it asks for no more names", async () => {
  const asked: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const messages = [{ recipients: names("n", 5_000) }, { recipients: "*" as const }];
  const audiences = await lookUpAudiences(presenceOf(asked, () => promise), messages);
  assertEquals(audiences, [{}, { online: 7 }]);
  resolve();
  await new Promise((done) => setTimeout(done, 100)); // Another question would come at once.
  assertEquals(asked, [500]);
});

Deno.test("lookUpAudiences: leaves out what presence does not know", async () => {
  const fails = () => Promise.reject(new PresenceUnavailable("not known"));
  const presence = { lookUp: fails, size: fails };
  const messages = [{ recipients: ["a"] }, { recipients: "*" as const }];
  assertEquals(await lookUpAudiences(presence, messages), [{}, {}]);
});
