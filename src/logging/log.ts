import {
  configure,
  getAnsiColorFormatter,
  getConsoleSink,
  jsonLinesFormatter,
  type LogRecord,
} from "@logtape/logtape";

export interface LogOptions {
  /** The least severe level that is written. */
  readonly logLevel: "debug" | "info" | "warning" | "error";
  /** For people or for machines; undefined: for people on a terminal. */
  readonly logFormat: "text" | "json" | undefined;
}

/** Sends the log to the console. Nothing that is logged anywhere holds a key, a token or a message. */
export async function configureLog(
  { logLevel, logFormat }: LogOptions,
  isTerminal: boolean,
): Promise<void> {
  const format = logFormat ?? (isTerminal ? "text" : "json");
  const formatter = format === "text" ? getAnsiColorFormatter({ value: "bare" }) : formatJson;
  await configure({
    reset: true,
    sinks: { console: getConsoleSink({ formatter }) },
    loggers: [
      { category: "keywire", lowestLevel: logLevel, sinks: ["console"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["console"] },
    ],
  });
}

/**
 * Writes a record as one line of JSON. Texts stand in its message as they are: quoted, each would
 * bring two backslashes. The values themselves are among the properties.
 */
export function formatJson(record: LogRecord): string {
  return jsonLinesFormatter({ ...record, message: [record.message.map(String).join("")] });
}
