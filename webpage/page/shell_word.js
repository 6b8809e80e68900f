/** What no shell reads as anything but itself. */
const PLAIN = /^[\w@%+=:,./][\w@%+=:,./-]*$/;

/**
 * `text` as one word of a POSIX shell, which nothing in it can end: every character stands for itself.
 *
 * @param {string} text
 * @returns {string}
 */
export function shellWord(text) {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * JSON text for a line that is pasted: on one line, and without characters that a terminal obeys or
 * that show the line as another one than it is. It means the same.
 *
 * @param {string} json valid JSON
 * @returns {string}
 */
export function pasteableJson(json) {
  return json.replace(/[\t\r\n]+ */g, " ").replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
