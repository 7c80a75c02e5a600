// @ts-check
// The conversation: questions, stages, sentences with their marks, sources, refusals, errors.

import { Problem, ask, base, json, useKey } from "./api.js";
import { at, button, make } from "./dom.js";
import { formed } from "./forms.js";
import { lines, open } from "./reader.js";
import { word } from "./words.js";

/** @type {string[]} */
const earlier = [];
/** @type {AbortController | null} */
let running = null;

/** Where a citation comes from, in one line. @param {any} citation */
export function origin({ authors, section, published, source }) {
  const page = source.page ? word("page", { a: source.page }) : "";
  return [authors.join("、"), section, published, source.path, page, lines(source.line_start, source.line_end)].filter(Boolean).join(" · ");
}

/** The filter that the fields say. */
function filter() {
  const authors = at("filter-author").value.split(/[、,，;；]/).map((/** @type {string} */ name) => name.trim()).filter(Boolean);
  const chosen = { author: authors, published_from: at("filter-from").value, published_to: at("filter-to").value };
  const language = at("filter-language").value;
  const full = { ...chosen, language: language ? [language] : [] };
  return Object.fromEntries(Object.entries(full).filter(([, value]) => value.length > 0));
}

/** Who is to answer: said where there is a choice. @returns {{ mode?: string }} */
const mode = () => (at("writer").hidden ? {} : { mode: at("mode").value });

/** Says that a language model is there, and where questions go then. @param {any} generator */
function offer(generator) {
  at("writer").hidden = !generator;
  if (!generator) return null;
  at("mode").value = generator.default_mode;
  return make("p", { class: "quiet" }, word("writer", { model: generator.model, host: generator.host }));
}

/** Who answered, where a language model was to. @param {any} answer */
function writer({ kind, writing }) {
  if (!writing) return "";
  if (kind === "written") return word("writtenBy", { model: writing.model }) + (writing.faults.length ? word("notShown", { n: writing.faults.length }) : "");
  return writing.outcome === "not_sent" ? word("notSent") : word("quotedInstead");
}

/**
 * A quote as nodes, the words that answer marked; a long one cut around them. Offsets count code points.
 * @param {any} citation @param {number} [most]
 */
export function quoted({ quote, start, answer_span: words }, most = Infinity) {
  const characters = [...quote];
  const [from, to] = words ? [words.start - start, words.end - start] : [0, 0];
  // The words are always inside what is shown.
  const first = to > most ? Math.max(0, Math.min(from, characters.length - most)) : 0;
  const last = Math.min(characters.length, Math.max(first + most, to));
  const part = (/** @type {number} */ a, /** @type {number} */ b) => characters.slice(a, b).join("");
  const shown = words ? [part(first, from), make("mark", {}, part(from, to)), part(to, last)] : [part(first, last)];
  return [first > 0 && "…", ...shown, last < characters.length && "…"].filter(Boolean);
}

/**
 * A statement, the words that answer marked where they stand in it.
 * @param {string} text @param {any} citation
 */
function stated(text, citation) {
  const words = citation?.answer_span;
  const marked = words && [...citation.quote].slice(words.start - citation.start, words.end - citation.start).join("");
  const at = marked ? text.indexOf(marked) : -1;
  return at < 0 ? [text] : [text.slice(0, at), make("mark", {}, marked), text.slice(at + marked.length)];
}

/** The card at a mark: shown on hover and focus, kept while the pointer is on it, closed by Escape. */
function showCard(/** @type {HTMLElement} */ mark, /** @type {any} */ citation) {
  const card = at("card");
  const about = make("small", {}, origin(citation));
  card.replaceChildren(make("strong", { lang: citation.language }, citation.title), about, make("q", { lang: citation.language }, ...quoted(citation, 160)));
  card.hidden = false;
  const place = mark.getBoundingClientRect();
  const width = Math.min(360, innerWidth - 24);
  card.style.width = `${width}px`;
  card.style.left = `${Math.max(12, Math.min(place.left, innerWidth - width - 12)) + scrollX}px`;
  const below = place.bottom + card.offsetHeight + 8 < innerHeight;
  card.style.top = `${(below ? place.bottom + 6 : place.top - card.offsetHeight - 6) + scrollY}px`;
}

export const hideCard = () => {
  const was = !at("card").hidden;
  at("card").hidden = true;
  return was;
};

/** @param {any} answer @param {number} n */
function mark(answer, n) {
  const index = answer.citations.findIndex((/** @type {any} */ citation) => citation.n === n);
  const citation = answer.citations[index];
  /** @type {number} */
  let leaving;
  const node = button(String(n), () => { hideCard(); open(answer.citations, index); }, {
    class: "cite", "aria-label": word("source", { n, title: citation.title }), "aria-describedby": "card",
    onmouseenter: () => showCard(node, citation), onfocus: () => showCard(node, citation), onblur: hideCard,
    onmouseleave: () => { leaving = window.setTimeout(() => { if (!at("card").matches(":hover")) hideCard(); }, 200); },
  });
  at("card").onmouseleave = hideCard;
  at("card").onmouseenter = () => clearTimeout(leaving);
  return node;
}

/**
 * The sources, all or those that are to be shown.
 * @param {any} answer @param {(citation: any, index: number) => boolean} [shown]
 */
function sources(answer, shown = () => true) {
  const entries = answer.citations.map((/** @type {any} */ citation, /** @type {number} */ index) => {
    if (!shown(citation, index)) return null;
    const copies = citation.copies?.length && make("small", {}, word("alsoIn", { titles: citation.copies.map((/** @type {any} */ copy) => copy.title).join("、") }));
    const number = answer.answerable ? `[${citation.n}] ` : "";
    const quote = !answer.answerable && make("span", { class: "quote", lang: citation.language }, citation.quote);
    const node = button("", () => open(answer.citations, index), { class: "source" });
    node.append(make("strong", { lang: citation.language }, `${number}${citation.title}`), make("small", {}, origin(citation)), ...[copies, quote].filter(Boolean));
    return make("li", {}, node);
  });
  return make("ol", { class: "sources", "aria-label": word("sources") }, ...entries.filter((/** @type {any} */ entry) => entry !== null));
}

/** The sources that were found, before the answer is there. @param {any[]} passages */
function found(passages) {
  const titles = [...new Set(passages.map((passage) => passage.title))].slice(0, 6);
  return make("ul", { class: "strip", "aria-label": word("sources") }, ...titles.map((title) => make("li", {}, title)));
}

/** A sentence with its marks. @param {any} said @param {{ citations: any[] }} answer */
function statement({ text, citations }, answer) {
  const citation = answer.citations.find((/** @type {any} */ one) => one.n === citations[0]);
  const bare = citations.length ? null : make("small", { class: "quiet" }, ` ${word("noSource")}`);
  // The word joiner keeps a mark on the line of its sentence.
  const marks = citations.flatMap((/** @type {number} */ n) => ["\u2060", mark(answer, n)]);
  return make("p", { class: "statement", lang: citation?.language }, ...[...stated(text, citation), bare, ...marks].filter(Boolean));
}

/** @param {any} answer @param {string} question */
function settled(answer, question) {
  const link = make("a", { href: `${base}/?q=${encodeURIComponent(question)}`, class: "quiet" }, word("share"));
  if (answer.reason === "not_a_question") return [make("p", { class: "refusal" }, answer.help)];
  if (!answer.answerable) {
    const head = make("div", { class: "refusal" }, make("p", {}, word("refused")), make("p", { class: "quiet" }, word("tryThis")));
    const told = writer(answer);
    return [head, told ? make("p", { class: "quiet" }, told) : null, answer.citations.length ? make("p", { class: "quiet" }, word("nearest")) : null, sources(answer), make("p", {}, link)];
  }
  const records = answer.records && word("records", { n: answer.records.articles, found: answer.records.found });
  if (records) return [...formed(answer, { statement, sources }), make("p", { class: "quiet" }, `${records} · `, link)];
  const statements = answer.answer.map((/** @type {any} */ said) => statement(said, answer));
  const sure = [writer(answer), word("confidence", { n: Math.round(answer.confidence * 100) })].filter(Boolean).join(" · ");
  return [...statements, sources(answer), make("p", { class: "quiet" }, `${sure} · `, link)];
}

/** @param {any} error @param {string} question @param {HTMLElement} turn */
function failed(error, question, turn) {
  const request = error instanceof Problem && error.request ? make("small", { class: "quiet" }, word("request", { id: error.request })) : null;
  const again = button(word("retry"), () => { turn.remove(); put(question); });
  return make("div", { class: "error", role: "alert" }, make("p", {}, make("strong", {}, word("failed")), ` ${error.message}`), request, again);
}

/** @param {boolean} busy */
function setBusy(busy) {
  at("send").hidden = busy;
  at("stop").hidden = !busy;
}

export function stop() {
  if (!running) return false;
  running.abort();
  return true;
}

/** Asks, and shows what comes. @param {string} question */
export async function put(question) {
  running?.abort();
  const mine = (running = new AbortController());
  setBusy(true);
  at("welcome").replaceChildren();
  const body = make("div", { class: "answer" });
  const turn = make("section", { class: "turn" }, make("h2", { class: "asked" }, question), body);
  at("conversation").append(turn);
  at("status").textContent = word("searching");
  try {
    /** @type {any[]} */
    const citations = [];
    for await (const { name, data } of ask({ question, earlier: earlier.slice(-8), filter: filter(), ...mode() }, mine.signal)) {
      if (name === "stage") at("status").textContent = data.stage === "reading" ? word("reading", { n: data.passages }) : word("searching");
      if (name === "sources") body.replaceChildren(found(data.passages));
      if (name === "citation") citations.push(data);
      if (name === "statement") body.append(statement(data, { citations }));
      if (name !== "answer") continue;
      body.replaceChildren(...settled(data, question).filter(Boolean));
      const n = data.citations.length;
      const nothingAsked = data.reason === "not_a_question";
      at("status").textContent = nothingAsked ? data.help : !data.answerable ? word("refused") : n === 1 ? word("answeredOne") : word("answered", { n });
      if (!nothingAsked) earlier.push(question);
      history.replaceState(null, "", `${base}/?q=${encodeURIComponent(question)}`);
    }
  } catch (error) {
    if (error.name === "AbortError") {
      at("status").textContent = word("stopped");
      if (!body.querySelector(".statement")) turn.remove();
    } else {
      body.replaceChildren(failed(error, question, turn));
      at("status").textContent = "";
    }
  } finally {
    if (running === mine) {
      running = null;
      setBusy(false);
    }
    turn.scrollIntoView({ block: "nearest" });
  }
}

/** What a newcomer sees: what this is, and articles to ask about. */
export async function welcome() {
  const nodes = [make("p", { class: "claim" }, word("claim"))];
  try {
    const [{ articles, total }, { generator }] = await Promise.all([json("/v1/articles?limit=200"), json("/readyz")]);
    nodes.push(...[offer(generator)].filter((node) => node !== null));
    if (total === 0) nodes.push(make("p", {}, word("noArticles")));
    else {
      const languages = [...new Set(articles.map((/** @type {any} */ article) => article.language).filter(Boolean))].sort();
      const names = new Intl.DisplayNames([document.documentElement.lang], { type: "language" });
      const option = (/** @type {any} */ language) => make("option", { value: language }, names.of(language));
      at("filter-language").replaceChildren(make("option", { value: "" }, word("any")), ...languages.map(option));
      // Articles in the reader's language first.
      const own = (/** @type {any} */ article) => Number(article.language?.slice(0, 2) === document.documentElement.lang.slice(0, 2));
      const signed = articles.filter((/** @type {any} */ article) => article.authors.length);
      const titles = signed.sort((/** @type {any} */ a, /** @type {any} */ b) => own(b) - own(a)).slice(0, 4);
      nodes.push(make("p", { class: "quiet" }, word("examples")), make("ul", { class: "examples" }, ...titles.map(example)));
    }
  } catch (error) {
    const waiting = error.code === "not_ready";
    nodes.push(make("p", { role: "alert" }, waiting ? word("wait") : error.message));
    if (error.code === "key_needed") nodes.push(keyForm());
    if (waiting) setTimeout(welcome, 500);
  }
  at("welcome").replaceChildren(...nodes);
}

/** For a service that needs a key. */
function keyForm() {
  const field = make("input", { type: "password", autocomplete: "off", required: true });
  const send = (/** @type {Event} */ event) => { event.preventDefault(); useKey(field.value.trim()); welcome(); };
  return make("form", { class: "row", onsubmit: send }, make("label", {}, `${word("key")} `, field), make("button", { class: "strong" }, word("useKey")));
}

/** @param {any} article */
function example(article) {
  const node = button(article.title, () => put(article.title), { lang: article.language });
  return make("li", {}, node);
}

export function start() {
  at("form").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    const question = at("question").value.trim();
    if (!question) return;
    at("question").value = "";
    put(question);
  });
  at("question").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    // Enter chooses a word while an input method composes; only then it must not send.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) {
      event.preventDefault();
      at("form").requestSubmit();
    }
  });
  at("stop").addEventListener("click", stop);
}
