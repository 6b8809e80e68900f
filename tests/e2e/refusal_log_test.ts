import { assert, assertEquals } from "@std/assert";
import { handshake } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { waitFor } from "../support/wait.ts";

Deno.test("RefusalLog: a refused key and a refused origin leave one line each, and never the key", async () => {
  const origin = "https://page.example";
  await using gateway = await startKeywire({ ALLOWED_ORIGINS: origin, LOG_LEVEL: "debug" });
  const keys = Array.from({ length: 20 }, (_, at) => `sesame-${at}`);
  for (const key of keys) {
    assertEquals((await handshake(gateway.port, `/websocket?${key}`)).status, 403);
  }
  for (const path of ["/websocket?key=sesame", "/websocket?sesame"]) {
    const { status } = await handshake(gateway.port, path, { Origin: "https://evil.example" });
    assertEquals(status, 403);
  }
  const lines = () => gateway.log.split("\n").filter((line) => line.includes("Refused a client"));
  await waitFor("the lines", () => lines().length >= 2);
  const all = lines();
  assertEquals(all.length, 2, all.join("\n"));
  assert(all.some((line) => line.includes("the key is not known")), all.join("\n"));
  assert(all.some((line) => line.includes("https://evil.example")), all.join("\n"));
  // By its hash an operator finds the document of a key that was refused.
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode("sesame-0"));
  const hash = new Uint8Array(bytes).toBase64({ alphabet: "base64url" }).slice(0, 8);
  assert(all.some((line) => line.includes(`key ${hash}`)), all.join("\n"));
  assert(!gateway.log.includes("sesame"), gateway.log);
});
