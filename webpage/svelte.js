/**
 * Keywire as a store for Svelte: the connection lives while the store has subscribers.
 *
 * @module
 */
import { acquire, listen } from "./keywire_pool.js";

const NONE = { client: undefined, state: "connecting" };

export function keywireStore(url, options, listeners = {}) {
  const subscribers = new Set();
  let connection = NONE;
  let undo = [];

  function connect() {
    // Where pages are rendered on a server, nothing connects.
    if (typeof document === "undefined") return;
    const { client, release } = acquire(url, options);
    connection = { client, state: client.state };
    const offState = client.on("state", ({ state }) => {
      connection = { client, state };
      for (const run of subscribers) run(connection);
    });
    const types = Object.keys(listeners);
    undo = [offState, listen(client, types, (type, event) => listeners[type](event)), release];
  }

  function disconnect() {
    for (const off of undo) off();
    undo = [];
    connection = NONE;
  }

  return {
    subscribe(run) {
      if (subscribers.size === 0) connect();
      const own = (value) => run(value);
      subscribers.add(own);
      own(connection);
      return () => {
        if (subscribers.delete(own) && subscribers.size === 0) disconnect();
      };
    },
  };
}
