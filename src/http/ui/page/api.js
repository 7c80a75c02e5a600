// @ts-check
// The service: requests, streams, and what can go wrong with them.

import { word } from "./words.js";

/** What the addresses of this collection begin with; empty for the first. */
export const base = location.pathname.match(/^\/collections\/[^/]+/)?.[0] ?? "";

/** Something that went wrong, in words for the reader. */
export class Problem extends Error {
  /** @param {string} message @param {{ code?: string, request?: string, retryAfter?: number }} [about] */
  constructor(message, { code = "", request = "", retryAfter = 0 } = {}) {
    super(message);
    Object.assign(this, { code, request, retryAfter });
    this.code = code;
    this.request = request;
    this.retryAfter = retryAfter;
  }
}

/** @param {Response} response */
async function refused(response) {
  const request = response.headers.get("x-request-id") ?? "";
  const retryAfter = Number(response.headers.get("retry-after") ?? 0);
  const { error } = await response.json().catch(() => ({ error: { message: response.statusText } }));
  const message = response.status === 429 ? word("busy", { n: retryAfter || 1 }) : error.hint ? `${error.message} (${error.hint})` : error.message;
  return new Problem(message, { code: error.code, request, retryAfter });
}

/** The key that this tab was given, if the service needs one. It is forgotten with the tab. */
const key = () => sessionStorage.getItem("ibid-key");

/** @param {string} words */
export const useKey = (words) => sessionStorage.setItem("ibid-key", words);

/** @param {string} path @param {RequestInit} [options] */
async function reach(path, options = {}) {
  let response;
  const headers = { ...options.headers, ...(key() ? { authorization: `Bearer ${key()}` } : {}) };
  try {
    response = await fetch(base + path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(word("unreachable"));
  }
  if (!response.ok) throw await refused(response);
  return response;
}

/** @param {string} path @param {RequestInit} [options] */
export const json = async (path, options) => (await reach(path, options)).json();

/** @param {string} path */
export const text = async (path) => (await reach(path)).text();

/**
 * Asks, and gives each event as it comes; ends with the answer, or throws.
 * @param {object} body
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<{ name: string, data: any }>}
 */
export async function* ask(body, signal) {
  const headers = { "content-type": "application/json" };
  const response = await reach("/v1/ask", { method: "POST", headers, body: JSON.stringify({ ...body, stream: true }), signal });
  const request = response.headers.get("x-request-id") ?? "";
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let kept = "";
  for (let whole = false; !whole; ) {
    const { done, value } = await reader.read().catch((error) => {
      if (error.name === "AbortError") throw error;
      return { done: true, value: "" };
    });
    if (done) throw new Problem(word("cut"), { request });
    kept += value;
    const events = kept.split("\n\n");
    kept = events.pop() ?? "";
    for (const event of events) {
      const lines = event.split("\n");
      const field = (/** @type {string} */ name) => lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).trimStart()).join("\n");
      if (!field("data")) continue;
      const name = field("event");
      const data = JSON.parse(field("data"));
      if (name === "error") throw new Problem(data.error.message, { code: data.error.code, request });
      yield { name, data };
      whole = name === "answer";
    }
  }
}

/**
 * Sends a file, and tells how much has gone.
 * @param {File} file @param {(share: number) => void} gone
 * @returns {Promise<any>}
 */
export function upload(file, gone) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${base}/v1/articles`);
    if (key()) request.setRequestHeader("authorization", `Bearer ${key()}`);
    request.upload.onprogress = (event) => gone(event.total ? event.loaded / event.total : 1);
    request.onerror = () => reject(new Problem(word("unreachable")));
    request.onload = () => {
      let body;
      try {
        body = JSON.parse(request.responseText);
      } catch {
        body = { error: { message: request.statusText } };
      }
      if (request.status === 200) resolve(body);
      else reject(new Problem(body.error.hint ? `${body.error.message} (${body.error.hint})` : body.error.message, { code: body.error.code }));
    };
    const form = new FormData();
    form.append("file", file, file.name);
    request.send(form);
  });
}
