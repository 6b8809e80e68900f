import type { Stage, StageOptions } from "./stage.ts";

/** One fault: what it happens to, how it strikes, and how it is mended. */
export interface Fault {
  /** The row's name. */
  readonly name: string;
  /** The servers that it happens to. */
  readonly stage?: StageOptions;
  /** Brings it about; resolves when it stands. */
  readonly strike: (stage: Stage) => Promise<void>;
  /** How long it lasts between the two, in milliseconds; 0 by default. */
  readonly lastMs?: number;
  /** Ends it; absent where it is a matter of a moment. */
  readonly heal?: (stage: Stage) => Promise<void>;
  /** Alerts that must fire, by their names in deploy/prometheus/alerts.yml. */
  readonly alerts: readonly string[];
}
