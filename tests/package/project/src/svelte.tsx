import { keywireStore } from "keywire/svelte";
import { gateway, type Message } from "./message.tsx";

// As a Svelte component does with `$connection`, twice.
const root = document.getElementById("root")!;
const comments: string[] = [];
const connection = keywireStore<Message>(gateway, { key: "demo" }, {
  comment: ({ data }) => comments.push(data.text),
});
let text = "";
const show = () => text = `${text.split(" ")[0]} ${comments.join(" ")}`;
const undo = [
  connection.subscribe(({ state }) => text = state),
  connection.subscribe(({ client }) => client?.on("comment", () => setTimeout(show))),
];
const button = document.createElement("button");
button.textContent = "Toggle";
button.onclick = () => undo.forEach((off) => off());
const paragraph = document.createElement("p");
root.append(button, paragraph);
setInterval(() => paragraph.textContent = text, 50);
