/** How long the browser may take to fetch what it saves. */
const KEPT_MS = 60_000;

/**
 * Saves messages as NDJSON: a line each, `{"n":…,"time":"…","message":…}`, the messages as they came.
 *
 * @param {{n: number, time: Date, text: string}[]} messages
 */
export function exportMessages(messages) {
  const lines = messages.map(({ n, time, text }) =>
    `{"n":${n},"time":"${time.toISOString()}","message":${text}}\n`
  );
  const url = URL.createObjectURL(new Blob(lines, { type: "application/x-ndjson" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `keywire-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}.ndjson`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
