import {
  configure,
  getAnsiColorFormatter,
  getConsoleSink,
  jsonLinesFormatter,
  type TextFormatter,
} from "@logtape/logtape";

export interface LogOptions {
  /** The least severe level that is written. */
  readonly logLevel: "debug" | "info" | "warning" | "error";
  /** For people or for machines; undefined: for people on a terminal. */
  readonly logFormat: "text" | "json" | undefined;
}

/** Which process writes, and to what. */
export interface LogContext {
  /** Stands in each line, so that the logs of several nodes can be told apart. */
  readonly nodeId: string;
  readonly isTerminal: boolean;
}

/** As many characters of the node's id stand in a line for people. */
const SHORT_ID = 8;

/** Sends the log to the console. Nothing that is logged anywhere holds a key, a token or a message. */
export async function configureLog(
  { logLevel, logFormat }: LogOptions,
  { nodeId, isTerminal }: LogContext,
): Promise<void> {
  const format = logFormat ?? (isTerminal ? "text" : "json");
  const formatter = format === "text" ? formatText(nodeId) : formatJson(nodeId);
  await configure({
    reset: true,
    sinks: { console: getConsoleSink({ formatter }) },
    loggers: [
      { category: "keywire", lowestLevel: logLevel, sinks: ["console"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["console"] },
    ],
  });
}

/** Writes records as lines for people. */
function formatText(nodeId: string): TextFormatter {
  return getAnsiColorFormatter({
    value: "bare",
    format: ({ timestamp, level, category, message }) =>
      `${timestamp} ${level} ${nodeId.slice(0, SHORT_ID)} ${category}: ${message}`,
  });
}

/**
 * Writes a record as one line of JSON, the node's id among its members. Texts stand in its message as
 * they are: quoted, each would bring two backslashes. The values themselves are among the properties.
 */
export function formatJson(nodeId: string): TextFormatter {
  const node = `,"node":${JSON.stringify(nodeId)}}\n`;
  return (record) => {
    const message = [record.message.map(String).join("")];
    return jsonLinesFormatter({ ...record, message }).replace(/\}\n$/, node);
  };
}
