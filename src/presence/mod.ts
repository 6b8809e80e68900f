/** The presence room: which recipients are there. */
export * from "./port.ts";
export * from "./memory.ts";
export * from "./open_presence.ts";
