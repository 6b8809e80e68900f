import type { Source } from "../position.ts";
import type { Replay } from "./replay.ts";

/**
 * Why a client waits that brings a position:
 * - `ahead`: the node has not heard so much yet; ask again when it has heard more;
 * - `unknown marker`: ask again when the node has heard a marker of its own.
 */
export type Undecided = "ahead" | "unknown marker";

/** What a node can do for a client that resumes. */
export type ResumeResult =
  | { readonly state: "undecided"; readonly undecided: ReadonlySet<Undecided> }
  | {
    readonly state: "decided";
    readonly replay: Replay;
    /** The sources that cannot be proven: the client begins at the present there. */
    readonly lost: readonly Source[];
  };
