import {
  ansiColorFormatter,
  configure,
  getConsoleSink,
  jsonLinesFormatter,
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
  const formatter = format === "text" ? ansiColorFormatter : jsonLinesFormatter;
  await configure({
    reset: true,
    sinks: { console: getConsoleSink({ formatter }) },
    loggers: [
      { category: "keywire", lowestLevel: logLevel, sinks: ["console"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["console"] },
    ],
  });
}
