import { configure, type LogRecord, reset } from "@logtape/logtape";

/** Keeps what is logged until it is disposed. */
export class Logged implements AsyncDisposable {
  readonly #records: LogRecord[] = [];

  /** Starts to keep the log of `room`, such as `keystores`; without one, of all. */
  static async start(room?: string): Promise<Logged> {
    const logged = new Logged();
    await configure({
      reset: true,
      sinks: { kept: (record) => logged.#records.push(record) },
      loggers: [
        {
          category: room === undefined ? "keywire" : ["keywire", room],
          lowestLevel: "debug",
          sinks: ["kept"],
        },
        { category: ["logtape", "meta"], sinks: [] },
      ],
    });
    return logged;
  }

  /** The lines of `level`, values filled in. */
  lines(level: LogRecord["level"]): string[] {
    return this.#records.filter((record) => record.level === level)
      .map(({ message }) => message.map(String).join(""));
  }

  /** All lines in order, as `<level>: <line>`. */
  get all(): string[] {
    return this.#records.map(({ level, message }) => `${level}: ${message.map(String).join("")}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await reset();
  }
}
