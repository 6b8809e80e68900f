import type { Position } from "../position.ts";
import type { HistoryWindow } from "./history_window.ts";
import { Markers } from "./markers.ts";
import type { ReplayStart } from "./replay.ts";

/** Where the node is in the channel. */
export interface ChannelPlace {
  /** How many of the channel's messages it has heard. */
  readonly heard: number;
  readonly window: HistoryWindow;
}

/** What the node knows of the channel: where the markers lie that all nodes share. */
export class ChannelCoverage {
  readonly #markers: Markers;

  /** @param maxAgeMs none that is younger is forgotten, in milliseconds */
  constructor(maxAgeMs: number) {
    this.#markers = new Markers(maxAgeMs);
  }

  /** A marker was heard at `now`. Returns false for one that was heard before. */
  add(id: string, { heard, window }: ChannelPlace, now: number): boolean {
    if (!this.#markers.add(id, { heard, number: window.end, at: now })) return false;
    this.#markers.trim(lostOf(window), now);
    return true;
  }

  /** Messages may have been lost: no marker from before names a place. */
  clear(): void {
    this.#markers.clear();
  }

  /**
   * Where a client goes on that has heard `since` messages behind `marker`: `ahead` when the node has
   * not, `lost` when messages behind it may be gone.
   */
  locate(
    { marker: id, since }: Omit<Position, "stream">,
    { heard: present, window }: ChannelPlace,
  ): ReplayStart | "ahead" | "unknown marker" | "lost" {
    if (id === "") return "lost";
    const marker = this.#markers.get(id);
    if (marker === undefined) return "unknown marker";
    const place = marker.heard + since;
    if (place > present) return "ahead";
    if (place < lostOf(window)) return "lost";
    return {
      first: window.search(({ heard }) => heard <= place),
      // Before the marker, the same place bears an older name, which fewer nodes know.
      caughtUpAt: Math.max(marker.number, window.search(({ heard }) => heard < place)),
    };
  }
}

/** How many of the channel's messages the window has left behind. */
function lostOf(window: HistoryWindow): number {
  return window.lost?.heard ?? 0;
}
