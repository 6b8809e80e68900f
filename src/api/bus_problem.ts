import { getLogger } from "@logtape/logtape";
import { BusUnavailable, IdempotencyConflict } from "../bus/port.ts";
import type { Refusal } from "../http/refusals.ts";

const log = getLogger(["keywire", "api"]);

/** What an error of the bus means to a backend: whether the thing was done, and what to do. */
export function busProblem(error: unknown, { action, repeat }: {
  /** What the backend wanted, as errors begin: "publish". */
  readonly action: string;
  /** What to do where it is not known whether it was done. */
  readonly repeat: string;
}): Refusal {
  if (error instanceof IdempotencyConflict) {
    return {
      status: 422,
      detail:
        `Cannot ${action} as another body came under this Idempotency-Key within 5 minutes: ` +
        "take a new key for a new message",
    };
  }
  if (!(error instanceof BusUnavailable)) {
    log.error("Cannot {action}: {error}", { action, error });
    return { status: 500, detail: `Cannot ${action} as this node failed: look into its log` };
  }
  const { outcome, reason } = error;
  return {
    status: 503,
    detail: outcome === "refused"
      ? `Cannot ${action}: refused, so it was not done (${reason}): try again later`
      : `Cannot confirm the attempt to ${action}: unknown, it may have been done (${reason}): ` +
        repeat,
    retryAfter: 2,
    outcome,
  };
}
