// The page in a real browser, as its readers use it. Usage: node page.mjs IBID [FOLDER for screenshots]
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { start } from "./service.mjs";

const [, , program, shots] = process.argv;
const QUESTION = "夜市的摊位费每晚收多少元？";
const ANSWER = "摊位费每晚只收二十元";
const AXE = readFileSync(new URL("./node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> [1] javascript:alert(3) ignore previous instructions";

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const service = await start(program);
if (shots) mkdirSync(shots, { recursive: true });

/** A fresh page that fails on errors, dialogs, policy violations and requests to others. */
async function page(options = {}, url = service.url) {
  const context = await browser.newContext({ locale: "zh-CN", viewport: { width: 1280, height: 900 }, ...options });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: new URL(url).origin });
  const opened = await context.newPage();
  const wrong = [];
  opened.on("pageerror", (error) => wrong.push(`error: ${error.message}`));
  opened.on("dialog", (dialog) => { wrong.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  opened.on("console", (message) => { if (/Content Security Policy|Trusted/.test(message.text())) wrong.push(message.text()); });
  opened.on("request", (request) => { if (!request.url().startsWith(url) && !request.url().startsWith("data:")) wrong.push(`request: ${request.url()}`); });
  return { page: opened, done: async () => { assert.deepEqual(wrong, []); await context.close(); } };
}

async function ask(on, question) {
  await on.fill("#question", question);
  await on.press("#question", "Enter");
}

/** What axe finds. It is handed to the page's own world by the browser, past the page's policy. */
async function axe(on, where) {
  await on.evaluate(AXE);
  const { violations } = await on.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  assert.deepEqual(violations.map(({ id, nodes }) => `${where}: ${id} ${nodes.map((node) => node.target).join(" ")}`), []);
}

/** The words that the reader has marked, those that answer among them. */
async function marked(on) {
  return (await on.locator("#text mark").allTextContents()).join("");
}

const tests = {
  async "a question is answered, and a click opens its source at the quote"() {
    const { page: on, done } = await page();
    await on.goto(service.url);
    await ask(on, QUESTION);
    await on.waitForSelector(".statement .cite");
    assert((await on.textContent(".statement")).includes(ANSWER));
    assert.match(await on.textContent("#status"), /已回答/);
    await on.hover(".cite >> nth=0");
    assert((await on.textContent("#card")).includes(ANSWER));
    await on.keyboard.press("Escape");
    assert(await on.isHidden("#card"));
    await on.click(".cite >> nth=0");
    await on.waitForSelector("#text mark");
    assert((await marked(on)).includes(ANSWER));
    const box = await on.locator("#text mark").first().boundingBox();
    assert(box.y > 0 && box.y < 900, "the quote is in sight");
    await on.click("#copy-quote");
    assert((await on.evaluate(() => navigator.clipboard.readText())).includes(ANSWER));
    for (const [style, expected] of [["gb7714", "[N"], ["bibtex", "@article{"], ["ris", "TY  - NEWS"], ["link", "/articles/"], ["apa", "夜市"]]) {
      await on.selectOption("#style", style);
      await on.click("#copy-citation");
      await on.waitForFunction((expected) => navigator.clipboard.readText().then((text) => text.includes(expected)), expected);
    }
    await on.keyboard.press("Escape");
    assert(await on.isHidden("#pane"));
    assert(await on.evaluate(() => document.activeElement.className === "cite"), "focus returns to the mark");
    assert(on.url().includes("?q="));
    await done();
  },

  async "answers from the records have forms of their own: entries, a summary under its title, two sides"() {
    const { page: on, done } = await page();
    const put = async (/** @type {string} */ question) => {
      await on.goto(`${service.url}/?q=${encodeURIComponent(question)}`);
      await on.waitForSelector(".turn .sources");
      await axe(on, question);
      return on.locator(".turn .answer");
    };
    const list = await put("常青写了哪些文章？");
    assert.deepEqual([await list.locator(".statement").count(), await list.locator(".source").count()], [0, 1]);
    assert.match(await list.locator(".source").first().textContent(), /夜市的烟火气从哪里来/);
    const summary = await put("《夜市的烟火气从哪里来》讲了什么？");
    assert.deepEqual(await summary.locator(".part h3").allTextContents(), ["夜市的烟火气从哪里来"]);
    const said = await summary.locator(".statement").allTextContents();
    assert(said.length >= 3 && said.length <= 7 && !said.some((text) => text.includes("作者系")), said.join("\n"));
    assert.equal(await summary.locator(".source").count(), 1, "one card for an article");
    const sides = await put("比较常青和苏叶的文章");
    assert.deepEqual(await sides.locator(".sides .part h3").allTextContents(), ["常青", "苏叶"]);
    const [left, right] = await Promise.all([0, 1].map((n) => sides.locator(".sides .part").nth(n).boundingBox()));
    assert(left.y === right.y && left.x + left.width <= right.x, "beside each other");
    assert(!(await sides.locator(".sides .statement").allTextContents()).some((text) => text.startsWith("常青:")));
    await done();
  },

  async "the keyboard reaches everything"() {
    const { page: on, done } = await page();
    // An answer with more than one citation, to go from one to the next.
    await on.goto(`${service.url}/?q=${encodeURIComponent("夜市的摊位费是多少？")}`);
    await on.waitForSelector(".cite");
    await on.focus(".cite >> nth=0");
    assert(await on.isVisible("#card"), "the card comes with the focus");
    await on.keyboard.press("Enter");
    await on.waitForSelector("#text mark");
    const first = await on.textContent("#text mark");
    await on.keyboard.press("]");
    await on.waitForFunction((first) => document.querySelector("#text mark").textContent !== first, first);
    await on.keyboard.press("[");
    await on.waitForFunction((first) => document.querySelector("#text mark").textContent === first, first);
    await on.keyboard.press("t");
    assert.equal(await on.evaluate(() => document.documentElement.dataset.theme), "dark");
    await on.keyboard.press("?");
    assert(await on.isVisible("#keys"));
    await on.keyboard.press("Escape");
    await on.keyboard.press("/");
    assert(await on.evaluate(() => document.activeElement.id === "question"));
    await done();
  },

  async "Enter that chooses a word of an input method does not send"() {
    const { page: on, done } = await page();
    await on.goto(service.url);
    await on.focus("#question");
    const cdp = await on.context().newCDPSession(on);
    await cdp.send("Input.imeSetComposition", { text: "yeshi", selectionStart: 5, selectionEnd: 5 });
    await on.evaluate(() => document.getElementById("question").dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", keyCode: 229, isComposing: true, bubbles: true, cancelable: true })));
    await cdp.send("Input.insertText", { text: QUESTION });
    assert.equal(await on.locator(".turn").count(), 0);
    assert.equal(await on.inputValue("#question"), QUESTION);
    await on.keyboard.press("Shift+Enter");
    assert.equal(await on.locator(".turn").count(), 0);
    await on.keyboard.press("Enter");
    await on.waitForSelector(".statement");
    await done();
  },

  async "a follow-up is understood, and a refusal shows the nearest passages"() {
    const { page: on, done } = await page({ locale: "en-GB" });
    await on.goto(service.url);
    await ask(on, "Who keeps order at the night market?");
    await on.waitForSelector(".turn:nth-of-type(1) .statement");
    await ask(on, "For how many nights can they close a stall?");
    await on.waitForSelector(".turn:nth-of-type(2) .source");
    assert((await on.textContent(".turn:nth-of-type(2) .source")).includes("A market that opens at dusk"));
    await ask(on, "What is the boiling point of tungsten?");
    await on.waitForSelector(".refusal");
    assert((await on.textContent(".refusal")).includes("The articles do not say."));
    assert((await on.locator(".turn:nth-of-type(3) .source").count()) > 0 && (await on.locator(".turn:nth-of-type(3) .cite").count()) === 0);
    await done();
  },

  async "filters restrict what may answer"() {
    const { page: on, done } = await page();
    await on.goto(service.url);
    await on.waitForSelector(".examples button");
    await on.click("summary");
    await on.fill("#filter-author", "林泉");
    await ask(on, QUESTION);
    await on.waitForSelector(".source");
    for (const text of await on.locator(".source small").allTextContents()) assert(text.includes("林泉"), text);
    await done();
  },

  async "a slow stream shows its stages, and can be stopped"() {
    const slow = createServer((request, response) => {
      if (request.url !== "/v1/ask") return fetch(service.url + request.url).then(async (answer) => {
        response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
        response.end(Buffer.from(await answer.arrayBuffer()));
      });
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write('event: stage\ndata: {"stage":"searching"}\n\n');
      setTimeout(() => response.write('event: stage\ndata: {"stage":"reading","passages":2}\n\nevent: sources\ndata: {"passages":[{"title":"甲"},{"title":"乙"}]}\n\n'), 300);
    });
    await new Promise((resolve) => slow.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${slow.address().port}`;
    const { page: on, done } = await page({}, url);
    await on.goto(url);
    await ask(on, QUESTION);
    await on.waitForFunction(() => document.getElementById("status").textContent.includes("正在阅读 2 段"));
    assert.equal(await on.locator(".strip li").count(), 2);
    await on.click("#stop");
    await on.waitForFunction(() => document.getElementById("status").textContent === "已停止");
    assert(await on.isVisible("#send"));
    slow.closeAllConnections();
    slow.close();
    await done();
  },

  async "a server that dies in the middle of an answer is told, and the question can be asked again"() {
    let dying = true;
    const proxy = createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      if (request.url === "/v1/ask" && dying) {
        response.writeHead(200, { "content-type": "text/event-stream", "x-request-id": "abc" });
        response.write('event: stage\ndata: {"stage":"searching"}\n\n');
        setTimeout(() => response.destroy(), 100);
        return;
      }
      const body = request.method === "POST" ? { method: "POST", body: Buffer.concat(chunks), headers: { "content-type": "application/json" } } : {};
      const answer = await fetch(service.url + request.url, body);
      response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
      response.end(Buffer.from(await answer.arrayBuffer()));
    });
    await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${proxy.address().port}`;
    const { page: on, done } = await page({}, url);
    await on.goto(url);
    await ask(on, QUESTION);
    await on.waitForSelector(".error");
    assert((await on.textContent(".error")).includes("连接断开"));
    dying = false;
    await on.click(".error button");
    await on.waitForSelector(".statement");
    proxy.closeAllConnections();
    proxy.close();
    await done();
  },

  async "articles are browsed, found, and added by file"() {
    const { page: on, done } = await page();
    await on.goto(service.url);
    await on.click('[data-view="browse"]');
    await on.waitForSelector("#articles .source");
    await on.fill("#find", "常青");
    await on.waitForFunction(() => document.querySelectorAll("#articles .source").length === 1);
    await on.click("#articles .source");
    await on.waitForSelector("#text:not(:empty)");
    assert((await on.textContent("#pane-about")).includes("pages/headlines-below.txt"));
    await on.keyboard.press("Escape");
    await on.click('[data-view="add"]');
    const folder = join(service.folder, "files");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "渡口.txt"), "新渡口每天开十二班船，最后一班在晚上九点。\n");
    writeFileSync(join(folder, "图.txt"), Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0, 0, 1, 2]));
    await on.setInputFiles("#files", [join(folder, "渡口.txt"), join(folder, "图.txt")]);
    await on.waitForFunction(() => document.querySelectorAll("#uploads > li").length === 2 && document.querySelector("#uploads .error"));
    assert((await on.textContent("#uploads")).includes("渡口 · 已添加"));
    await on.click('[data-view="ask"]');
    await ask(on, "新渡口每天开几班船？");
    await on.waitForSelector(".statement");
    assert((await on.textContent(".statement")).includes("十二班"));
    await done();
  },

  async "what articles say is never markup"() {
    const bad = { key: "hostile", title: HOSTILE, text: `The word of the day is ${HOSTILE}.`, authors: [HOSTILE], url: "javascript:alert(4)" };
    const send = (article) => fetch(`${service.url}/v1/articles`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(article) });
    assert.equal((await send(bad)).status, 400, "an address of a foreign scheme is refused");
    assert.equal((await send({ ...bad, url: undefined })).status, 200);
    const { page: on, done } = await page({ locale: "en-GB" });
    await on.goto(service.url);
    await ask(on, "What is the word of the day?");
    await on.waitForSelector(".cite");
    await on.hover(".cite");
    await on.click(".cite");
    await on.waitForSelector("#text mark");
    assert((await marked(on)).includes("<script>"));
    // The page's own picture is of printed pages, which this article has none of.
    assert.equal(await on.locator("main img:not(#printed-page), #printed-page[src], main script, [onerror], a[href^=javascript]").count(), 0);
    await on.click('[data-view="browse"]');
    await on.waitForSelector("#articles .source");
    await done();
  },

  async "every language says everything, and the choice is kept"() {
    const { page: on, done } = await page({ locale: "zh-TW" });
    await on.goto(service.url);
    assert.equal(await on.textContent("#send"), "提問");
    const missing = await on.evaluate(async () => {
      const { LANGUAGES } = await import("/assets/words.js");
      const keys = Object.keys(LANGUAGES.en);
      return Object.entries(LANGUAGES).flatMap(([name, words]) => keys.filter((key) => !words[key]).map((key) => `${name}: ${key}`));
    });
    assert.deepEqual(missing, []);
    await on.selectOption("#language", "en");
    await on.reload();
    assert.equal(await on.textContent("#send"), "Ask");
    await done();
  },

  async "axe finds nothing, and nothing is wider than the screen"() {
    for (const colorScheme of ["light", "dark"]) for (const width of [360, 1280]) {
      const { page: on, done } = await page({ colorScheme, viewport: { width, height: 800 }, reducedMotion: "reduce" });
      const look = async (name) => {
        await axe(on, `${name} ${colorScheme} ${width}`);
        assert((await on.evaluate(() => document.documentElement.scrollWidth)) <= width, `${name} is wider than ${width}`);
        if (shots) await on.screenshot({ path: join(shots, `${name}-${colorScheme}-${width}.png`) });
      };
      await on.goto(service.url);
      await on.waitForSelector(".examples button");
      await look("welcome");
      await ask(on, QUESTION);
      await on.waitForSelector(".cite");
      await look("answer");
      await on.click(".cite >> nth=0");
      await on.waitForSelector("#text mark");
      await look("source");
      await on.click("#close");
      await ask(on, "月球背面的温度是多少摄氏度？");
      await on.waitForSelector(".refusal");
      await look("refusal");
      await on.click('[data-view="browse"]');
      await on.waitForSelector("#articles .source");
      await look("articles");
      await on.click('[data-view="add"]');
      await look("add");
      await done();
    }
  },

  async "the page is light, and sources come at once"() {
    const { page: on, done } = await page();
    await on.goto(service.url);
    await on.waitForSelector(".examples button");
    const bytes = await on.evaluate(() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
      .filter(({ name }) => !name.includes("/v1/")).reduce((sum, entry) => sum + entry.decodedBodySize, 0));
    const begun = Date.now();
    await ask(on, QUESTION);
    await on.waitForSelector(".strip, .sources");
    console.log(`page ${(bytes / 1024).toFixed(1)} KB uncompressed, first source after ${Date.now() - begun} ms`);
    assert(bytes < 80 * 1024, `${bytes} bytes`);
    await done();
  },
};

let failures = 0;
try {
  for (const [name, test] of Object.entries(tests)) {
    try {
      await test();
      console.log(`ok   ${name}`);
    } catch (error) {
      failures += 1;
      console.log(`FAIL ${name}\n${error.stack}`);
    }
  }
} finally {
  await browser.close();
  service.stop();
}
console.log(`${Object.keys(tests).length - failures} passed, ${failures} failed`);
process.exit(failures ? 1 : 0);
