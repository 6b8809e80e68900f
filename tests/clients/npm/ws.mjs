import { WebSocket } from "ws";
import { after, backoff, cursorOf, key, say, url } from "./told.mjs";

let cursor = after;
let failures = 0;

function connect() {
  const headers = { Authorization: `Bearer ${key}`, "Last-Event-ID": cursor };
  const socket = new WebSocket(`${url}/websocket`, ["keywire.v1"], { headers });
  let isRefused = false;
  socket.on("open", () => {
    failures = 0;
    say({ is: "open" });
  });
  socket.on("message", (data) => {
    const frame = data.toString();
    cursor = cursorOf(frame);
    say({ is: "frame", text: frame });
  });
  socket.on("unexpected-response", (_request, { statusCode }) => {
    isRefused = statusCode === 403;
    say({ is: "refused", status: statusCode });
    socket.terminate(); // or it would neither close nor come back
  });
  socket.on("error", ({ message }) => say({ is: "error", message }));
  socket.on("close", (code) => {
    say({ is: "closed", code });
    if (code !== 4403 && !isRefused) setTimeout(connect, backoff(failures++));
  });
}

connect();
