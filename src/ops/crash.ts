import { getLogger } from "@logtape/logtape";

const log = getLogger(["keywire", "ops"]);

/** What the process exits with when it cannot go on: EX_SOFTWARE of sysexits.h. */
const EXIT_CODE = 70;

/** Ends the process with a line of the log, so that its supervisor starts it anew. */
export function crash(reason: string): never {
  log.fatal("Cannot go on, and exits: {reason}", { reason });
  Deno.exit(EXIT_CODE);
}

/** Has what no code catches end the process with a line of the log, in the format of all others. */
export function crashOnUncaught(): void {
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    crash(describe(event.error));
  });
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    crash(describe(event.reason));
  });
}

function describe(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
