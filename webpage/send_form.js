import { copyButton } from "./copy_button.js";

/**
 * The form that sends, and the lines that do the same from a shell, for what the form says.
 *
 * @param {(id: string) => HTMLElement} element finds the page's elements
 * @param {object} options
 * @param {string} options.gateway its address by HTTP, ending in a slash
 * @param {boolean} options.publish whether this page may publish
 * @param {string | null} options.channel the channel of the gateway, null where that way is off
 * @param {string | null} options.stream the stream of the gateway, null where that way is off
 */
export function sendForm(element, { gateway, publish, channel, stream }) {
  const recipient = element("recipient");
  const message = element("message");
  const sent = element("sent");
  const commands = element("commands");
  const url = new URL("api/publish", gateway).href;
  const token = publish ? "" : ` \\\n  -H "Authorization: Bearer $API_TOKEN"`;
  const lines = [
    channel && command("publish", (json) => `redis-cli PUBLISH ${channel} ${quote(json)}`),
    stream &&
    command(
      "append",
      (json) => `redis-cli XADD ${stream} MAXLEN '~' 100000 '*' message ${quote(json)}`,
    ),
    command(
      "post",
      (json) => `curl ${url}${token} \\\n  -H 'Content-Type: application/json' -d ${quote(json)}`,
    ),
  ].filter(Boolean);
  commands.append(...lines.map(({ block }) => block));
  element("send").hidden = !publish;
  element("shell-hint").textContent = channel || stream
    ? ""
    : "With REDIS_URL set, PUBLISH and XADD by redis-cli reach it too.";

  /** Writes the form's envelope into the lines, as far as it is one. */
  function update() {
    const json = envelope(recipient.value, message.value);
    sent.textContent = json === undefined ? "This is not a JSON object yet." : "";
    sent.classList.toggle("wrong", json === undefined);
    message.setAttribute("aria-invalid", String(json === undefined));
    for (const line of lines) if (json !== undefined) line.set(json);
  }

  recipient.addEventListener("input", update);
  message.addEventListener("input", update);
  element("send-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const json = envelope(recipient.value, message.value);
    if (!publish || json === undefined) return;
    sent.textContent = await post(url, json);
  });
  update();
  return { update };
}

/**
 * The envelope for one recipient: `message` with that member put in front of the others, its text left
 * as it is. Undefined when `message` is no JSON object.
 */
function envelope(recipient, message) {
  try {
    const value = JSON.parse(message);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    const text = message.trim().replace(/[\r\n]+\s*/g, " ");
    const recipients = recipient === "*" ? '"*"' : JSON.stringify([recipient]);
    const members = text.slice(1).trimStart();
    return `{"recipients":${recipients}${members === "}" ? "" : ","}${members}`;
  } catch {
    return undefined;
  }
}

async function post(url, json) {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: json,
    });
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) return answer.detail ?? `The gateway answered with ${response.status}.`;
    if (answer.online > 0) return `Sent: ${answer.online} online.`;
    return "Sent, but nobody with that name is connected.";
  } catch {
    return "Cannot send: the gateway does not answer.";
  }
}

function command(name, write) {
  const block = document.createElement("div");
  block.className = "command";
  const code = document.createElement("code");
  code.id = `command-${name}`;
  block.append(code, copyButton(() => code.textContent, `the line to ${name}`));
  return { block, set: (json) => code.textContent = write(json) };
}

/** A word for a POSIX shell. */
function quote(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
