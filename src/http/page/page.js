// The page: asks, shows the answer with its marks, and opens the article at the quote.
// Article text only ever becomes text nodes. Offsets count code points, as the API says.

const WORDS = {
  en: {
    claim: "answers from these articles, and shows where each stands", ask: "Ask the articles", send: "Ask", asking: "Searching…",
    placeholder: "A question in any language", answered: (n) => `Answered, ${n} source${n === 1 ? "" : "s"}`, close: "Close",
    refused: "The articles do not say.", nearest: "Nearest passages, none of which answers:", lines: (a, b) => (a === b ? `line ${a}` : `lines ${a}–${b}`),
    failed: "That did not work: ", unreachable: "ibid cannot be reached. Is it still running?", articles: (n) => `${n} articles`,
    source: (n, title) => `Source ${n}: ${title}`, superseded: "A later version of this article has superseded this one.",
    wait: "The articles are still being read…",
  },
  zh: {
    claim: "从这些文章里回答，并指出每句话的出处", ask: "向文章提问", send: "提问", asking: "正在查找……", placeholder: "用任何语言提问",
    answered: (n) => `已回答，出处 ${n} 处`, close: "关闭", refused: "文章中没有说到。", nearest: "最接近的段落，都没有回答这个问题：",
    lines: (a, b) => (a === b ? `第 ${a} 行` : `第 ${a}–${b} 行`), failed: "没有成功：", unreachable: "连接不上 ibid，它还在运行吗？",
    articles: (n) => `共 ${n} 篇文章`, source: (n, title) => `出处 ${n}：${title}`, superseded: "这篇文章已有新的版本。", wait: "正在读取文章……",
  },
};
const language = (navigator.language || "en").toLowerCase().startsWith("zh") ? "zh" : "en";
const words = WORDS[language];
const at = (id) => document.getElementById(id);
let asking = null;

function make(tag, text, className) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
}

async function call(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(words.unreachable);
  }
  const body = await response.json();
  if (!response.ok) {
    const { message, hint } = body.error;
    throw Object.assign(new Error(hint ? `${message} (${hint})` : message), { code: body.error.code });
  }
  return body;
}

function cited(citation) {
  const { title, authors, section, source } = citation;
  const button = make("button");
  button.type = "button";
  button.append(make("strong", `[${citation.n}] ${title}`));
  const parts = [authors.join("、"), section, source.path, words.lines(source.line_start, source.line_end)];
  button.append(make("small", parts.filter(Boolean).join(" · ")));
  button.addEventListener("click", () => open(citation));
  const item = make("li");
  item.append(button);
  return item;
}

function show(answer) {
  const marks = new Map(answer.citations.map((citation) => [citation.n, citation]));
  const shown = answer.answer.map((statement) => {
    const line = make("p", statement.text);
    for (const n of statement.citations) {
      const citation = marks.get(n);
      const mark = make("button", String(n), "cite");
      mark.type = "button";
      mark.setAttribute("aria-label", words.source(n, citation.title));
      mark.title = `${citation.title}\n${citation.quote}`;
      mark.addEventListener("click", () => open(citation));
      line.append("\u2060", mark);
    }
    return line;
  });
  if (!answer.answerable) {
    const refusal = make("div", undefined, "refusal");
    refusal.append(make("p", words.refused));
    if (answer.citations.length) refusal.append(make("small", words.nearest));
    shown.push(refusal);
  }
  at("answer").replaceChildren(...shown);
  at("sources").replaceChildren(...answer.citations.map(cited));
  at("status").textContent = answer.answerable ? words.answered(answer.citations.length) : words.refused;
}

async function ask(question) {
  asking?.abort();
  asking = new AbortController();
  at("status").textContent = words.asking;
  at("answer").replaceChildren();
  at("sources").replaceChildren();
  at("library").replaceChildren();
  try {
    const body = JSON.stringify({ question });
    const answer = await call("/v1/ask", { method: "POST", headers: { "content-type": "application/json" }, body, signal: asking.signal });
    show(answer);
    history.replaceState(null, "", `/?q=${encodeURIComponent(question)}`);
  } catch (error) {
    if (error.name !== "AbortError") at("status").textContent = words.failed + error.message;
  }
}

// The text in pieces: headings strong, the quote marked, all by offsets.
function fill(characters, headings, start, end) {
  const cuts = new Set([0, characters.length, start, end, ...headings.flat()]);
  const borders = [...cuts].filter((cut) => cut >= 0 && cut <= characters.length).sort((a, b) => a - b);
  const pieces = borders.slice(1).map((to, index) => {
    const from = borders[index];
    const text = characters.slice(from, to).join("");
    if (from >= start && to <= end && end > start) return make("mark", text);
    if (headings.some(([first, last]) => from >= first && to <= last)) return make("strong", text);
    return document.createTextNode(text);
  });
  at("text").replaceChildren(...pieces);
}

async function open({ article_id: id, version, start, end }) {
  const query = version ? `?version=${version}` : "";
  try {
    const path = `/v1/articles/${encodeURIComponent(id)}`;
    const [record, body] = await Promise.all([call(path + query), call(`${path}/text${query}`)]);
    at("title").textContent = record.title;
    const { source } = record;
    const place = source.line_start ? words.lines(source.line_start, source.line_end) : "";
    const about = [record.authors.join("、"), record.affiliation, record.published, source.path, place, ...record.notes];
    if (record.superseded) about.unshift(words.superseded);
    at("about").textContent = about.filter(Boolean).join(" · ");
    fill([...body.text], body.headings, start ?? 0, end ?? 0);
    at("pane").hidden = false;
    at("pane").focus({ preventScroll: true });
    (at("text").querySelector("mark") ?? at("pane")).scrollIntoView({ block: "center" });
  } catch (error) {
    at("status").textContent = words.failed + error.message;
  }
}

async function browse() {
  try {
    const { articles, total } = await call("/v1/articles?limit=1000");
    const entries = articles.map((article) => {
      const button = make("button");
      button.type = "button";
      button.append(make("strong", article.title), make("small", [article.authors.join("、"), article.source.path].filter(Boolean).join(" · ")));
      button.addEventListener("click", () => open({ article_id: article.id, version: article.version }));
      return button;
    });
    at("library").replaceChildren(make("h2", words.articles(total)), ...entries);
  } catch (error) {
    at("status").textContent = error.code === "not_ready" ? words.wait : words.failed + error.message;
    if (error.code === "not_ready") setTimeout(start, 500);
  }
}

function start() {
  at("status").textContent = "";
  const article = location.pathname.match(/^\/articles\/([^/]+)$/);
  const question = new URLSearchParams(location.search).get("q");
  if (article) {
    const [, first, last] = location.hash.match(/^#c=(\d+)-(\d+)$/) ?? [];
    const version = new URLSearchParams(location.search).get("version");
    open({ article_id: decodeURIComponent(article[1]), version, start: Number(first ?? 0), end: Number(last ?? 0) });
  }
  if (question) {
    at("question").value = question;
    ask(question);
  } else {
    browse();
  }
}

document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
at("claim").textContent = words.claim;
at("label").textContent = words.ask;
at("send").textContent = words.send;
at("close").textContent = words.close;
at("question").placeholder = words.placeholder;
at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const question = at("question").value.trim();
  if (question) ask(question);
});
at("question").addEventListener("keydown", (event) => {
  // Enter chooses a word while an input method composes; only then it must not send.
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) {
    event.preventDefault();
    at("form").requestSubmit();
  }
});
at("close").addEventListener("click", () => { at("pane").hidden = true; at("question").focus(); });
document.addEventListener("keydown", (event) => { if (event.key === "Escape") at("pane").hidden = true; });
start();
