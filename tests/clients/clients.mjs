// Clients from npm against a running ibid. Usage: node clients.mjs IBID
import assert from "node:assert/strict";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, streamText } from "ai";
import OpenAI from "openai";
import { start } from "./service.mjs";

const QUESTION = "夜市的摊位费每晚收多少元？";
const ANSWER = "摊位费每晚只收二十元";
const service = await start(process.argv[2]);

async function openaiNode() {
  const client = new OpenAI({ baseURL: `${service.url}/v1`, apiKey: "none", maxRetries: 0 });
  const messages = [{ role: "user", content: QUESTION }];
  const plain = await client.chat.completions.create({ model: "ibid", messages });
  const { content, annotations } = plain.choices[0].message;
  assert(content.includes(ANSWER) && annotations.length > 0);
  for (const { url_citation: one } of annotations) assert.match([...content].slice(one.start_index, one.end_index).join(""), /^\[\d+\]$/);
  let text = "";
  let last;
  for await (const chunk of await client.chat.completions.create({ model: "ibid", messages, stream: true })) {
    text += chunk.choices[0]?.delta.content ?? "";
    if (chunk.choices[0]?.finish_reason) last = chunk;
  }
  assert.equal(text, content);
  assert.deepEqual(last.choices[0].delta.annotations, annotations);
  const response = await client.responses.create({ model: "ibid", input: QUESTION });
  assert(response.output_text.includes(ANSWER) && response.output[0].content[0].annotations.length > 0);
  const { data } = await client.embeddings.create({ model: "contextual-multilingual", input: ["夜市"] });
  assert.equal(data[0].embedding.length, 384);
  await assert.rejects(client.chat.completions.create({ model: "other", messages }), (error) => error.status === 404 && error.code === "model_not_found");
  return "| openai (Node) | stream, marks, annotations, errors, responses, embeddings |";
}

async function aiSdk() {
  const provider = createOpenAI({ baseURL: `${service.url}/v1`, apiKey: "none" });
  for (const model of [provider.chat("ibid"), provider.responses("ibid")]) {
    const plain = await generateText({ model, prompt: QUESTION, maxRetries: 0 });
    assert(plain.text.includes(ANSWER));
    assert(plain.sources.length > 0 && plain.sources[0].url.startsWith(service.url), "sources");
    const parts = [];
    for await (const part of streamText({ model, prompt: QUESTION, maxRetries: 0 }).fullStream) parts.push(part);
    assert.deepEqual(parts.filter((part) => part.type === "error"), []);
    assert.equal(parts.filter((part) => part.type === "text-delta").map((part) => part.text).join(""), plain.text);
    assert(parts.some((part) => part.type === "source"));
  }
  await assert.rejects(generateText({ model: provider.chat("other"), prompt: QUESTION, maxRetries: 0 }), (error) => error.statusCode === 404);
  return "| AI SDK (chat and responses) | stream, marks, source parts, errors |";
}

try {
  const rows = [await openaiNode(), await aiSdk()];
  console.log(rows.join("\n"));
  console.log(`${rows.length} passed, 0 failed`);
} finally {
  service.stop();
}
