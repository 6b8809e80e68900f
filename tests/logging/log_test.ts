import { assertEquals } from "@std/assert";
import type { LogRecord } from "@logtape/logtape";
import { formatJson } from "../../src/logging/log.ts";

Deno.test("formatJson: texts stand in the message without quotes, and among the properties", () => {
  const record = {
    category: ["keywire", "bus"],
    level: "warning",
    timestamp: 0,
    rawMessage: "{where} is not heard: {reason} ({times})",
    message: ["", "Redis at a:6379", " is not heard: ", "no route", " (", 2, ")"],
    properties: { where: "Redis at a:6379", reason: "no route", times: 2 },
  } as LogRecord;
  const line = formatJson("0123456789abcdef")(record);
  assertEquals(line.endsWith("\n"), true);
  const { message, level, properties, node } = JSON.parse(line);
  assertEquals(message, "Redis at a:6379 is not heard: no route (2)");
  assertEquals([level, properties], ["WARN", record.properties]);
  assertEquals(node, "0123456789abcdef");
  assertEquals(line.includes("\\"), false, line);
});

Deno.test("formatJson: an error shows its message, not its stack", () => {
  const error = new TypeError("no such thing");
  const record = {
    category: ["keywire"],
    level: "error",
    timestamp: 0,
    rawMessage: "A look-up failed: {error}",
    message: ["A look-up failed: ", error, ""],
    properties: { error },
  } as unknown as LogRecord;
  assertEquals(
    JSON.parse(formatJson("0123456789abcdef")(record)).message,
    "A look-up failed: TypeError: no such thing",
  );
});
