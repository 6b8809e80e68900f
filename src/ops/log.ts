import {
  ansiColorFormatter,
  configure,
  getConsoleSink,
  jsonLinesFormatter,
} from "@logtape/logtape";

export interface LogOptions {
  /** The least severe level that is written. */
  readonly level: "debug" | "info" | "warning" | "error";
  /** For people or for machines. */
  readonly format: "text" | "json";
}

/** Sends the log to the console. Nothing that is logged anywhere holds a key, a token or a message. */
export async function configureLog({ level, format }: LogOptions): Promise<void> {
  const formatter = format === "text" ? ansiColorFormatter : jsonLinesFormatter;
  await configure({
    reset: true,
    sinks: { console: getConsoleSink({ formatter }) },
    loggers: [
      { category: "keywire", lowestLevel: level, sinks: ["console"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["console"] },
    ],
  });
}
