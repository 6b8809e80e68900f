/** One command on the command connection. */
import type { RedisConnection } from "../redis/redis_connection.ts";
import { redisFault } from "../redis/redis_fault.ts";
import { BusUnavailable } from "./port.ts";

/**
 * Sends one command, once.
 * @throws {BusUnavailable} without the driver's error in it, which holds what was sent
 */
export async function askOnce(
  connection: RedisConnection,
  [command, ...args]: readonly [string, ...(string | number)[]],
): Promise<unknown> {
  const { client } = connection;
  if (client === undefined) {
    throw new BusUnavailable("refused", "CLOSED: there is no connection to Redis");
  }
  try {
    const reply = await client.call(command, ...args);
    connection.resetBackoff();
    return reply;
  } catch (error) {
    const { code, reason, outcome } = redisFault(error);
    if (code === "TIMEOUT" && client === connection.client) connection.reset(reason);
    throw new BusUnavailable(outcome, reason);
  }
}
