// @ts-check
// The article beside the answer: its text, the quote marked by its offsets, copying.

import { base, json, text } from "./api.js";
import { at, make } from "./dom.js";
import { spoken, word } from "./words.js";

/** @typedef {{ article_id: string, version?: number | string, start?: number, end?: number, quote?: string, n?: number, url?: string, answer_span?: { start: number, end: number } }} Place */

/** @type {Place[]} */
let places = [];
let shown = 0;
/** @type {HTMLElement | null} */
let opener = null;

/** @param {number} first @param {number} last */
export const lines = (first, last) => (first === last ? word("line", { a: first }) : word("lines", { a: first, b: last }));

/**
 * The text in pieces: headings strong, the quote marked, and in it the words that answer. Offsets count code points, so
 * it is cut as such.
 * @param {string[]} characters @param {number[][]} headings @param {Place} place
 */
function fill(characters, headings, { start = 0, end = 0, answer_span: words }) {
  const cuts = new Set([0, characters.length, start, end, ...(words ? [words.start, words.end] : []), ...headings.flat()]);
  const borders = [...cuts].filter((cut) => cut >= 0 && cut <= characters.length).sort((a, b) => a - b);
  const pieces = borders.slice(1).map((to, index) => {
    const from = borders[index];
    const part = characters.slice(from, to).join("");
    if (words && from >= words.start && to <= words.end) return make("mark", { class: "words" }, part);
    if (from >= start && to <= end && end > start) return make("mark", {}, part);
    if (headings.some(([first, last]) => from >= first && to <= last)) return make("strong", {}, part);
    return document.createTextNode(part);
  });
  at("text").replaceChildren(...pieces);
}

/**
 * The printed page with the quote marked, where the file is at hand. It is fetched with the key and shown as a picture:
 * nothing in it can run.
 * @param {string} path @param {Place} place @param {number[] | undefined} pages
 */
async function showPage(path, { version, start = 0, end = 0 }, pages) {
  at("printed").hidden = true;
  if (!pages) return;
  const query = new URLSearchParams({ start: String(start), end: String(end), ...(version ? { version: String(version) } : {}) });
  const open = shown;
  const picture = await text(`${path}/page?${query}`).catch(() => "");
  if (!picture || open !== shown) return;
  at("printed-page").setAttribute("src", `data:image/svg+xml,${encodeURIComponent(picture)}`);
  at("printed").hidden = false;
}

async function show() {
  const { article_id: id, version, start = 0, end = 0 } = places[shown];
  const query = version ? `?version=${version}` : "";
  const path = `/v1/articles/${encodeURIComponent(id)}`;
  const [record, body] = await Promise.all([json(path + query), json(`${path}/text${query}`)]);
  const { source } = record;
  at("pane-title").textContent = record.title;
  at("pane-title").lang = at("text").lang = record.language ?? "";
  const place = source.line_start ? lines(source.line_start, source.line_end) : "";
  const about = [record.authors.join("、"), record.affiliation, record.published, source.path, place].filter(Boolean).join(" · ");
  const original = /^https?:\/\//.test(record.url ?? "") && make("a", { href: record.url, rel: "noopener noreferrer", target: "_blank" }, ` ${word("original")}`);
  at("pane-about").replaceChildren(about, ...(original ? [original] : []));
  at("pane-notes").textContent = [record.superseded && word("superseded"), ...record.notes].filter(Boolean).join(" ");
  fill([...body.text], body.headings, places[shown]);
  showPage(path, places[shown], source.pages);
  at("place").textContent = places.length > 1 ? word("place", { a: shown + 1, b: places.length }) : "";
  at("previous").hidden = at("next").hidden = places.length < 2;
  at("copy-quote").hidden = !(end > start);
  at("copied").textContent = "";
  at("pane").hidden = false;
  document.body.classList.add("reading");
  at("pane").focus({ preventScroll: true });
  (at("text").querySelector("mark") ?? at("pane-title")).scrollIntoView({ block: "center" });
}

/** Opens one of `all`; focus returns to what was active when it closes. @param {Place[]} all @param {number} index */
export async function open(all, index) {
  if (at("pane").hidden) opener = /** @type {HTMLElement} */ (document.activeElement);
  [places, shown] = [all, index];
  await show();
}

export function close() {
  if (at("pane").hidden) return false;
  at("pane").hidden = true;
  document.body.classList.remove("reading");
  (opener?.isConnected ? opener : at("question")).focus();
  return true;
}

/** @param {number} by */
export async function step(by) {
  if (at("pane").hidden || places.length < 2) return;
  shown = (shown + by + places.length) % places.length;
  await show();
}

/** @param {string} words */
async function copy(words) {
  try {
    await navigator.clipboard.writeText(words);
    at("copied").textContent = word("copied");
  } catch {
    at("copied").textContent = word("notCopied");
  }
}

export async function copyCitation() {
  if (at("pane").hidden) return;
  const { article_id: id, version, url } = places[shown];
  const style = at("style").value;
  const link = url ?? `${location.origin}${base}/articles/${id}${version ? `?version=${version}` : ""}`;
  const query = new URLSearchParams({ style, ...(version ? { version: String(version) } : {}) });
  await copy(style === "link" ? link : (await text(`/v1/articles/${encodeURIComponent(id)}/citation?${query}`)).trim());
}

export function start() {
  at("style").value = spoken().startsWith("zh") ? "gb7714" : "apa";
  at("previous").addEventListener("click", () => step(-1));
  at("next").addEventListener("click", () => step(1));
  at("close").addEventListener("click", close);
  at("copy-quote").addEventListener("click", () => copy(places[shown].quote ?? [...at("text").querySelectorAll("mark")].map((/** @type {any} */ part) => part.textContent).join("")));
  at("copy-citation").addEventListener("click", copyCitation);
}
