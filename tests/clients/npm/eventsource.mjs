import { EventSource } from "eventsource";
import { after, key, say, url } from "./told.mjs";

const withKey = (input, init) =>
  fetch(input, { ...init, headers: { ...init.headers, Authorization: `Bearer ${key}` } });
const source = new EventSource(`${url}/events?after=${after}`, { fetch: withKey });
source.onopen = () => say({ is: "open" });
for (const name of ["message", "welcome", "gap"]) {
  source.addEventListener(name, ({ data, lastEventId }) => {
    say({ is: "event", name, id: lastEventId, text: data });
  });
}
source.onerror = ({ code, message }) => {
  say(code === undefined ? { is: "closed", message } : { is: "refused", status: code });
};
