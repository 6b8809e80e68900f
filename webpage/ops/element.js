/**
 * An element with properties and children; `data` and `aria-…` are attributes, text is text.
 *
 * @param {string} name
 * @param {Record<string, unknown>} [properties]
 * @param {...(Node | string | undefined)} children
 */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [property, value] of Object.entries(properties)) {
    if (/^(data|aria)-/.test(property)) made.setAttribute(property, String(value));
    else made[property] = value;
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** Finds an element of the page. */
export function byId(id) {
  return document.getElementById(id);
}

/** Writes `text` where it is another one: what does not change stays selected and unannounced. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/**
 * Makes the children of `parent` those of `items`, in their order, each kept by its key.
 *
 * @template T
 * @param {HTMLElement} parent
 * @param {readonly T[]} items
 * @param {{ key: (item: T) => string, make: (item: T) => HTMLElement,
 *   update: (made: HTMLElement, item: T) => void }} how
 */
export function keep(parent, items, { key, make, update }) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let before = null;
  for (const item of items) {
    const name = key(item);
    let child = known.get(name);
    known.delete(name);
    if (child === undefined) {
      child = make(item);
      child.dataset.key = name;
    }
    const place = before === null ? parent.firstElementChild : before.nextElementSibling;
    if (place !== child) parent.insertBefore(child, place);
    update(child, item);
    before = child;
  }
  for (const gone of known.values()) gone.remove();
}
