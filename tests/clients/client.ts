/** One of other people's clients, in a small program that tells what its client meets. */
export interface Client {
  /** Its name, as people know it. */
  readonly name: string;
  /** Where its package comes from. */
  readonly ecosystem: "npm" | "PyPI" | "Go" | "Rust" | "Java";
  /** Its package and version, as a file beside the program pins them; "JDK" brings its own. */
  readonly pinned: string;
  /** What it speaks: `keywire.v1` on a WebSocket, or server-sent events. */
  readonly way: "v1" | "sse";
  /** The program's source, from this folder. */
  readonly program: string;
}

type Row = readonly [name: string, way: Client["way"], program: string, pinned: string];

const NPM: readonly Row[] = [
  ["ws", "v1", "ws.mjs", '"ws": "8.23.0"'],
  ["undici", "v1", "undici.mjs", '"undici": "7.30.2"'],
  [
    "reconnecting-websocket",
    "v1",
    "reconnecting_websocket.mjs",
    '"reconnecting-websocket": "4.4.0"',
  ],
  ["partysocket", "v1", "partysocket.mjs", '"partysocket": "1.3.0"'],
  ["VueUse", "v1", "vueuse.mjs", '"@vueuse/core": "14.4.0"'],
  ["eventsource", "sse", "eventsource.mjs", '"eventsource": "4.1.1"'],
  [
    "event-source-polyfill",
    "sse",
    "event_source_polyfill.mjs",
    '"event-source-polyfill": "1.0.31"',
  ],
  [
    "fetch-event-source",
    "sse",
    "fetch_event_source.mjs",
    '"@microsoft/fetch-event-source": "2.0.1"',
  ],
];

const PYPI: readonly Row[] = [
  ["websockets", "v1", "websockets_client.py", "websockets==17.4"],
  ["aiohttp", "v1", "aiohttp_client.py", "aiohttp==3.14.5"],
  ["websocket-client", "v1", "websocket_client.py", "websocket-client==1.9.2"],
  ["curl_cffi", "v1", "curl_cffi_client.py", "curl_cffi==0.17.0"],
  ["httpx with httpx-sse", "sse", "httpx_client.py", "httpx-sse==0.4.3"],
];

const GO: readonly Row[] = [
  ["coder/websocket", "v1", "coder/main.go", "github.com/coder/websocket v1.8.15"],
  ["gorilla/websocket", "v1", "gorilla/main.go", "github.com/gorilla/websocket v1.5.3"],
  ["r3labs/sse", "sse", "r3labs/main.go", "github.com/r3labs/sse/v2 v2.10.0"],
];

const RUST: readonly Row[] = [
  ["tungstenite", "v1", "src/tungstenite.rs", 'tungstenite = "=0.30.0"'],
];

const JAVA: readonly Row[] = [
  ["OkHttp", "v1", "src/OkHttpWebSocket.java", "<version>5.3.2</version>"],
  ["OkHttp's EventSource", "sse", "src/OkHttpEvents.java", "<version>5.3.2</version>"],
  ["java.net.http.HttpClient", "sse", "src/JdkEvents.java", "JDK"],
  ["java.net.http.WebSocket", "v1", "src/JdkWebSocket.java", "JDK"],
];

/** The file that pins the packages of an ecosystem, from this folder. */
export const PINS: Readonly<Record<Client["ecosystem"], string>> = {
  npm: "npm/package.json",
  PyPI: "python/requirements.txt",
  Go: "go/go.mod",
  Rust: "rust/Cargo.toml",
  Java: "java/pom.xml",
};

/** Every client that `deno task clients` drives. */
export const CLIENTS: readonly Client[] = [
  ...clientsOf("npm", NPM),
  ...clientsOf("PyPI", PYPI),
  ...clientsOf("Go", GO),
  ...clientsOf("Rust", RUST),
  ...clientsOf("Java", JAVA),
];

/** Its version, as pinned; empty where it came with the language. */
export function versionOf({ pinned }: Client): string {
  return /\d+(?:\.\d+)+/.exec(pinned)?.[0] ?? "";
}

function clientsOf(ecosystem: Client["ecosystem"], rows: readonly Row[]): Client[] {
  const folder = PINS[ecosystem].split("/")[0];
  return rows.map(([name, way, program, pinned]) => ({
    name,
    ecosystem,
    pinned,
    way,
    program: `${folder}/${program}`,
  }));
}
