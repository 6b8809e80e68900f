# .github/workflows/dependencies.yml appends the digest of the image (`@sha256:…`), which no later push
# to the tag can change. By hand: `docker buildx imagetools inspect denoland/deno:debian-2.9.6`.
FROM denoland/deno:debian-2.9.6
WORKDIR /app
# The files stay root's: the program can read them and nothing more.
USER deno

# The packages have a layer of their own, which changes only when they do.
COPY deno.json deno.lock ./
RUN deno install --frozen

COPY main.ts ./
COPY deploy/with_nofile.sh deploy/healthcheck.ts ./
COPY src src
COPY webpage webpage
RUN deno cache --frozen main.ts

# Without REDIS_URL and MONGODB_URL the start stops, saying so; DEMO=1 shows the embedded parts.
ENV HOST=0.0.0.0
EXPOSE 8088

# By /health, not /ready: a restart would not bring Redis back, and would cut every connection.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["deno", "run", "--no-prompt", "--allow-env=PORT", "--allow-net=127.0.0.1", "healthcheck.ts"]

# The image's entrypoint is tini, which passes SIGTERM on, so that the gateway drains. The script
# tells the limit of descriptors and is replaced by the start task of deno.json.
CMD ["sh", "with_nofile.sh", "deno", "run", "--frozen", "--no-prompt", "--unstable-no-legacy-abort", "--unstable-net", "--allow-net", "--allow-env", "--allow-read=webpage", "main.ts"]
