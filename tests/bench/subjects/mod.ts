/** The subjects, in the table's order. */
import { bare } from "./bare.ts";
import { centrifugo } from "./centrifugo.ts";
import { keywire } from "./keywire.ts";
import { nchan } from "./nchan.ts";
import { bun, nodeWs } from "./node.ts";
import type { Subject } from "./port.ts";
import { socketIo } from "./socket_io.ts";

export type { RunningSubject, Subject, Surroundings } from "./port.ts";
export { startGateway, startGateways } from "./keywire.ts";

/** Measured by default. */
export const SUBJECTS: readonly Subject[] = [...keywire, ...bare, nodeWs, centrifugo];

/** Measured with `--all` too. */
export const MORE_SUBJECTS: readonly Subject[] = [bun, socketIo, nchan];
