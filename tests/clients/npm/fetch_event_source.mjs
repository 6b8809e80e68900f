// A library for browsers: this is what it wants of one.
globalThis.window = globalThis;
globalThis.document = new EventTarget();
const { fetchEventSource } = await import("@microsoft/fetch-event-source/lib/cjs/index.js");
import { after, key, say, url } from "./told.mjs";

class Refused extends Error {}

await fetchEventSource(`${url}/events`, {
  headers: { Authorization: `Bearer ${key}`, "last-event-id": after }, // in lower case, as it writes it
  openWhenHidden: true,
  // deno-lint-ignore require-await -- the library waits for it
  async onopen({ status }) {
    if (status === 403) throw new Refused("403");
    say(status === 200 ? { is: "open" } : { is: "refused", status });
  },
  onmessage({ event, id, data }) {
    if (event === "heartbeat") return;
    say({ is: "event", name: event || "message", id, text: data });
  },
  onclose() {
    throw new Error("the stream ended"); // or it would not come back
  },
  onerror(error) {
    if (error instanceof Refused) throw error; // or it would try for ever
    say({ is: "closed", message: error.message });
  },
}).catch(({ message }) => say({ is: "refused", status: Number(message) }));
