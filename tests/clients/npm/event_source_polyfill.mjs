import polyfill from "event-source-polyfill";
import { after, key, say, url } from "./told.mjs";

const headers = { Authorization: `Bearer ${key}` };
const source = new polyfill.EventSourcePolyfill(`${url}/events?after=${after}`, { headers });
source.onopen = () => say({ is: "open" });
for (const name of ["message", "welcome", "gap"]) {
  source.addEventListener(name, ({ data, lastEventId }) => {
    say({ is: "event", name, id: lastEventId, text: data });
  });
}
source.onerror = ({ status, error }) => {
  if (status !== undefined && status !== 200) say({ is: "refused", status });
  else say({ is: "closed", message: String(error) });
};
