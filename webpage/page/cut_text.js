/**
 * The beginning of `text`, at most `length` UTF-16 units, never half a character.
 *
 * @param {string} text
 * @param {number} length
 * @returns {string}
 */
export function cutText(text, length) {
  if (text.length <= length) return text;
  const isPair = /[\ud800-\udbff]/.test(text[length - 1]);
  return text.slice(0, isPair ? length - 1 : length);
}
