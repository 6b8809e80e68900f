import { assert, assertEquals } from "@std/assert";
import { describeSettings } from "../../src/settings/describe_settings.ts";
import { readSettings } from "../../src/settings/settings.ts";

const SECRET = "s3cret-of-at-least-thirty-two-characters";

Deno.test("describeSettings: every setting is there, and those that the environment sets are named", () => {
  const names: string[] = [];
  readSettings((name) => void names.push(name));
  const { all, set } = describeSettings({ PORT: "80", REDIS_CHANNEL: "", PATH: "/bin" });
  assertEquals(Object.keys(all).sort(), [...new Set(names)].sort());
  assertEquals(set.toSorted(), ["PORT", "REDIS_CHANNEL"]);
  assertEquals([all.PORT, all.REDIS_CHANNEL, all.REDIS_STREAM], ["80", "off", "my_stream"]);
  assertEquals([all.DEMO, all.NOFILE, all.MAX_BUFFERED_BYTES], ["0", "unset", "1048576"]);
  for (const [name, text] of Object.entries(all)) assert(!/undefined|object/.test(text), name);
});

Deno.test("describeSettings: no secret is shown, whatever holds it", () => {
  const { all } = describeSettings({
    REDIS_URL: `rediss+sentinel://ann:${SECRET}@a:26379,b:26379/mymaster`,
    REDIS_SENTINEL_USERNAME: SECRET,
    REDIS_SENTINEL_PASSWORD: SECRET,
    MONGODB_URL: `mongodb://ann:${SECRET}@db:27017/a?tlsCertificateKeyFilePassword=${SECRET}`,
    API_TOKEN: `${SECRET},${SECRET}2`,
    EMBEDDED_KEYS: SECRET,
    OTEL_EXPORTER_OTLP_ENDPOINT: "https://otel:4318",
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${SECRET}`,
  });
  assert(!JSON.stringify(all).includes("s3cret"), JSON.stringify(all));
  assertEquals(all.REDIS_URL, "rediss+sentinel://***@a:26379,b:26379/mymaster");
  assertEquals(all.MONGODB_URL, "mongodb://***@db:27017/a?***");
  assertEquals(all.API_TOKEN, "set (2)");
  assertEquals(all.REDIS_SENTINEL_PASSWORD, "set");
  assertEquals(all.OTEL_EXPORTER_OTLP_ENDPOINT, "https://otel:4318");
  assertEquals(all.OTEL_EXPORTER_OTLP_HEADERS, "set (1)");
  const { API_TOKEN, EMBEDDED_KEYS, REDIS_URL } = describeSettings({}).all;
  assertEquals([API_TOKEN, EMBEDDED_KEYS, REDIS_URL], ["unset", "default (2)", "unset"]);
});
