# What the gateway imports, and nothing that only its tests do.
FROM denoland/deno:debian-2.9.6 AS packages
WORKDIR /app
COPY deno.json deno.lock main.ts ./
COPY src src
RUN deno install --frozen --entrypoint main.ts

FROM denoland/deno:debian-2.9.6
WORKDIR /app

# A layer of its own: it changes only when the packages do, not with every line of the program.
COPY --from=packages /deno-dir/npm /deno-dir/npm
COPY deno.json deno.lock main.ts ./
COPY src src
COPY webpage webpage

# Without REDIS_URL and MONGODB_URL the start stops, saying so; DEMO=1 shows the embedded parts.
ENV HOST=0.0.0.0
EXPOSE 8088
USER deno

# By /health, not /ready: a restart would not bring Redis back, and would cut every connection.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["deno", "eval", "const port = Deno.env.get('PORT') ?? 8088; const { ok } = await fetch(`http://127.0.0.1:${port}/health`); Deno.exit(ok ? 0 : 1);"]

# The image's entrypoint is tini, which passes SIGTERM on, so that the gateway drains. This is the
# start task of deno.json, without a second process to run it.
CMD ["deno", "run", "--frozen", "--no-prompt", "--allow-net", "--allow-env", "--allow-sys", "--allow-read=webpage", "main.ts"]
