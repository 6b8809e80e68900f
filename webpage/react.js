/**
 * Keywire as a hook for React 18 or later.
 *
 * @module
 */
import { useEffect, useRef, useState } from "react";
import { acquire, listen, nameOf } from "./keywire_pool.js";

const NONE = { client: undefined, state: "connecting" };

export function useKeywire(url, options, listeners = {}) {
  const latest = useRef({ options, listeners });
  useEffect(() => {
    latest.current = { options, listeners };
  });
  const [connection, setConnection] = useState(NONE);
  const name = url == null ? undefined : nameOf(url, options);
  const types = Object.keys(listeners).sort().join("\n");
  useEffect(() => {
    if (url == null) return setConnection(NONE);
    const { client, release } = acquire(url, latest.current.options);
    setConnection({ client, state: client.state });
    const undo = [
      client.on("state", ({ state }) => setConnection({ client, state })),
      listen(client, types === "" ? [] : types.split("\n"), (type, event) => {
        latest.current.listeners[type]?.(event);
      }),
      release,
    ];
    return () => undo.forEach((off) => off());
  }, [name, types]);
  return connection;
}
