/** The bus room: envelopes in, notices out. A new bus is one new file and one line in open_bus.ts. */
export { MemoryBus, type MemoryBusOptions } from "./memory.ts";
export { openBus, type OpenBusOptions } from "./open_bus.ts";
export {
  type Bus,
  type BusFailures,
  type BusListener,
  BusUnavailable,
  type Source,
} from "./port.ts";
export { RedisBus, type RedisBusOptions } from "./redis.ts";
