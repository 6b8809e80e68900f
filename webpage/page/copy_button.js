/** How long a button says that it has copied. */
const SAID_MS = 1_600;

/**
 * A button that copies what `text` returns.
 *
 * @param {() => string} text asked when the button is pressed
 * @param {string} label what it copies ("this message"), for who cannot see where it stands
 * @returns {HTMLButtonElement}
 */
export function copyButton(text, label) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  const word = document.createTextNode("Copy");
  const rest = document.createElement("span");
  rest.className = "unseen";
  rest.textContent = ` ${label}`;
  button.append(word, rest);
  let timer;
  button.addEventListener("click", async () => {
    const done = await copy(text());
    word.data = done ? "Copied" : "Cannot copy";
    clearTimeout(timer);
    timer = setTimeout(() => word.data = "Copy", SAID_MS);
  });
  return button;
}

/** Copies `text`; without a secure context, where the clipboard is closed, by a selection. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
