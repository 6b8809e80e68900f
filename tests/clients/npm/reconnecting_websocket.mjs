import module from "reconnecting-websocket";
import { WebSocket } from "ws"; // a browser brings its own
import { after, cursorOf, keyProtocol, say, url } from "./told.mjs";

const ReconnectingWebSocket = module.default ?? module;
let cursor = after;

const resumingUrl = () => `${url.replace("http", "ws")}/websocket?after=${cursor}`;
const protocols = ["keywire.v1", keyProtocol];
const socket = new ReconnectingWebSocket(resumingUrl, protocols, { WebSocket });
socket.onopen = () => say({ is: "open" });
socket.onmessage = ({ data }) => {
  cursor = cursorOf(data);
  say({ is: "frame", text: data });
};
socket.onclose = ({ code }) => {
  say({ is: "closed", code });
  if (code === 4403) socket.close();
};
socket.onerror = ({ message }) => say({ is: "error", message });
