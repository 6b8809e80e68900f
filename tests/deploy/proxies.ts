/** The proxies of `deploy/`, each run for real with its own configuration file. */
import { freePort, waitFor } from "../support/wait.ts";

/** A proxy that `deploy/` has a configuration for. */
export type ProxyKind = "nginx" | "haproxy" | "caddy";

/** All of them. */
export const PROXY_KINDS: readonly ProxyKind[] = ["nginx", "haproxy", "caddy"];

/** What a proxy is started with. */
export interface ProxyOptions {
  /** The public port of both nodes, which listen on 127.0.0.1 and 127.0.0.2 and so on. */
  readonly port: number;
  /** Their `INTERNAL_PORT`. */
  readonly internalPort: number;
  /** Paths of a certificate for 127.0.0.1 and of its key, in PEM; without one it speaks plain HTTP. */
  readonly certificate?: { readonly cert: string; readonly key: string };
  /** What a deployment may want otherwise: further changes of the file. */
  readonly edits?: readonly Edit[];
}

/** Replaces `pattern`, which the file must have. */
export type Edit = readonly [pattern: RegExp, by: string];

/** The addresses of the nodes; the files of `deploy/` have the first two. */
export const NODE_HOSTS = ["127.0.0.1", "127.0.0.2", "127.0.0.3"] as const;

/** A running proxy. */
export interface ProxyServer extends AsyncDisposable {
  readonly kind: ProxyKind;
  /** `http://127.0.0.1:<port>`, or `https://…` with a certificate. */
  readonly url: string;
  readonly port: number;
  /** All that it has written: to its outputs and to its log files. */
  log(): Promise<string>;
}

interface Prepared {
  readonly command: readonly [string, ...string[]];
  readonly env?: Record<string, string>;
}

type Prepare = (dir: string, port: number, options: ProxyOptions) => Promise<Prepared>;

const PREPARE: Readonly<Record<ProxyKind, Prepare>> = {
  nginx: prepareNginx,
  haproxy: prepareHaproxy,
  caddy: prepareCaddy,
};

/**
 * Starts the proxy with its file of `deploy/`, in which addresses, ports and paths alone are
 * changed.
 * @throws with what it wrote, when it does not come up
 */
export async function startProxy(kind: ProxyKind, options: ProxyOptions): Promise<ProxyServer> {
  const dir = await Deno.makeTempDir({ prefix: `keywire-${kind}-` });
  const port = freePort();
  const { command: [program, ...args], env = {} } = await PREPARE[kind](dir, port, options);
  const child = new Deno.Command(program, {
    args,
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let output = "";
  const reading = Promise.all([child.stdout, child.stderr].map(async (stream) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) output += text;
  }));
  let isOver = false;
  const ended = child.status.finally(() => isOver = true);
  const asyncDispose = async () => {
    if (!isOver) child.kill("SIGTERM");
    const timer = setTimeout(() => isOver || child.kill("SIGKILL"), 1_000);
    await ended;
    await reading;
    clearTimeout(timer);
    await Deno.remove(dir, { recursive: true });
  };
  try {
    await waitFor(`${kind} to listen`, async () => {
      if (isOver) throw new Error(`${kind} stopped at its start`);
      return await listens(port);
    });
  } catch (error) {
    await asyncDispose();
    throw new Error(`${(error as Error).message}\n${output}`);
  }
  return {
    kind,
    port,
    url: `${options.certificate ? "https" : "http"}://127.0.0.1:${port}`,
    log: async () => output + await textsIn(dir, /\.log$/),
    [Symbol.asyncDispose]: asyncDispose,
  };
}

async function prepareNginx(dir: string, port: number, options: ProxyOptions): Promise<Prepared> {
  const { certificate } = options;
  const site = edited(await config("nginx/keywire.conf"), [
    ...nodeEdits(options),
    certificate
      ? [/listen 443 /, `listen 127.0.0.1:${port} `]
      : [/listen 443 ssl http2;/, `listen 127.0.0.1:${port};`],
    [/ *ssl_certificate .*\n/, certificate ? `ssl_certificate ${certificate.cert};\n` : ""],
    [/ *ssl_certificate_key .*\n/, certificate ? `ssl_certificate_key ${certificate.key};\n` : ""],
    [/\/var\/log\/nginx\//g, `${dir}/`],
  ]);
  const main = edited(await config("nginx/nginx.conf"), [
    [/\/run\/nginx\.pid/, `${dir}/nginx.pid`],
    [/\/etc\/nginx\/conf\.d\/\*\.conf/, `${dir}/keywire.conf`],
    // As far as the descriptors of a small machine go.
    [/worker_rlimit_nofile \d+/, "worker_rlimit_nofile 8192"],
    [/worker_connections \d+/, "worker_connections 4096"],
    ...Deno.uid() === 0 ? [] : [[/^user .*\n/m, ""] as const],
  ]);
  await Deno.writeTextFile(`${dir}/keywire.conf`, site);
  await Deno.writeTextFile(`${dir}/nginx.conf`, main);
  const path = `${dir}/nginx.conf`;
  return { command: ["nginx", "-p", dir, "-e", "stderr", "-c", path, "-g", "daemon off;"] };
}

async function prepareHaproxy(
  dir: string,
  port: number,
  options: ProxyOptions,
): Promise<Prepared> {
  const { certificate } = options;
  const pem = `${dir}/keywire.pem`;
  if (certificate) {
    const parts = [certificate.cert, certificate.key].map((path) => Deno.readTextFile(path));
    await Deno.writeTextFile(pem, (await Promise.all(parts)).join(""));
  }
  const text = edited(await config("haproxy/haproxy.cfg"), [
    ...nodeEdits(options),
    [/check port 9088/, `check port ${options.internalPort}`],
    certificate
      ? [/bind :443 ssl crt \/etc\/haproxy\/keywire\.pem/, `bind 127.0.0.1:${port} ssl crt ${pem}`]
      : [/bind :443 .*/, `bind 127.0.0.1:${port}`],
  ]);
  await Deno.writeTextFile(`${dir}/haproxy.cfg`, text);
  return { command: ["haproxy", "-db", "-f", `${dir}/haproxy.cfg`] };
}

async function prepareCaddy(dir: string, port: number, options: ProxyOptions): Promise<Prepared> {
  const { certificate } = options;
  const site = certificate
    ? `https://127.0.0.1:${port} {\n  tls ${certificate.cert} ${certificate.key}\n`
    : `http://127.0.0.1:${port} {\n`;
  const text = edited(await config("caddy/Caddyfile"), [
    ...nodeEdits(options),
    [/health_port 9088/, `health_port ${options.internalPort}`],
    // Its own port for administration, and port 80, may be in use here.
    [/^\{\n/m, "{\n  admin off\n  auto_https disable_redirects\n"],
    [/^gateway\.example \{\n/m, site],
  ]);
  await Deno.writeTextFile(`${dir}/Caddyfile`, text);
  return {
    command: ["caddy", "run", "--adapter", "caddyfile", "--config", `${dir}/Caddyfile`],
    env: { XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir, HOME: dir },
  };
}

function nodeEdits({ port, edits = [] }: ProxyOptions): Edit[] {
  const addresses = NODE_HOSTS.slice(0, 2).map((host, i): Edit => [
    new RegExp(`10\\.0\\.0\\.1${i + 1}:8088`),
    `${host}:${port}`,
  ]);
  return [...addresses, ...edits];
}

/** @throws when a pattern is not in the text: the file has changed, and the test must follow */
function edited(text: string, edits: readonly Edit[]): string {
  for (const [pattern, by] of edits) {
    if (text.search(pattern) < 0) throw new Error(`The configuration has no ${pattern}`);
    text = text.replace(pattern, by);
  }
  return text;
}

function config(path: string): Promise<string> {
  return Deno.readTextFile(new URL(`../../deploy/${path}`, import.meta.url));
}

async function listens(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

async function textsIn(dir: string, name: RegExp): Promise<string> {
  let text = "";
  for await (const entry of Deno.readDir(dir)) {
    if (name.test(entry.name)) text += await Deno.readTextFile(`${dir}/${entry.name}`);
  }
  return text;
}
