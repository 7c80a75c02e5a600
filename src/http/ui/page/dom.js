// @ts-check
// Making nodes. Text only ever becomes text nodes: nothing here reads markup.

/** @param {string} id @returns {any} */
export const at = (id) => document.getElementById(id);

/**
 * A node with properties and children. Texts among the children are text.
 * @param {string} tag
 * @param {Record<string, any>} [properties] `class`, `lang`, `data-…` and `aria-…` as attributes, `on…` as listeners
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {any}
 */
export function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class" || name === "lang" || name === "role" || name === "href" || name.includes("-")) node.setAttribute(name, String(value));
    else node[name] = value;
  }
  for (const child of children) if (child !== null && child !== undefined && child !== false) node.append(child);
  return node;
}

/** @param {string} text @param {(event: Event) => void} act @param {Record<string, any>} [more] */
export const button = (text, act, more = {}) => make("button", { type: "button", onclick: act, ...more }, text);
