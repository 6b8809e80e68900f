import { copyButton } from "./copy_button.js";
import { cutText } from "./cut_text.js";
import { bytes } from "./message_row.js";
import { jsonElements, prettyJson } from "./pretty_json.js";

/** A longer message is shown as it came, and not whole. */
const MAX_SHOWN = 20_000;

/**
 * The place that shows the chosen message whole, of one height whatever is in it.
 *
 * @param {(id: string) => HTMLElement} element finds the page's elements
 * @param {EventTarget} list fires `choose` ({entry}) and `clear`
 * @param {(text: string) => void} sendAgain called with the message that is to be sent again
 */
export function detail(element, list, sendAgain) {
  const title = element("detail-title");
  const block = element("detail-text");
  const again = element("again");
  const empty = { title: title.textContent, text: block.textContent };
  const copy = copyButton(() => prettyJson(text), "this message");
  let text;
  again.before(copy);
  copy.disabled = true;
  again.addEventListener("click", () => sendAgain(text));

  list.addEventListener("choose", ({ entry }) => {
    const { time, note } = entry;
    text = note === undefined ? entry.text : undefined;
    title.textContent = `${time.toTimeString().slice(0, 8)}.${ms(time)}` +
      (text === undefined ? "" : ` · ${bytes(text)}`);
    copy.disabled = again.disabled = text === undefined;
    if (text === undefined) block.textContent = note;
    else if (text.length > MAX_SHOWN) {
      block.textContent = cutText(text, MAX_SHOWN) + "…";
    } else block.replaceChildren(jsonElements(text));
    block.scrollTop = 0;
  });
  list.addEventListener("clear", () => {
    text = undefined;
    copy.disabled = again.disabled = true;
    title.textContent = empty.title;
    block.textContent = empty.text;
  });
}

function ms(time) {
  return String(time.getMilliseconds()).padStart(3, "0");
}
