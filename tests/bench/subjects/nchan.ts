import { succeeds } from "../../support/run.ts";
import { freePort } from "../../support/wait.ts";
import { KEY_MARK, messageBody, post, recipientsOf, webSocketHandshake } from "../templates.ts";
import { isThere, peerDir } from "./cache.ts";
import type { Subject } from "./port.ts";
import { startPeer } from "./process.ts";

const MODULE = "/usr/lib/nginx/modules/ngx_nchan_module.so";

/** nchan, a module of nginx, with one worker and its buffers in memory. */
export const nchan: Subject = {
  name: "nchan",
  title: "nchan (nginx)",
  async prepare() {
    if (!await succeeds("nginx", "-v") || !await isThere(MODULE)) {
      throw new Error("install nginx and libnginx-mod-nchan, as Debian has them");
    }
  },
  async start() {
    const port = freePort();
    const dir = await peerDir("nchan");
    await Deno.writeTextFile(`${dir}/nginx.conf`, configuration(port, dir));
    const peer = await startPeer(port, ["nginx", "-p", dir, "-c", `${dir}/nginx.conf`]);
    return {
      port,
      pids: [peer.pid],
      clients: {
        framing: "websocket",
        unit: "frames",
        greetings: 0,
        handshake: webSocketHandshake(`/sub?id=${KEY_MARK}`),
      },
      publish(address) {
        const [channel, ...more] = recipientsOf(address);
        if (more.length > 0) return undefined; // at most 255 channels a request
        const request = post(`/pub?id=${channel}`, messageBody());
        return { by: "http", port, publishers: 64, request };
      },
      [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
    };
  },
};

/** One process, so that its CPU is all there is to count. */
function configuration(port: number, dir: string): string {
  return `
load_module ${MODULE};
daemon off;
master_process off;
pid ${dir}/pid;
error_log ${dir}/error.log error;
worker_rlimit_nofile 20000;
events { worker_connections 19000; }
http {
  access_log off;
  client_body_temp_path ${dir}/body;
  proxy_temp_path ${dir}/proxy;
  fastcgi_temp_path ${dir}/fastcgi;
  uwsgi_temp_path ${dir}/uwsgi;
  scgi_temp_path ${dir}/scgi;
  keepalive_requests 100000000;
  nchan_shared_memory_size 512m;
  server {
    listen 127.0.0.1:${port};
    location /pub { nchan_publisher; nchan_channel_id $arg_id; nchan_message_buffer_length 1000; }
    location /sub {
      nchan_subscriber websocket;
      nchan_channel_id $arg_id;
      nchan_subscriber_first_message newest;
    }
  }
}
`;
}
