import { answers, type MongodbServer } from "./mongodb_server.ts";
import { run } from "./run.ts";
import { freePort } from "./wait.ts";

const IMAGE = "mongo:8";

/** A server in a container of its own. */
export class MongodbContainer implements MongodbServer {
  readonly #port = freePort();
  readonly url = `mongodb://127.0.0.1:${this.#port}/`;
  readonly #name = `keywire-test-mongodb-${this.#port}`;
  #made = false;

  async start(): Promise<void> {
    if (this.#made) await docker("start", this.#name);
    else await docker("run", "-d", "--name", this.#name, "-p", this.#ports, IMAGE);
    this.#made = true;
    await answers(this.url);
  }

  async kill(): Promise<void> {
    await docker("kill", this.#name);
  }

  async freeze(): Promise<void> {
    await docker("pause", this.#name);
  }

  async thaw(): Promise<void> {
    await docker("unpause", this.#name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await docker("rm", "-f", "-v", this.#name);
  }

  get #ports(): string {
    return `127.0.0.1:${this.#port}:27017`;
  }
}

/** Fetches the image, where it is not there yet. */
export async function ensureImage(): Promise<void> {
  await docker("image", "inspect", IMAGE).catch(() => docker("pull", IMAGE));
}

function docker(...args: readonly string[]): Promise<void> {
  return run(["docker", ...args]);
}
