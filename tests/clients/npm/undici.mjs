import { WebSocket } from "undici";
import { after, backoff, cursorOf, key, say, url } from "./told.mjs";

let cursor = after;
let failures = 0;

function connect() {
  const headers = { Authorization: `Bearer ${key}`, "Last-Event-ID": cursor };
  const socket = new WebSocket(`${url}/websocket`, { protocols: ["keywire.v1"], headers });
  socket.onopen = () => {
    failures = 0;
    say({ is: "open" });
  };
  socket.onmessage = ({ data }) => {
    cursor = cursorOf(data);
    say({ is: "frame", text: data });
  };
  socket.onclose = ({ code }) => {
    say({ is: "closed", code });
    if (code !== 4403) setTimeout(connect, backoff(failures++));
  };
  socket.onerror = ({ message }) => say({ is: "error", message });
}

connect();
