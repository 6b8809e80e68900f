/**
 * Connections that the parts of one page have in common: what the hooks are made of.
 *
 * @module
 */
import { Keywire } from "./keywire.js";

/** Clients by name, and how many use them. */
const pool = new Map();

/**
 * The name of a connection: parts of the page that ask for one with the same URL and the same options,
 * functions aside, use the same one.
 */
export function nameOf(url, options) {
  return JSON.stringify([String(url), options]);
}

/**
 * A connection, until it is released. What is released and asked for again in the same turn goes on:
 * React's StrictMode, a hot reload and a change of routes open no second one.
 */
export function acquire(url, options) {
  const name = nameOf(url, options);
  let entry = pool.get(name);
  if (entry === undefined || entry.client.state === "closed") {
    entry = { client: new Keywire(url, options), users: 0 };
    pool.set(name, entry);
  }
  const mine = entry;
  mine.users++;
  let held = true;
  return {
    client: mine.client,
    release: () => {
      if (!held) return;
      held = false;
      mine.users--;
      setTimeout(() => {
        if (mine.users > 0) return;
        mine.client.close();
        if (pool.get(name) === mine) pool.delete(name);
      });
    },
  };
}

/**
 * Adds listeners by the name of their event.
 * @returns undoes it
 */
export function listen(client, types, listener) {
  const undo = types.map((type) => client.on(type, (event) => listener(type, event)));
  return () => undo.forEach((off) => off());
}
