import { assert, assertEquals } from "@std/assert";
import { type BlockedWriter, WriteRetries } from "../../src/gateway/write_retries.ts";
import { waitFor } from "../support/wait.ts";

/** A connection with `pieces` to send, of which each try takes one, or none. */
class Client implements BlockedWriter {
  sent = 0;
  tries = 0;
  readonly #retries: WriteRetries;
  readonly #pieces: number;
  readonly #reads: boolean;

  constructor(retries: WriteRetries, pieces: number, reads: boolean) {
    this.#retries = retries;
    this.#pieces = pieces;
    this.#reads = reads;
    retries.add(this);
  }

  drain(): void {
    this.tries++;
    if (this.#reads) this.sent++;
    if (this.sent < this.#pieces) this.#retries.add(this);
  }
}

Deno.test("WriteRetries gives one that reads its next piece soon, whoever else does not read", async () => {
  using retries = new WriteRetries();
  const stalled = new Client(retries, 1, false);
  await new Promise((resolve) => setTimeout(resolve, 300)); // long enough for the longest wait
  const reader = new Client(retries, 100, true);
  const start = performance.now();
  await waitFor("all pieces", () => reader.sent === 100);
  const took = performance.now() - start;
  assert(took < 1_000, `it took ${took} ms`); // with the longest wait each it would be 5 s
  assertEquals(stalled.sent, 0);
});

Deno.test("WriteRetries asks seldom while nobody reads, and not at all once nobody waits", async () => {
  using retries = new WriteRetries();
  const stalled = new Client(retries, 1, false);
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert(stalled.tries >= 5 && stalled.tries <= 20, `${stalled.tries} tries`);
  retries.delete(stalled);
  const { tries } = stalled;
  await new Promise((resolve) => setTimeout(resolve, 120));
  assertEquals(stalled.tries, tries);
});
