export * from "./port.ts";
export * from "./memory.ts";
