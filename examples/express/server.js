// Comments under a page: who has it open sees each new one at once.
import { readFileSync } from "node:fs";
import express from "express";

const { KEYWIRE_URL = "http://localhost:8088", API_TOKEN, PORT = 3000 } = process.env;
const page = readFileSync(new URL("page.html", import.meta.url), "utf8");
const comments = []; // stands for your database

async function keywire(path, body) {
  const response = await fetch(KEYWIRE_URL + path, {
    method: body ? "POST" : "GET",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${API_TOKEN}` },
    body: JSON.stringify(body),
  });
  if (response.ok) return await response.json();
  throw new Error(`Keywire answered ${response.status}: ${await response.text()}`);
}

// The cursor is asked for before the state is read, so nothing falls between.
async function load() {
  const { cursor } = await keywire("/api/cursor");
  return { comments, cursor, key: "demo", gateway: KEYWIRE_URL };
}

const app = express().use(express.json());

app.get("/", async (_request, response) => {
  const state = JSON.stringify(await load()).replaceAll("<", "\\u003c");
  response.type("html").send(page.replace('"STATE"', () => state));
});

app.get("/comments", async (_request, response) => {
  response.json(await load());
});

app.post("/comments", async ({ body }, response) => {
  const comment = { id: comments.length + 1, text: String(body?.text) };
  comments.push(comment); // the state first, then the message
  await keywire("/api/publish", { recipients: ["demo"], type: "comment", comment });
  response.status(201).json(comment);
});

app.listen(PORT, "127.0.0.1", () => {
  process.stdout.write(`Comments on http://localhost:${PORT}/\n`);
});
