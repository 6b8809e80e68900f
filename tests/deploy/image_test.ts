import { assertEquals, assertMatch } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { items, openSocket } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { run, succeeds } from "../support/run.ts";
import { freePort, waitFor } from "../support/wait.ts";

const DOCKERFILE = await Deno.readTextFile(new URL("../../Dockerfile", import.meta.url));
const { pathname: ROOT } = new URL("../../", import.meta.url);
/** The user `deno` of the base image. */
const UID = "1993";

/** Makes all that is mounted read-only, as seen from here. */
const READ_ONLY = `
mount --make-rprivate /
for point in $(cut -d ' ' -f 2 /proc/mounts); do
  case $point in /proc* | /sys* | /dev*) ;; *) mount -o remount,bind,ro "$point" ;; esac
done 2>/dev/null
if touch "$1/file" 2>/dev/null; then echo "$1 can be written to" >&2; exit 1; fi
shift
exec "$@"
`;
/** Goes on in the folder `$1` without any right, with the runtime `$2` instead of `$3`. */
const UNPRIVILEGED = `
cd "$1"
deno=$2
shift 3
exec setpriv --reuid ${UID} --regid ${UID} --clear-groups --no-new-privs --inh-caps=-all \
  --bounding-set=-all sh with_nofile.sh "$deno" "$@"
`;

/** Does in `dir` what COPY and RUN of the Dockerfile say; Docker itself is not needed. */
async function build(dir: string): Promise<void> {
  const app = `${dir}/app`;
  await run(["chmod", "755", dir]);
  await run(["mkdir", app]);
  // The runtime may lie where only root reaches it.
  await Deno.copyFile(Deno.execPath(), `${dir}/deno`);
  const env = { DENO_DIR: `${dir}/deno-dir`, PATH: `${dir}:${Deno.env.get("PATH")}` };
  for (const [, verb, rest = ""] of DOCKERFILE.matchAll(/^(COPY|RUN) (.*)$/gm)) {
    if (verb === "RUN") {
      await run(["sh", "-c", rest], { cwd: app, env });
      continue;
    }
    const paths = rest.split(" ");
    const to = paths.pop()!;
    const how = to === "./" ? "-rt" : "-rT";
    await run(
      how === "-rt" ? ["cp", how, app, ...paths] : ["cp", how, ...paths, `${app}/${to}`],
      { cwd: ROOT },
    );
  }
}

Deno.test("Dockerfile: it runs what the start task runs, by the script that tells NOFILE", () => {
  const [, command = ""] = /^CMD (\[.*\])$/m.exec(DOCKERFILE) ?? [];
  assertEquals(
    (JSON.parse(command) as string[]).join(" "),
    `sh with_nofile.sh ${config.tasks.start.command}`,
  );
});

Deno.test({
  name: "Dockerfile: what it builds runs read-only, as no special user and without capabilities",
  ignore: Deno.uid() !== 0, // which alone may become another user
  async fn() {
    const dir = await Deno.makeTempDir({ prefix: "keywire-image-" });
    try {
      await build(dir);
      // A container of a CI may not mount: there it is the owner alone that forbids writing.
      const mounts = await succeeds("unshare", "--mount", "mount", "--make-rprivate", "/");
      const readOnly = mounts
        ? ["unshare", "--mount", "sh", "-c", READ_ONLY, "sh", `${dir}/app`]
        : [];
      const prefix = [...readOnly, "sh", "-c", UNPRIVILEGED, "sh", `${dir}/app`, `${dir}/deno`];
      const env = { HOST: "0.0.0.0", DEMO: "1", DENO_DIR: `${dir}/deno-dir` };
      await using gateway = await startKeywire(env, { prefix });
      const status = await Deno.readTextFile(`/proc/${gateway.pid}/status`);
      assertMatch(status, new RegExp(`^Uid:\t${UID}\t${UID}\t${UID}\t${UID}$`, "m"));
      assertMatch(status, /^CapEff:\t0+$/m);
      using client = await openSocket(gateway.url, "demo");
      client.socket.send("ping");
      assertEquals(await items(client.frames, 1), ["heartbeat message"]);
      await waitFor("the log", () => /Descriptors: \d+[,;]/.test(gateway.log));

      const [, check = ""] = /^ +CMD (\[.*\])$/m.exec(DOCKERFILE) ?? [];
      const [, ...args] = JSON.parse(check) as string[];
      const isHealthy = async (port: number) => {
        const env = { PORT: String(port) };
        const cwd = `${dir}/app`;
        const command = new Deno.Command(Deno.execPath(), { args, cwd, env, stderr: "null" });
        return (await command.output()).success;
      };
      assertEquals([await isHealthy(gateway.port), await isHealthy(freePort())], [true, false]);

      gateway.kill("SIGTERM");
      assertEquals((await gateway.ended).code, 0);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});
