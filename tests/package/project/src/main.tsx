import { Keywire } from "keywire";
import { gateway, type Message } from "./message.tsx";

const root = document.getElementById("root")!;
const keywire = new Keywire<Message>(gateway, { key: "demo", shared: true });
keywire.on("comment", ({ data }) => root.append(`${data.text} `));
await keywire.ready;
root.append("open ");
