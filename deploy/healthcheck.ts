/** Whether the gateway of this container answers: its exit code tells Docker. */
const port = Deno.env.get("PORT") ?? "8088";
const { ok } = await fetch(`http://127.0.0.1:${port}/health`);
Deno.exit(ok ? 0 : 1);
