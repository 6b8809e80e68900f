import "vue"; // before it takes this for a browser with elements
import { WebSocket } from "ws";
// A library for browsers: this is what it wants of one.
Object.assign(globalThis, { window: new EventTarget(), document: new EventTarget(), WebSocket });
const { useWebSocket } = await import("@vueuse/core");
import { after, backoff, cursorOf, keyProtocol, say, url } from "./told.mjs";

let cursor = after; // no ref: a change must not open a connection

const resumingUrl = () => `${url.replace("http", "ws")}/websocket?after=${cursor}`;
const options = {
  protocols: ["keywire.v1", keyProtocol],
  autoReconnect: { delay: backoff },
  onConnected: () => say({ is: "open" }),
  onMessage(_socket, { data }) {
    cursor = cursorOf(data);
    say({ is: "frame", text: data });
  },
  onDisconnected(_socket, { code }) {
    say({ is: "closed", code });
    if (code === 4403) close();
  },
  onError: (_socket, { message }) => say({ is: "error", message }),
};
const { close } = useWebSocket(resumingUrl, options);
