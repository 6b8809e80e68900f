import { copyButton } from "./copy_button.js";
import { jsonError } from "./json_error.js";
import { pasteableJson, shellWord } from "./shell_word.js";

/** Why a page does not send, by what its gateway says of itself. */
const OFF = {
  token: "This page does not send, as the API of this gateway wants a token, which belongs on a " +
    "backend and not in a page. Use the lines below.",
  closed:
    "This page does not send, as the API of this gateway is closed: start it with API_TOKEN " +
    "to open it to your backend, or use the lines below.",
  host: "This page does not send, as it was opened by another name than localhost, by which the " +
    "open API of a demo does not answer.",
  internal: "This page does not send, as INTERNAL_PORT serves the API at a port of its own.",
  elsewhere:
    "This page does not send, as it was not served by the gateway that it listens to, and " +
    "the API answers no other origin. Use the lines below.",
};

/**
 * The form that sends, and the lines that do the same from a shell, for what the form says.
 *
 * @param {(id: string) => HTMLElement} element finds the page's elements
 * @param {object} options
 * @param {string} options.gateway its address by HTTP, ending in a slash
 * @param {boolean} options.publish whether this page may publish
 * @param {string} [options.publishOff] why not: a name in the table above
 * @param {string | null} options.channel the channel of the gateway, null where that way is off
 * @param {string | null} options.stream the stream of the gateway, null where that way is off
 */
export function sendForm(element, { gateway, publish, publishOff, channel, stream }) {
  const recipient = element("recipient");
  const message = element("message");
  const sent = element("sent");
  const wrong = element("message-error");
  const commands = element("commands");
  const form = element("send-form");
  const url = new URL("api/publish", gateway).href;
  const lines = shellLines({ url, publish, publishOff, channel, stream });
  commands.append(...lines.map(({ block }) => block));
  element("send").hidden = element("send-keys").hidden = !publish;
  element("send-keys").textContent = `${isMac() ? "⌘" : "Ctrl"}+Enter`;
  element("send-off").hidden = publish;
  element("send-off").textContent = publish ? "" : OFF[publishOff] ?? OFF.token;

  /** Writes the form's envelope into the lines, as far as it is one. */
  function update() {
    const { json, detail, field } = envelope(recipient.value, message.value);
    message.setAttribute("aria-invalid", String(field === "message"));
    wrong.textContent = field === "message" ? detail : "";
    sent.textContent = "";
    commands.hidden = json === undefined;
    element("shell-hint").textContent = json === undefined
      ? field === "recipient" ? detail : "The lines stand here as soon as the message is valid."
      : channel || stream
      ? ""
      : "With REDIS_URL set, PUBLISH and XADD by redis-cli reach it too.";
    for (const line of lines) {
      if (json !== undefined) line.set(pasteableJson(json));
    }
  }

  async function submit() {
    const { json, detail, field, at } = envelope(recipient.value, message.value);
    if (json === undefined) {
      sent.textContent = field === "recipient" ? detail : "";
      element(field).focus();
      if (at !== undefined) message.setSelectionRange(at, at + 1);
      return;
    }
    if (publish) sent.textContent = await post(url, json);
  }

  for (const field of [recipient, message]) {
    field.addEventListener("input", update);
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      form.requestSubmit();
    });
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  update();
  return {
    update,
    /** Writes a message into the form, and sends it where that may be. */
    send(text) {
      message.value = text;
      update();
      if (publish) form.requestSubmit();
      else message.focus();
    },
  };
}

/**
 * The envelope for one recipient: `message` with that member put in front of the others, its text left
 * as it is; or what is wrong, with which field, and in the message at which character.
 */
function envelope(recipient, message) {
  if (recipient === "") {
    return {
      field: "recipient",
      detail: "Name a recipient, or * for everyone.",
    };
  }
  const error = jsonError(message);
  if (error !== undefined) return { field: "message", ...error };
  const value = JSON.parse(message);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { field: "message", detail: "It must be a JSON object: {…}" };
  }
  if (Object.hasOwn(value, "recipients")) {
    return {
      field: "message",
      detail: "Leave recipients out: they stand in the field above.",
    };
  }
  const text = message.trim().replace(/[\r\n]+\s*/g, " ");
  const recipients = recipient === "*" ? '"*"' : JSON.stringify([recipient]);
  const members = text.slice(1).trimStart();
  return {
    json: `{"recipients":${recipients}${members === "}" ? "" : ","}${members}`,
  };
}

async function post(url, json) {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: json,
    });
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) {
      return answer.detail ?? `The gateway answered with ${response.status}.`;
    }
    if (answer.online > 0) return `Sent: ${answer.online} online.`;
    return "Sent, but no client listens for that recipient.";
  } catch {
    return "Cannot send: the gateway does not answer.";
  }
}

function shellLines({ url, publish, publishOff, channel, stream }) {
  const token = publish ? "" : ` \\\n  -H "Authorization: Bearer $API_TOKEN"`;
  return [
    channel && command(
      "publish",
      (json) => `redis-cli PUBLISH ${shellWord(channel)} ${shellWord(json)}`,
    ),
    stream && command(
      "append",
      (json) =>
        `redis-cli XADD ${shellWord(stream)} MAXLEN '~' 100000 '*' message ${shellWord(json)}`,
    ),
    publishOff !== "internal" && command(
      "post",
      (json) =>
        `curl -sS ${shellWord(url)}${token} \\\n  -H 'Content-Type: application/json' ` +
        `-d ${shellWord(json)}`,
    ),
  ].filter(Boolean);
}

function command(name, write) {
  const block = document.createElement("div");
  block.className = "command";
  const code = document.createElement("code");
  code.id = `command-${name}`;
  block.append(code, copyButton(() => code.textContent, `the line to ${name}`));
  return { block, set: (json) => code.textContent = write(json) };
}

function isMac() {
  return /Mac|iPhone|iPad/.test(navigator.userAgent);
}
