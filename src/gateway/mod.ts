/** The gateway room: the way from the bus to connections, and a connection's life. */
export { Gateway, type GatewayOptions } from "./gateway.ts";
export { Rebalancing, type RebalancingOptions } from "./rebalancing.ts";
export { Revalidation, type RevalidationOptions } from "./revalidation.ts";
