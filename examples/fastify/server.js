// Jobs that take a while: the page shows how far each is, though it is loaded in the middle.
import { randomUUID, scrypt } from "node:crypto";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import Fastify from "fastify";
import { Redis } from "ioredis";

const { KEYWIRE_URL = "http://localhost:8088", REDIS_URL, PORT = 3001 } = process.env;
const page = readFileSync(new URL("page.html", import.meta.url), "utf8");
const redis = new Redis(REDIS_URL ?? "redis://localhost:6379");
const jobs = new Map(); // stands for your database
const STEPS = 50;

function append(envelope) {
  const message = JSON.stringify(envelope);
  return redis.xadd("my_stream", "MAXLEN", "~", 100_000, "*", "message", message);
}

// The state first, then the message.
async function tell(job) {
  jobs.set(job.id, job);
  await append({ recipients: ["demo"], type: "job", job });
}

async function run(id) {
  for (let done = 0; done < STEPS; done++) {
    await tell({ id, done, of: STEPS });
    await promisify(scrypt)(id, `${done}`, 64, { cost: 2 ** 15, maxmem: 2 ** 26 }); // the work
  }
  await tell({ id, done: STEPS, of: STEPS });
}

const app = Fastify({ logger: true });

// The id of the stream's last entry is a cursor, too. It is asked for before the state is read; an
// empty stream gets an entry without recipients, as it may have been another one before.
app.get("/", async (_request, reply) => {
  const [last] = await redis.xrevrange("my_stream", "+", "-", "COUNT", 1);
  const cursor = last?.[0] ?? await append({ recipients: [] });
  const state = { jobs: [...jobs.values()], cursor, key: "demo", gateway: KEYWIRE_URL };
  const text = JSON.stringify(state).replaceAll("<", "\\u003c");
  return reply.type("text/html").send(page.replace('"STATE"', () => text));
});

app.post("/jobs", (_request, reply) => {
  const id = randomUUID();
  run(id).catch((error) => app.log.error(error));
  return reply.code(202).send({ id });
});

await app.listen({ port: Number(PORT), host: "127.0.0.1" });
