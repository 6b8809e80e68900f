export * from "./port.ts";
export * from "./events.ts";
export * from "./polling.ts";
export * from "./websocket.ts";
