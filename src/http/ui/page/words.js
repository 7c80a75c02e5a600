// @ts-check
// What the page says, in three languages. Every language has every key: a test holds it.

const en = {
  skip: "Skip to the question", ask: "Ask", browse: "Articles", add: "Add", theme: "Light or dark", language: "Language", keys: "Keys",
  filters: "Filters", author: "Author", from: "Published from", to: "Published to", articleLanguage: "Language of the articles", any: "Any",
  question: "Your question, in any language", send: "Ask", stop: "Stop", find: "Find by title, author or file", more: "More",
  addHint: "Text, newspaper pages, PDF, Word and OpenDocument, EPUB, Markdown, HTML, feeds, CSV, JSON, and archives of these. A file of the same name is replaced; the next question finds what was added.",
  drop: "Drop files here, or choose them", previous: "Previous", next: "Next", close: "Close", copyQuote: "Copy quote",
  style: "Form of the citation", copyCitation: "Copy citation", link: "Link", copied: "Copied", notCopied: "The browser did not let it be copied",
  claim: "Ask a question. The answer is quoted from these articles, and each sentence shows where it stands.", examples: "For example:",
  searching: "Searching…", reading: "Reading {n} passages…", answered: "Answered, {n} sources", answeredOne: "Answered, 1 source", stopped: "Stopped",
  refused: "The articles do not say.", nearest: "The nearest passages, none of which answers:", tryThis: "Try other words, or a wider filter.",
  sources: "Sources", source: "Source {n}: {title}", lines: "lines {a}–{b}", line: "line {a}", page: "page {a}", superseded: "A later version has taken the place of this one.",
  gone: "This article was removed; this is what it said.", failed: "That did not work.", unreachable: "ibid cannot be reached. Is it still running?",
  cut: "The connection ended in the middle of the answer.", busy: "Too many questions at once. Try again in {n} s.", wait: "The articles are still being read…",
  retry: "Try again", request: "Request {id}", share: "Link to this question", alsoIn: "Also in: {titles}", confidence: "How sure: {n} %",
  articles: "{n} articles", noArticles: "There are no articles yet.", noMatch: "Nothing fits.", original: "Original",
  sending: "sending {n} %", takingIn: "being read…", added: "added", replaced: "replaced", unchanged: "was there already", place: "{a} of {b}",
  keySlash: "to the question", keyEnter: "ask; with Shift a new line", keyEscape: "stop, or close what is open", keyBrackets: "previous and next source",
  inShort: "In short, in its own sentences:", records: "From the records of {n} articles; {found} fit",
  answers: "Answers", quoted: "quoted", written: "written by a language model", noSource: "(no source)",
  writer: "Answers can be written by the language model {model}. Questions that the articles answer are then sent to {host}, with sentences of the articles.",
  writtenBy: "Written by {model}, each sentence checked against its sources", notShown: "; {n} not shown, as its sources do not hold it",
  notSent: "Nothing was sent to the language model.", quotedInstead: "The language model did not write an answer that holds",
  key: "Key", useKey: "Use this key", keyC: "copy the citation", keyT: "light or dark", keyHelp: "this list",
};

/** @type {typeof en} */
const zhCN = {
  skip: "跳到提问", ask: "提问", browse: "文章", add: "添加", theme: "明暗", language: "语言", keys: "快捷键",
  filters: "筛选", author: "作者", from: "发表不早于", to: "发表不晚于", articleLanguage: "文章语言", any: "不限",
  question: "用任何语言提问", send: "提问", stop: "停止", find: "按标题、作者或文件查找", more: "更多",
  addHint: "纯文本、报纸版面、PDF、Word 和 OpenDocument、EPUB、Markdown、HTML、订阅源、CSV、JSON，以及这些文件的压缩包。同名文件会被替换；添加之后，下一个问题就能查到。",
  drop: "把文件拖到这里，或点此选择", previous: "上一处", next: "下一处", close: "关闭", copyQuote: "复制原文",
  style: "引文格式", copyCitation: "复制引文", link: "链接", copied: "已复制", notCopied: "浏览器不允许复制",
  claim: "请提问。答案都引自这些文章，每句话都注明出处。", examples: "例如：",
  searching: "正在查找……", reading: "正在阅读 {n} 段……", answered: "已回答，出处 {n} 处", answeredOne: "已回答，出处 1 处", stopped: "已停止",
  refused: "文章中没有说到。", nearest: "最接近的段落，都没有回答这个问题：", tryThis: "可以换一种问法，或放宽筛选条件。",
  sources: "出处", source: "出处 {n}：{title}", lines: "第 {a}–{b} 行", line: "第 {a} 行", page: "第 {a} 页", superseded: "这篇文章已有新的版本。",
  gone: "这篇文章已被删除，以下是它原来的内容。", failed: "没有成功。", unreachable: "连接不上 ibid，它还在运行吗？",
  cut: "回答到一半，连接断开了。", busy: "同时提问的人太多，请 {n} 秒后再试。", wait: "正在读取文章……",
  retry: "重试", request: "请求编号 {id}", share: "本问题的链接", alsoIn: "另见：{titles}", confidence: "把握：{n}%",
  articles: "共 {n} 篇文章", noArticles: "还没有文章。", noMatch: "没有符合的文章。", original: "原文",
  sending: "已上传 {n}%", takingIn: "正在读取……", added: "已添加", replaced: "已替换", unchanged: "原已存在", place: "第 {a} 处，共 {b} 处",
  keySlash: "转到提问框", keyEnter: "提问；按住 Shift 换行", keyEscape: "停止，或关闭打开的内容", keyBrackets: "上一处、下一处出处",
  inShort: "原文要点：", records: "据 {n} 篇文章的记录，符合的有 {found} 篇",
  answers: "回答方式", quoted: "引用原文", written: "由语言模型撰写", noSource: "（无出处）",
  writer: "可以由语言模型 {model} 撰写回答。届时，文章能回答的问题会连同文章中的句子发送到 {host}。",
  writtenBy: "由 {model} 撰写，每句都已与出处核对", notShown: "；另有 {n} 句与出处不符，未显示",
  notSent: "没有向语言模型发送任何内容。", quotedInstead: "语言模型没有写出站得住的回答",
  key: "密钥", useKey: "使用此密钥", keyC: "复制引文", keyT: "明暗切换", keyHelp: "显示本表",
};

/** @type {typeof en} */
const zhTW = {
  skip: "跳到提問", ask: "提問", browse: "文章", add: "新增", theme: "明暗", language: "語言", keys: "快速鍵",
  filters: "篩選", author: "作者", from: "發表不早於", to: "發表不晚於", articleLanguage: "文章語言", any: "不限",
  question: "用任何語言提問", send: "提問", stop: "停止", find: "依標題、作者或檔案尋找", more: "更多",
  addHint: "純文字、報紙版面、PDF、Word 和 OpenDocument、EPUB、Markdown、HTML、訂閱源、CSV、JSON，以及這些檔案的壓縮檔。同名檔案會被取代；新增之後，下一個問題就能查到。",
  drop: "把檔案拖到這裡，或點此選擇", previous: "上一處", next: "下一處", close: "關閉", copyQuote: "複製原文",
  style: "引文格式", copyCitation: "複製引文", link: "連結", copied: "已複製", notCopied: "瀏覽器不允許複製",
  claim: "請提問。答案都引自這些文章，每句話都註明出處。", examples: "例如：",
  searching: "正在尋找……", reading: "正在閱讀 {n} 段……", answered: "已回答，出處 {n} 處", answeredOne: "已回答，出處 1 處", stopped: "已停止",
  refused: "文章中沒有說到。", nearest: "最接近的段落，都沒有回答這個問題：", tryThis: "可以換一種問法，或放寬篩選條件。",
  sources: "出處", source: "出處 {n}：{title}", lines: "第 {a}–{b} 行", line: "第 {a} 行", page: "第 {a} 頁", superseded: "這篇文章已有新的版本。",
  gone: "這篇文章已被刪除，以下是它原來的內容。", failed: "沒有成功。", unreachable: "連接不上 ibid，它還在執行嗎？",
  cut: "回答到一半，連線中斷了。", busy: "同時提問的人太多，請 {n} 秒後再試。", wait: "正在讀取文章……",
  retry: "重試", request: "請求編號 {id}", share: "本問題的連結", alsoIn: "另見：{titles}", confidence: "把握：{n}%",
  articles: "共 {n} 篇文章", noArticles: "還沒有文章。", noMatch: "沒有符合的文章。", original: "原文",
  sending: "已上傳 {n}%", takingIn: "正在讀取……", added: "已新增", replaced: "已取代", unchanged: "原已存在", place: "第 {a} 處，共 {b} 處",
  keySlash: "移到提問框", keyEnter: "提問；按住 Shift 換行", keyEscape: "停止，或關閉開啟的內容", keyBrackets: "上一處、下一處出處",
  inShort: "原文要點：", records: "據 {n} 篇文章的記錄，符合的有 {found} 篇",
  answers: "回答方式", quoted: "引用原文", written: "由語言模型撰寫", noSource: "（無出處）",
  writer: "可以由語言模型 {model} 撰寫回答。屆時，文章能回答的問題會連同文章中的句子傳送到 {host}。",
  writtenBy: "由 {model} 撰寫，每句都已與出處核對", notShown: "；另有 {n} 句與出處不符，未顯示",
  notSent: "沒有向語言模型傳送任何內容。", quotedInstead: "語言模型沒有寫出站得住的回答",
  key: "金鑰", useKey: "使用此金鑰", keyC: "複製引文", keyT: "明暗切換", keyHelp: "顯示本表",
};

export const LANGUAGES = { en, "zh-CN": zhCN, "zh-TW": zhTW };

/** The reader's language: the one chosen before, or the browser's. */
export function preferred() {
  const kept = localStorage.getItem("ibid-language");
  if (kept && kept in LANGUAGES) return kept;
  const wanted = (navigator.language || "en").toLowerCase();
  if (!wanted.startsWith("zh")) return "en";
  return /hant|tw|hk|mo/.test(wanted) ? "zh-TW" : "zh-CN";
}

let current = "en";

/** Speaks `language` from now on, and says so to the document. @param {string} language */
export function speak(language) {
  current = language in LANGUAGES ? language : "en";
  document.documentElement.lang = current;
  for (const node of document.querySelectorAll("[data-word]")) node.textContent = word(/** @type {any} */ (node).dataset.word);
  /** @type {any} */ (document.getElementById("question")).placeholder = word("question");
}

/** What is said for `key`. @param {string} key @param {Record<string, string | number>} [values] */
export function word(key, values = {}) {
  const text = LANGUAGES[current][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** @returns {string} */
export const spoken = () => current;
