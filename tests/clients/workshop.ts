/** The folder in which the clients' packages are installed and their programs run. */
import { run, succeeds } from "../support/run.ts";
import { say } from "../support/say.ts";
import { type Client, PINS } from "./client.ts";

const HERE = new URL(".", import.meta.url).pathname;

type Ecosystem = Client["ecosystem"];

/** What an ecosystem needs on the machine, how its packages are installed, how a program starts. */
interface Toolchain {
  readonly needs: readonly [string, ...string[]];
  /** Installs and builds in its folder. */
  readonly install: (cwd: string) => Promise<void>;
  /** The command that runs a program's source, all from the ecosystem's folder. */
  readonly start: (source: string) => readonly [string, ...string[]];
}

const TOOLCHAINS: Readonly<Record<Ecosystem, Toolchain>> = {
  npm: {
    needs: ["npm", "--version"],
    install: (cwd) => run(["npm", "install", "--no-audit", "--no-fund"], { cwd }),
    start: (source) => ["node", source],
  },
  PyPI: {
    needs: ["python3", "--version"],
    install: async (cwd) => {
      await run(["python3", "-m", "venv", "venv"], { cwd });
      await run(["venv/bin/pip", "install", "--quiet", "-r", "requirements.txt"], { cwd });
    },
    start: (source) => ["venv/bin/python", source],
  },
  Go: {
    needs: ["go", "version"],
    install: (cwd) => run(["go", "build", "-o", "bin/", "./..."], { cwd }),
    start: (source) => [`bin/${source.split("/")[0]}`],
  },
  Rust: {
    needs: ["cargo", "--version"],
    install: (cwd) => run(["cargo", "build", "--quiet"], { cwd }),
    start: (source) => [`target/debug/${/(\w+)\.rs$/.exec(source)?.[1]}`],
  },
  Java: {
    needs: ["mvn", "--version"],
    install: async (cwd) => {
      const libraries = ["-DoutputDirectory=lib", "dependency:copy-dependencies"];
      await run(["mvn", "--quiet", "--batch-mode", ...libraries], { cwd });
      await run(["sh", "-c", "javac -cp 'lib/*' -d classes src/*.java"], { cwd });
    },
    start: (source) => ["java", "-cp", "classes:lib/*", /(\w+)\.java$/.exec(source)?.[1] ?? ""],
  },
};

/** How a program is started. */
export interface Start {
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
}

/** A temporary copy of the programs, with their packages beside them. */
export class Workshop implements AsyncDisposable {
  readonly #folder = Deno.makeTempDirSync({ prefix: "keywire-clients-" });

  /**
   * Installs what `clients` need.
   * @returns those whose toolchain is on the machine; a line on stderr names the others
   */
  async install(clients: readonly Client[]): Promise<Client[]> {
    await run(["cp", "-r", `${HERE}.`, this.#folder]);
    const ready = new Set<Ecosystem>();
    for (const ecosystem of new Set(clients.map(({ ecosystem }) => ecosystem))) {
      const { needs, install } = TOOLCHAINS[ecosystem];
      if (!await succeeds(...needs)) {
        await say(`Leaving out the clients of ${ecosystem}: ${needs[0]} is not there`);
        continue;
      }
      await say(`Installing the clients of ${ecosystem}`);
      await install(this.#pathOf(ecosystem));
      ready.add(ecosystem);
    }
    return clients.filter(({ ecosystem }) => ready.has(ecosystem));
  }

  /** How a client's program is started: a command, and where. */
  start({ ecosystem, program }: Client): Start {
    const source = program.slice(program.indexOf("/") + 1);
    return { command: TOOLCHAINS[ecosystem].start(source), cwd: this.#pathOf(ecosystem) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }

  #pathOf(ecosystem: Ecosystem): string {
    return `${this.#folder}/${PINS[ecosystem].split("/")[0]}`;
  }
}
