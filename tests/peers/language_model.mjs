// A real language model behind an endpoint that speaks OpenAI's chat completions, for trying written answers by hand.
//
//     npm install node-llama-cpp
//     node tests/peers/language_model.mjs MODEL.gguf [PORT]
//     IBID__GENERATE__ENDPOINT=http://127.0.0.1:8081/v1 IBID__GENERATE__MODEL=local \
//         ibid eval SET --answerer written --out report
//
// llama.cpp comes prebuilt in node-llama-cpp; any model in GGUF with a chat template will do. One answer is written at a
// time, on the processor.
import http from "node:http";
import { getLlama, LlamaChatSession } from "node-llama-cpp";

const [path, port = "8081"] = process.argv.slice(2);
if (!path) {
  console.error("usage: node language_model.mjs MODEL.gguf [PORT]");
  process.exit(2);
}
const CONTEXT = 6144; // tokens of the prompt and of the answer
const llama = await getLlama({ gpu: false, build: "never" });
const model = await llama.loadModel({ modelPath: path });
const context = await model.createContext({ contextSize: CONTEXT });
const sequence = context.getSequence();

async function write({ messages, max_tokens: maxTokens = 256, temperature = 0 }, onTextChunk, signal) {
  const content = (role) => messages.filter((message) => message.role === role).at(-1)?.content ?? "";
  // The same sequence each time: what prompts have in common at their beginning is computed once.
  const session = new LlamaChatSession({ contextSequence: sequence, systemPrompt: content("system") });
  await session.prompt(content("user"), { temperature, maxTokens, onTextChunk, signal, stopOnAbortSignal: true });
  session.dispose({ disposeSequence: false });
}

async function answer(request, response) {
  let text = "";
  for await (const piece of request) text += piece;
  if (!request.url.endsWith("/chat/completions")) return void response.writeHead(404).end("{}");
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  const send = (body) => response.write(`data: ${body}\n\n`);
  const chunk = (delta, finish_reason = null) => send(JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] }));
  waiting = waiting.then(async () => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    await write(JSON.parse(text), (content) => chunk({ content }), gone.signal);
    chunk({}, "stop");
    send("[DONE]");
  });
  waiting = waiting.catch((error) => console.error(error.message));
  await waiting;
  response.end();
}

let waiting = Promise.resolve();
http.createServer(answer).listen(Number(port), "127.0.0.1", () => console.log(`ready on http://127.0.0.1:${port}/v1`));
