// @ts-check
// The page: asks, shows answers with their marks, and opens articles at the quote.
// Article text only ever becomes text nodes. Offsets count code points, as the API says.

import { base } from "./api.js";
import * as chat from "./chat.js";
import { at, make } from "./dom.js";
import * as library from "./library.js";
import * as reader from "./reader.js";
import { preferred, speak, word } from "./words.js";

/** @param {string} name */
function view(name) {
  for (const section of document.querySelectorAll(".view")) /** @type {HTMLElement} */ (section).hidden = section.id !== `view-${name}`;
  for (const node of document.querySelectorAll("nav button")) {
    if (/** @type {HTMLElement} */ (node).dataset.view === name) node.setAttribute("aria-current", "page");
    else node.removeAttribute("aria-current");
  }
  if (name === "browse") library.browse();
  if (name === "ask") at("question").focus();
}

function theme() {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("ibid-theme", document.documentElement.dataset.theme);
}

function help() {
  const keys = [["/", "keySlash"], ["Enter", "keyEnter"], ["Esc", "keyEscape"], ["[ ]", "keyBrackets"], ["c", "keyC"], ["t", "keyT"], ["?", "keyHelp"]];
  at("keys-list").replaceChildren(...keys.flatMap(([key, meaning]) => [make("dt", {}, make("kbd", {}, key)), make("dd", {}, word(meaning))]));
  at("keys").showModal();
}

/** @param {KeyboardEvent} event */
function key(event) {
  if (event.key === "Escape" && !event.isComposing) {
    // One thing at a time, the topmost first.
    if (chat.hideCard() || at("keys").open || chat.stop()) return;
    reader.close();
    return;
  }
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return;
  /** @type {Record<string, () => void>} */
  const acts = { "/": () => view("ask"), "[": () => reader.step(-1), "]": () => reader.step(1), c: reader.copyCitation, t: theme, "?": help };
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

function start() {
  const kept = localStorage.getItem("ibid-theme");
  if (kept) document.documentElement.dataset.theme = kept;
  at("language").value = preferred();
  speak(preferred());
  at("language").addEventListener("change", () => {
    localStorage.setItem("ibid-language", at("language").value);
    speak(at("language").value);
    if (!at("conversation").childElementCount) chat.welcome();
  });
  for (const node of document.querySelectorAll("nav button")) node.addEventListener("click", () => view(/** @type {HTMLElement} */ (node).dataset.view ?? "ask"));
  at("theme").addEventListener("click", theme);
  at("help").addEventListener("click", help);
  document.addEventListener("keydown", key);
  chat.start();
  library.start();
  reader.start();
  view("ask");
  const article = location.pathname.slice(base.length).match(/^\/articles\/([^/]+)$/);
  const query = new URLSearchParams(location.search);
  const question = query.get("q");
  // The list of languages for the filter comes with the welcome.
  chat.welcome().then(() => { if (question) chat.put(question); });
  if (article) {
    const [, first, last] = location.hash.match(/^#c=(\d+)-(\d+)$/) ?? [];
    const place = { article_id: decodeURIComponent(article[1]), version: query.get("version") ?? undefined, start: Number(first ?? 0), end: Number(last ?? 0) };
    reader.open([place], 0).catch((error) => { at("status").textContent = `${word("failed")} ${error.message}`; });
  }
}

start();
