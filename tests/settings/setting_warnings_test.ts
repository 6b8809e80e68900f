import { assertEquals } from "@std/assert";
import { settingWarnings } from "../../src/settings/setting_warnings.ts";

Deno.test("settingWarnings: nothing is odd about what is used, and about other programs' variables", () => {
  const environment = {
    PATH: "/bin",
    HOME: "/root",
    POST: "1",
    REDIS_URL: "redis://localhost",
    REDIS_PREFIX: "a",
    MONGODB_URL: "mongodb://localhost",
    MONGODB_COLLECTION: "sessions",
  };
  assertEquals(settingWarnings(environment), []);
  assertEquals(settingWarnings({}), []);
});

Deno.test("settingWarnings: a variable of a part that is not in use is named, with what is missing", () => {
  assertEquals(settingWarnings({ MONGODB_COLLECTION: "sessions", REDIS_PREFIX: "a" }), [
    "MONGODB_COLLECTION is ignored, as MONGODB_URL is not set",
    "REDIS_PREFIX is ignored, as REDIS_URL is not set",
  ]);
  assertEquals(settingWarnings({ MONGODB_URL: "mongodb://localhost", EMBEDDED_KEYS: "a" }), [
    "EMBEDDED_KEYS is ignored, as MONGODB_URL is set",
  ]);
});

Deno.test("settingWarnings: blanks and quotes around a name are told of, as they belong to it", () => {
  const urls = { REDIS_URL: "redis://localhost", MONGODB_URL: "mongodb://localhost" };
  for (const value of ["news ", " news", '"news"', "'news", "news\u00a0"]) {
    for (const name of ["REDIS_CHANNEL", "REDIS_STREAM", "MONGODB_KEY_FIELD"]) {
      assertEquals(settingWarnings({ ...urls, [name]: value }), [
        `${name} begins or ends with a blank or a quote, which is a part of the name`,
      ]);
    }
  }
  const plain = { REDIS_CHANNEL: "", REDIS_STREAM: "the news", MONGODB_FILTER: ' {"a":"b"} ' };
  assertEquals(settingWarnings({ ...urls, ...plain }), []);
});

Deno.test("settingWarnings: where the runtime's own OpenTelemetry is on, Keywire's is said to be off", () => {
  const OTEL_EXPORTER_OTLP_ENDPOINT = "http://localhost:4318";
  assertEquals(settingWarnings({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME: "push" }), []);
  assertEquals(settingWarnings({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_DENO: "true" }), [
    "OTEL_EXPORTER_OTLP_ENDPOINT is the runtime's, as OTEL_DENO is set",
  ]);
  assertEquals(settingWarnings({ OTEL_SERVICE_NAME: "push" }), [
    "OTEL_SERVICE_NAME is ignored, as OTEL_EXPORTER_OTLP_ENDPOINT is not set",
  ]);
});

Deno.test("settingWarnings: names one letter off are named, with what is meant", () => {
  for (const name of ["REDIS_UR", "REDIS_URLS", "REDIS_URI", "REDIS_ULR", "EDIS_URL"]) {
    assertEquals(settingWarnings({ [name]: "redis://secret@localhost" }), [
      `${name} is no setting: do you mean REDIS_URL?`,
    ]);
  }
  assertEquals(settingWarnings({ REDIS_HOST: "a", MONGO_URL: "b", REDIS: "c" }), []);
});
