import { assertEquals } from "@std/assert";
import { DnsServer } from "../support/dns_server.ts";
import { startKeywire } from "../support/gateway.ts";
import { startMongodb } from "../support/mongodb.ts";
import { succeeds } from "../support/run.ts";
import { waitFor } from "../support/wait.ts";

/** A name server of this test alone. */
const NAME_SERVER = "127.0.0.153";
/** Puts the file `$1` in the place of the system's, for the program that follows and no other. */
const RESOLVING = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"';
// A container of a CI may not mount.
const canMount = Deno.uid() === 0 &&
  await succeeds("unshare", "--mount", "mount", "--make-rprivate", "/");

Deno.test({
  name: "start task: its permissions are enough for a MongoDB that is found by mongodb+srv://",
  ignore: !canMount,
  async fn() {
    await using mongodb = await startMongodb();
    using _names = await DnsServer.start(NAME_SERVER, {
      SRV: { "_mongodb._tcp.db.example.test": [+new URL(mongodb.url).port, "one.example.test"] },
      A: { "one.example.test": "127.0.0.1" },
    });
    const path = await Deno.makeTempFile({ prefix: "keywire-resolv-" });
    await Deno.writeTextFile(path, `nameserver ${NAME_SERVER}\n`);
    const prefix = ["unshare", "--mount", "sh", "-c", RESOLVING, "sh", path];
    {
      const MONGODB_URL = "mongodb+srv://db.example.test/?tls=false";
      await using gateway = await startKeywire({ MONGODB_URL }, { prefix });
      await waitFor("the store", async () => {
        const response = await fetch(`${gateway.url}/ready`);
        return (await response.json()).store === "up";
      });
      const unknown = await fetch(`${gateway.url}/events?unknown`);
      await unknown.body?.cancel();
      assertEquals(unknown.status, 403);
    }
    await Deno.remove(path);
  },
});
