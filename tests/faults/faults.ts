import type { Fault } from "./fault.ts";
import { REDIS_FAULTS } from "./redis_faults.ts";

/** Every fault, in the order of the table. */
export const FAULTS: readonly Fault[] = [...REDIS_FAULTS];
