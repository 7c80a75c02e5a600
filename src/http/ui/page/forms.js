// @ts-check
// Answers of other kinds than passages: articles from the records, summaries, comparisons.

import { make } from "./dom.js";
import { word } from "./words.js";

/**
 * How the parts of an answer are shown.
 * @typedef {{ statement: (said: any, answer: any) => HTMLElement, sources: (answer: any, shown?: (citation: any, index: number) => boolean) => HTMLElement }} Show
 */

/** The citation that a statement rests on. @param {any} said @param {any} answer */
const cited = (said, answer) => answer.citations.find((/** @type {any} */ one) => one.n === said.citations[0]);

/** One card for an article. @param {any} answer */
const once = (answer) => (/** @type {any} */ { article_id: id }, /** @type {number} */ index) =>
  answer.citations.findIndex((/** @type {any} */ one) => one.article_id === id) === index;

/** What is said of articles, then each as an entry: a statement that only names one would say it twice. @param {any} answer @param {Show} show */
function collection(answer, { statement, sources }) {
  const named = (/** @type {any} */ said) => said.citations.length === 1 && cited(said, answer)?.kind === "article" && said.text.startsWith(cited(said, answer).title);
  const said = answer.answer.filter((/** @type {any} */ one) => !named(one));
  // A number rests on all that are listed below it.
  const marked = (/** @type {any} */ one) => ({ ...one, citations: one.citations.slice(0, 3) });
  return [...said.map((/** @type {any} */ one) => statement(marked(one), answer)), sources(answer)];
}

/** Sentences under the title of their article. @param {any} answer @param {Show} show */
function summary(answer, { statement, sources }) {
  const parts = parted(answer.answer, (said) => cited(said, answer)?.title ?? "");
  const sections = parts.map(([title, said]) => {
    const language = cited(said[0], answer)?.language;
    return make("section", { class: "part" }, make("h3", { lang: language }, title), ...said.map((one) => statement(one, answer)));
  });
  return [make("p", { class: "quiet" }, word("inShort")), ...sections, sources(answer, once(answer))];
}

/** Two sides beside each other, each under its name. @param {any} answer @param {Show} show */
function comparison(answer, { statement, sources }) {
  /** The name stands before the quote. @param {any} said */
  const side = (said) => {
    const at = said.text.indexOf(": ");
    return at < 0 ? "" : said.text.slice(0, at);
  };
  const parts = parted(answer.answer, side).map(([name, said]) => {
    const own = said.map((one) => statement({ ...one, text: name ? one.text.slice(name.length + 2) : one.text }, answer));
    return make("section", { class: "part" }, make("h3", {}, name), ...own);
  });
  return [make("div", { class: "sides" }, ...parts), sources(answer, once(answer))];
}

/**
 * Neighbours of one name, together.
 * @param {any[]} all @param {(one: any) => string} name @returns {[string, any[]][]}
 */
function parted(all, name) {
  /** @type {[string, any[]][]} */
  const parts = [];
  for (const one of all) {
    const last = parts.at(-1);
    if (last && last[0] === name(one)) last[1].push(one);
    else parts.push([name(one), [one]]);
  }
  return parts;
}

/** The form of an answer from the records. @param {any} answer @param {Show} show */
export function formed(answer, show) {
  if (answer.kind === "summary") return summary(answer, show);
  return answer.kind === "comparison" ? comparison(answer, show) : collection(answer, show);
}
