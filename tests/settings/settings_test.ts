import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { contains, parseAddress } from "../../src/core/ip_address.ts";
import { describeSettings } from "../../src/settings/describe_settings.ts";
import { Environment } from "../../src/settings/environment.ts";
import {
  InvalidSetting,
  KEY_STORES,
  readSettings,
  readSettingsFrom,
} from "../../src/settings/settings.ts";

type Variables = Readonly<Record<string, string>>;

const read = (variables: Variables) =>
  readSettings((name) => new Map(Object.entries(variables)).get(name));
const messageFor = (variables: Variables) =>
  assertThrows(() => read(variables), InvalidSetting).message;

const SERVERS = { REDIS_URL: "redis://redis:6379", MONGODB_URL: "mongodb://mongo:27017" };
const TOKENS = ["a".repeat(32), "b".repeat(40)];

Deno.test("an empty environment gives the documented defaults", () => {
  assertEquals(read({}), {
    host: "127.0.0.1",
    port: 8088,
    redisUrl: undefined,
    redisSentinelUsername: undefined,
    redisSentinelPassword: undefined,
    redisChannel: "my_channel",
    redisStream: "my_stream",
    connectedChannel: "connected",
    disconnectedChannel: "disconnected",
    redisPrefix: "keywire",
    mongodbUrl: undefined,
    mongodbDatabase: "myDB",
    mongodbCollection: "myCollection",
    mongodbTimeoutMs: 2000,
    mongodbKeyField: "_id",
    mongodbRecipientField: "_id",
    mongodbFilter: undefined,
    mongodbExpiresField: undefined,
    embeddedKeys: ["demo", "00721b2a-046c-4ecc-a5df-5f808cc6c58f"],
    demo: false,
    apiTokens: [],
    internalPort: undefined,
    reusePort: false,
    nofile: undefined,
    allowedOrigins: "*",
    trustedProxies: [],
    maxConnections: 100_000,
    maxConnectionsPerKey: 100,
    maxConnectionsPerIp: 0,
    maxMessageBytes: 262_144,
    maxBufferedBytes: 1_048_576,
    historySeconds: 300,
    historyBytes: 67_108_864,
    revalidateSeconds: 30,
    presenceGraceSeconds: 0,
    drainSeconds: 4,
    rebalance: false,
    logLevel: "info",
    logFormat: undefined,
    otelExporterOtlpEndpoint: undefined,
    otelExporterOtlpHeaders: [],
    otelServiceName: "keywire",
    otelDeno: false,
  });
});

/** A right value of each variable, other than its default. */
const RIGHT: Variables = {
  ...SERVERS,
  HOST: "192.0.2.1",
  PORT: "80",
  REDIS_SENTINEL_USERNAME: "guard",
  REDIS_SENTINEL_PASSWORD: "p@ss",
  REDIS_CHANNEL: "news",
  REDIS_STREAM: "tape",
  CONNECTED_CHANNEL: "in",
  DISCONNECTED_CHANNEL: "out",
  REDIS_PREFIX: "push:1",
  MONGODB_DATABASE: "shop",
  MONGODB_COLLECTION: "sessions",
  MONGODB_TIMEOUT_MS: "500",
  MONGODB_KEY_FIELD: "secret",
  MONGODB_RECIPIENT_FIELD: "user.id",
  MONGODB_FILTER: '{"active":true}',
  MONGODB_EXPIRES_FIELD: "expiresAt",
  EMBEDDED_KEYS: "one, two",
  DEMO: "1",
  API_TOKEN: TOKENS.join(" , "),
  INTERNAL_PORT: "9090",
  REUSE_PORT: "1",
  NOFILE: "1048576",
  ALLOWED_ORIGINS: "https://example.org, http://localhost:3000",
  TRUSTED_PROXIES: "10.0.0.0/8, fd00::1",
  MAX_CONNECTIONS: "1",
  MAX_CONNECTIONS_PER_KEY: "2",
  MAX_CONNECTIONS_PER_IP: "3",
  MAX_MESSAGE_BYTES: "1000",
  MAX_BUFFERED_BYTES: "2000",
  HISTORY_SECONDS: "60",
  HISTORY_BYTES: "4096",
  REVALIDATE_SECONDS: "10",
  PRESENCE_GRACE_SECONDS: "5",
  DRAIN_SECONDS: "0",
  REBALANCE: "1",
  LOG_LEVEL: "debug",
  LOG_FORMAT: "json",
  OTEL_EXPORTER_OTLP_ENDPOINT: "http://otel:4318",
  OTEL_EXPORTER_OTLP_HEADERS: "authorization=Basic%20YTpi, x-tenant = a=b",
  OTEL_SERVICE_NAME: "push",
  OTEL_DENO: "true",
};

Deno.test("describeSettings: what its rule calls a secret is not shown", () => {
  const env = new Environment((name) => RIGHT[name]);
  readSettingsFrom(env);
  const secrets = [...env.variables].filter(([, secret]) => secret === true);
  assert(secrets.length > 4, `${secrets.length}`);
  const { all } = describeSettings(RIGHT);
  for (const [name] of secrets) assertMatch(all[name]!, /^set( \(\d\))?$/, name);
});

Deno.test("every variable is read into the setting of its name", () => {
  const settings = read(RIGHT);
  const { trustedProxies, ...rest } = settings;
  assertEquals(rest, {
    host: "192.0.2.1",
    port: 80,
    redisUrl: "redis://redis:6379",
    redisSentinelUsername: "guard",
    redisSentinelPassword: "p@ss",
    redisChannel: "news",
    redisStream: "tape",
    connectedChannel: "in",
    disconnectedChannel: "out",
    redisPrefix: "push:1",
    mongodbUrl: "mongodb://mongo:27017",
    mongodbDatabase: "shop",
    mongodbCollection: "sessions",
    mongodbTimeoutMs: 500,
    mongodbKeyField: "secret",
    mongodbRecipientField: "user.id",
    mongodbFilter: '{"active":true}',
    mongodbExpiresField: "expiresAt",
    embeddedKeys: ["one", "two"],
    demo: true,
    apiTokens: TOKENS,
    internalPort: 9090,
    reusePort: true,
    nofile: 1_048_576,
    allowedOrigins: ["https://example.org", "http://localhost:3000"],
    maxConnections: 1,
    maxConnectionsPerKey: 2,
    maxConnectionsPerIp: 3,
    maxMessageBytes: 1000,
    maxBufferedBytes: 2000,
    historySeconds: 60,
    historyBytes: 4096,
    revalidateSeconds: 10,
    presenceGraceSeconds: 5,
    drainSeconds: 0,
    rebalance: true,
    logLevel: "debug",
    logFormat: "json",
    otelExporterOtlpEndpoint: "http://otel:4318",
    otelExporterOtlpHeaders: [["authorization", "Basic YTpi"], ["x-tenant", "a=b"]],
    otelServiceName: "push",
    otelDeno: true,
  });
  const trusts = (address: string) =>
    trustedProxies.some((block) => contains(block, parseAddress(address)!));
  assert(trusts("10.9.9.9") && trusts("fd00::1") && !trusts("11.0.0.0") && !trusts("fd00::2"));
});

Deno.test("the gateway listens everywhere only when nothing is embedded", () => {
  assertEquals(read(SERVERS).host, "0.0.0.0");
  assertEquals(read({ REDIS_URL: SERVERS.REDIS_URL }).host, "127.0.0.1");
  assertEquals(read({ MONGODB_URL: SERVERS.MONGODB_URL }).host, "127.0.0.1");
});

Deno.test("embedded parts on a host that is not loopback stop the start and name what is missing", () => {
  const stores = Object.values(KEY_STORES).join(" or ");
  const both = messageFor({ HOST: "0.0.0.0" });
  assertStringIncludes(both, `REDIS_URL and ${stores} must be set`);
  assertStringIncludes(both, "DEMO=1");
  const store = messageFor({ HOST: "::", REDIS_URL: SERVERS.REDIS_URL });
  assertStringIncludes(store, `${stores} must be set`);
  assert(!store.includes("REDIS_URL"), store);
  const bus = messageFor({ HOST: "push.example.org", MONGODB_URL: SERVERS.MONGODB_URL });
  assertStringIncludes(bus, "REDIS_URL must be set");
  assert(!bus.includes("MONGODB_URL"), bus);
});

Deno.test("embedded parts are served on loopback, and elsewhere with DEMO=1", () => {
  for (const HOST of ["127.0.0.1", "127.1.2.3", "::1", "localhost"]) {
    assertEquals(read({ HOST }).host, HOST);
  }
  assertEquals(read({ HOST: "0.0.0.0", DEMO: "1" }).host, "0.0.0.0");
  messageFor({ HOST: "0.0.0.0", DEMO: "0" });
});

Deno.test("an empty name turns one way in off, but not both", () => {
  assertEquals(read({ REDIS_CHANNEL: "" }).redisChannel, undefined);
  assertEquals(read({ REDIS_STREAM: "" }).redisStream, undefined);
  const message = messageFor({ REDIS_CHANNEL: "", REDIS_STREAM: "" });
  assertStringIncludes(message, "REDIS_CHANNEL and REDIS_STREAM");
});

Deno.test("notices and messages may not share a channel", () => {
  assertStringIncludes(messageFor({ CONNECTED_CHANNEL: "my_channel" }), "CONNECTED_CHANNEL");
  assertStringIncludes(messageFor({ DISCONNECTED_CHANNEL: "connected" }), "DISCONNECTED_CHANNEL");
  for (const name of ["REDIS_CHANNEL", "CONNECTED_CHANNEL", "DISCONNECTED_CHANNEL"]) {
    const message = messageFor({ REDIS_PREFIX: "a", [name]: "{a}:control" });
    assertStringIncludes(message, `${name} is "{a}:control" but must be another name`);
  }
});

Deno.test("the buffer holds two messages at least, and grows with them by itself", () => {
  assertEquals(read({ MAX_MESSAGE_BYTES: "1000000" }).maxBufferedBytes, 2_000_000);
  const message = messageFor({ MAX_MESSAGE_BYTES: "1000", MAX_BUFFERED_BYTES: "1999" });
  assertStringIncludes(message, 'MAX_BUFFERED_BYTES is "1999" but must be an integer from 2000');
  assertStringIncludes(message, "MAX_MESSAGE_BYTES");
});

Deno.test("the key field names the recipient unless another field does", () => {
  assertEquals(read({ MONGODB_KEY_FIELD: "token" }).mongodbRecipientField, "token");
  const other = read({ MONGODB_KEY_FIELD: "token", MONGODB_RECIPIENT_FIELD: "user" });
  assertEquals(other.mongodbRecipientField, "user");
});

Deno.test("an origin may be a web page's, an extension's or an app's", () => {
  const origins = ["http://[::1]:3000", "chrome-extension://abcdef", "capacitor://localhost"];
  assertEquals(read({ ALLOWED_ORIGINS: origins.join(",") }).allowedOrigins, origins);
});

Deno.test("the internal port is another one", () => {
  assertStringIncludes(messageFor({ PORT: "80", INTERNAL_PORT: "80" }), "INTERNAL_PORT is 80");
  assertEquals(read({ PORT: "0", INTERNAL_PORT: "0" }).internalPort, 0);
});

Deno.test("processes that share a port need ports of their own, and one Redis", () => {
  const shared = { ...SERVERS, REUSE_PORT: "1", INTERNAL_PORT: "9001" };
  assertEquals(read(shared).reusePort, true);
  assertStringIncludes(messageFor({ ...shared, PORT: "0" }), "PORT must not be 0");
  const { INTERNAL_PORT: _port, ...unscraped } = shared;
  assertStringIncludes(messageFor(unscraped), "REUSE_PORT is 1, so INTERNAL_PORT must be set");
  const { REDIS_URL: _url, ...alone } = shared;
  assertStringIncludes(messageFor({ ...alone, HOST: "127.0.0.1" }), "REDIS_URL must be set");
});

Deno.test("every form of a Redis and a MongoDB address is taken as it is", () => {
  const redis = [
    ...[
      "redis://localhost",
      "redis://:pa55@redis:6379/2",
      "rediss://user:p%40ss@redis.example.org",
    ],
    ...["redis://[::1]:6379", "redis+sentinel://a:26379,b:26379/mymaster"],
    ...["rediss+sentinel://:pw@a,b/mymaster/1", "redis+cluster://a:7000,b:7001"],
    ...["rediss+cluster://user:pw@a:7000"],
  ];
  for (const REDIS_URL of redis) assertEquals(read({ REDIS_URL }).redisUrl, REDIS_URL);
  const mongodb = [
    ...["mongodb://localhost", "mongodb://u:p@a:27017,b:27017/admin?replicaSet=rs0"],
    ...["mongodb+srv://user:pw@cluster.example.org/?retryWrites=true", "mongodb://[::1]:27017"],
    ...["mongodb://%2Ftmp%2Fmongodb-27017.sock/db"],
  ];
  for (const MONGODB_URL of mongodb) assertEquals(read({ MONGODB_URL }).mongodbUrl, MONGODB_URL);
});

Deno.test("readSettings: a REDIS_URL that the connections could not read is refused with the reason", () => {
  const reasons = {
    "redis://h:6379?family=0": "nothing may follow its path, such as ?family=0",
    "redis://h/zero": "its path must be a database's number",
    "redis+sentinel://h": "the name of the master must follow the Sentinels",
  };
  for (const [REDIS_URL, reason] of Object.entries(reasons)) {
    assertStringIncludes(messageFor({ REDIS_URL }), reason);
  }
});

Deno.test("readSettings: an empty variable of OpenTelemetry is unset, as its specification says", () => {
  const names = ["EXPORTER_OTLP_ENDPOINT", "EXPORTER_OTLP_HEADERS", "SERVICE_NAME", "DENO"];
  const empty = Object.fromEntries(names.map((name) => [`OTEL_${name}`, ""]));
  assertEquals(read(empty), read({}));
  assertEquals(read({ OTEL_DENO: "False" }).otelDeno, false);
});

/** Values that must be refused, a row a variable. */
const WRONG: Readonly<Record<string, readonly string[]>> = {
  HOST: ["", "[::1]", "1.2.3.256", "a b", "http://localhost", "-a"],
  PORT: ["", "-1", "65536", "80 ", "0x50", "8e1", "080", "1.5", "+80", "١", "NaN", "Infinity"],
  REDIS_URL: [
    ...["", "redis", "http://redis", "redis://", "redis://a,b", "redis+sentinel://a:26379"],
    ...["redis://h:6379?family=0", "redis://h:99999", "redis://h/0/1", "redis+cluster://h/1"],
    ...["redis://:%zz@h", "redis://h/?x", "redis://h#x"],
  ],
  REDIS_SENTINEL_USERNAME: ["", "x".repeat(257)],
  REDIS_SENTINEL_PASSWORD: ["", "x".repeat(257)],
  REDIS_CHANNEL: ["a\nb", "x".repeat(257)],
  REDIS_STREAM: ["\0"],
  CONNECTED_CHANNEL: ["", "\u2028"],
  DISCONNECTED_CHANNEL: [""],
  REDIS_PREFIX: ["", "{a}", "a b", "x".repeat(65)],
  MONGODB_URL: ["", "mongodb://", "mongo:27017", "http://mongo"],
  MONGODB_DATABASE: ["", "a.b", "a b", "x".repeat(64)],
  MONGODB_COLLECTION: ["", "a$b", "system.users"],
  MONGODB_TIMEOUT_MS: ["9", "60001", "2s"],
  MONGODB_KEY_FIELD: ["", "$where", "a.$b", "a..b", ".a", "a."],
  MONGODB_RECIPIENT_FIELD: ["", "$where"],
  MONGODB_FILTER: ["", "{", "[]", "null", "1", '"a"', "{active:true}"],
  MONGODB_EXPIRES_FIELD: ["", "$where"],
  EMBEDDED_KEYS: ["", "a,,b", "a,b\u0007", "ü".repeat(129)],
  DEMO: ["", "true", "yes", "2"],
  API_TOKEN: ["", "x".repeat(31), `${"x".repeat(32)},short`, "ü".repeat(32), `${"x".repeat(32)} y`],
  INTERNAL_PORT: ["", "65536"],
  NOFILE: ["", "0", "unlimited"],
  ALLOWED_ORIGINS: [
    ...["", "*,https://a.example", "https://a.example/", "a.example", "https://A.example"],
    ...["https://a.example:443", "https://*.example", "https://a.example,", "null", "https://u@a"],
  ],
  TRUSTED_PROXIES: ["", "10.0.0.0/33", "proxy", "10.0.0.1,", "::/129"],
  MAX_CONNECTIONS: ["0", "2147483648"],
  MAX_CONNECTIONS_PER_KEY: ["0"],
  MAX_CONNECTIONS_PER_IP: ["-1"],
  MAX_MESSAGE_BYTES: ["63", "33554433"],
  MAX_BUFFERED_BYTES: ["524287", "1073741825"],
  HISTORY_SECONDS: ["-1", "86401"],
  HISTORY_BYTES: ["17179869185"],
  REVALIDATE_SECONDS: ["0"],
  PRESENCE_GRACE_SECONDS: ["3601"],
  DRAIN_SECONDS: ["601"],
  REUSE_PORT: ["", "true"],
  REBALANCE: ["yes", "2"],
  LOG_LEVEL: ["", "INFO", "trace"],
  LOG_FORMAT: ["", "xml"],
  OTEL_EXPORTER_OTLP_ENDPOINT: [
    ...["otel:4318", "grpc://otel:4317", "http://user:pw@otel:4318", "http://otel?token=a"],
  ],
  OTEL_EXPORTER_OTLP_HEADERS: ["token", "a=b,", "a b=c", "a=%zz", "a=%0A", "a=ü"],
  OTEL_SERVICE_NAME: ["a\nb", "x".repeat(257)],
  OTEL_DENO: ["yes", "2"],
};
const SECRETS = [
  ...["REDIS_URL", "REDIS_SENTINEL_PASSWORD", "MONGODB_URL", "EMBEDDED_KEYS", "API_TOKEN"],
  ...["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS"],
];

for (const [name, values] of Object.entries(WRONG)) {
  Deno.test(`a wrong ${name} is refused in one line that says what would be right`, () => {
    for (const value of values) {
      const message = messageFor({ [name]: value });
      assertMatch(message, new RegExp(`^${name} .*must be .+$`, "u"), message);
      assert(!/[\n\r\u2028\u2029\0]/.test(message), message);
    }
  });
}

Deno.test("every variable that is read has a row of wrong values here", () => {
  const names = new Set<string>();
  readSettings((name) => void names.add(name));
  assertEquals([...names].sort(), Object.keys(WRONG).sort());
});

Deno.test("a wrong value is shown, cut when it is long", () => {
  assertStringIncludes(messageFor({ PORT: "eighty" }), 'PORT is "eighty"');
  const message = messageFor({ MONGODB_FILTER: "x".repeat(10_000) });
  assert(message.length < 300, message);
});

Deno.test("any environment gives settings, or one line", () => {
  const value = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(...Object.values(WRONG).flat(), "0", "1", "*", "text", "localhost"),
  );
  const variables = fc.dictionary(fc.constantFrom(...Object.keys(WRONG)), value);
  fc.assert(
    fc.property(variables, (environment) => {
      try {
        read(environment);
      } catch (error) {
        assert(error instanceof InvalidSetting, String(error));
        assertMatch(error.message, /^[^\p{Cc}\u2028\u2029]+$/u);
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("a secret never shows in the message, whatever is wrong", () => {
  const marker = "S3CRET-MARKER";
  const around = fc.tuple(
    fc.constantFrom("", "redis://", "mongodb://u:", "redis+sentinel://:", "https://", "a,", "\n"),
    fc.constantFrom("", "@host", "@host:6379/x", "@a,b", "/", ",", ",b", "\0", " ", "%zz"),
  ).map(([before, after]) => before + marker + after);
  const wrongElsewhere = fc.constantFrom<Variables>(
    {},
    { PORT: "x" },
    { HOST: "0.0.0.0" },
    { REDIS_CHANNEL: "", REDIS_STREAM: "" },
    { MAX_BUFFERED_BYTES: "1" },
  );
  let refused = 0;
  fc.assert(
    fc.property(fc.constantFrom(...SECRETS), around, wrongElsewhere, (name, value, others) => {
      try {
        read({ ...others, [name]: value });
      } catch (error) {
        refused++;
        assert(!String((error as Error).stack).includes(marker), String(error));
      }
    }),
    { numRuns: 1000 },
  );
  assert(refused > 100, "hardly anything was refused, so hardly anything was tried");
});
