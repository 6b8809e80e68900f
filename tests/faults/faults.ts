import { CLIENT_FAULTS } from "./client_faults.ts";
import { FAILOVER_FAULTS } from "./failover_faults.ts";
import type { Fault } from "./fault.ts";
import { MONGODB_FAULTS } from "./mongodb_faults.ts";
import { NODE_FAULTS } from "./node_faults.ts";
import { REDIS_FAULTS } from "./redis_faults.ts";

/** Every fault, in the order of the table. */
export const FAULTS: readonly Fault[] = [
  ...REDIS_FAULTS,
  ...FAILOVER_FAULTS,
  ...MONGODB_FAULTS,
  ...NODE_FAULTS,
  ...CLIENT_FAULTS,
];
