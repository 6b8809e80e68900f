import { assert, assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };

const UNIT = await Deno.readTextFile(
  new URL("../../deploy/systemd/keywire.service", import.meta.url),
);

/** The values of a name, in order. */
function values(name: string): string[] {
  return [...UNIT.matchAll(new RegExp(`^${name}=(.*)$`, "gm"))].map(([, value]) => value!);
}

async function analyze(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("systemd-analyze", { args }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  if (!success) throw new Error(text);
  return text;
}

Deno.test("deploy: the unit runs what the start task runs, by the script that tells NOFILE", () => {
  const start = config.tasks.start.command.replace("deno ", "/usr/local/bin/deno ");
  assertEquals(values("ExecStart"), [`/bin/sh deploy/with_nofile.sh ${start}`]);
});

Deno.test("deploy: systemd finds no fault in the unit, and little that it exposes", async () => {
  const dir = await Deno.makeTempDir({ prefix: "keywire-systemd-" });
  const path = `${dir}/keywire.service`;
  const { pathname: root } = new URL("../../", import.meta.url);
  try {
    // It looks for the programs and folders that are named.
    await Deno.writeTextFile(
      path,
      UNIT.replaceAll("/opt/keywire/", root).replaceAll("/opt/keywire", root)
        .replace("/usr/local/bin/deno", Deno.execPath()),
    );
    assertEquals(await analyze("verify", "--man=no", path), "");
    const report = await analyze("security", "--offline=true", "--no-pager", path);
    const exposure = Number(/exposure level for keywire\.service: ([\d.]+)/.exec(report)?.[1]);
    assert(exposure <= 1.5, report);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("deploy: the unit waits longer than a drain takes", () => {
  const [stop] = values("TimeoutStopSec");
  assert(Number(stop) >= 4 + 5); // DRAIN_SECONDS by default, and some seconds
});
