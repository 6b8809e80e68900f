import { assertEquals } from "@std/assert";
import { excerpt } from "../../src/core/excerpt.ts";

Deno.test("excerpt: shows the form of a text, and nothing that could be a key", () => {
  assertEquals(
    excerpt('{"recipient":["user-42","ключ","𝒌𝟏"],}'),
    '{"recipient":["xxxx-xx","xxxx","xx"],}',
  );
  assertEquals(excerpt('{"Recipients" ["a"]'), '{"Recipients" ["x"]');
  assertEquals(excerpt(""), "");
});

Deno.test("excerpt: has 100 characters at most", () => {
  assertEquals(excerpt("5".repeat(1_000)), "x".repeat(100));
  assertEquals(excerpt(`${" ".repeat(95)}recipients`), `${" ".repeat(95)}xxxxx`);
});
