// @ts-check
// The articles there are, and adding more.

import { json, upload } from "./api.js";
import { at, button, make } from "./dom.js";
import { lines, open } from "./reader.js";
import { word } from "./words.js";

const PAGE = 200;
/** @type {any[]} */
let all = [];
/** @type {number | null} */
let nextOffset = 0;

/** @param {any} article */
function entry(article) {
  const { source } = article;
  const place = source.line_start ? lines(source.line_start, source.line_end) : "";
  const about = [article.authors.join("、"), article.published, source.path, place].filter(Boolean).join(" · ");
  const node = button("", () => open([{ article_id: article.id, version: article.version }], 0), { class: "source" });
  node.append(make("strong", { lang: article.language }, article.title), make("small", {}, about));
  return make("li", {}, node);
}

function show() {
  const wanted = at("find").value.trim().toLowerCase();
  const fits = all.filter((article) => `${article.title} ${article.authors.join(" ")} ${article.source.path}`.toLowerCase().includes(wanted));
  at("articles").replaceChildren(...fits.map(entry));
  at("browse-status").textContent = fits.length ? word("articles", { n: fits.length }) : word(all.length ? "noMatch" : "noArticles");
  at("more").hidden = nextOffset === null;
}

async function load() {
  try {
    const { articles, next_offset: next } = await json(`/v1/articles?limit=${PAGE}&offset=${nextOffset ?? 0}`);
    all = all.concat(articles);
    nextOffset = next;
    show();
  } catch (error) {
    at("browse-status").textContent = `${word("failed")} ${error.message}`;
  }
}

/** Reads the list anew. */
export async function browse() {
  [all, nextOffset] = [[], 0];
  await load();
}

/** @param {File} file */
async function send(file) {
  const state = make("span", { class: "quiet" });
  const bar = make("progress", { max: 1, value: 0, "aria-label": file.name });
  const item = make("li", {}, make("strong", {}, file.name), " ", bar, " ", state);
  at("uploads").prepend(item);
  try {
    const { articles, unusable } = await upload(file, (share) => {
      bar.value = share;
      state.textContent = share < 1 ? word("sending", { n: Math.round(share * 100) }) : word("takingIn");
    });
    bar.remove();
    const told = articles.map((/** @type {any} */ article) => make("li", {}, `${article.title} · ${word(article.outcome)}`));
    const broken = unusable.map((/** @type {any} */ one) => make("li", { class: "error" }, `${one.path}: ${one.reason}`));
    state.textContent = word("articles", { n: articles.length });
    item.append(make("ul", {}, ...told, ...broken));
  } catch (error) {
    bar.remove();
    state.className = "error";
    state.textContent = `${word("failed")} ${error.message}`;
  }
}

/** One after the other: the service takes them in so. @param {Iterable<File>} files */
async function sendAll(files) {
  for (const file of [...files]) await send(file);
}

export function start() {
  at("find").addEventListener("input", show);
  at("more").addEventListener("click", load);
  at("files").addEventListener("change", () => { sendAll(at("files").files).then(() => { at("files").value = ""; }); });
  const drop = at("drop");
  drop.addEventListener("dragover", (/** @type {DragEvent} */ event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    drop.classList.remove("over");
    sendAll(event.dataTransfer.files);
  });
}
