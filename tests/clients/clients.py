"""Clients that people have, against a running ibid: what each shows of the citations.

Usage: clients.py IBID   (starts `IBID serve` on the sample articles; needs requirements.txt)
Prints a table client × feature; each cell is an assertion that held.
"""

import asyncio
import base64
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

QUESTION = "夜市的摊位费每晚收多少元？"
ANSWER = "摊位费每晚只收二十元"
UNANSWERABLE = "月球背面的温度是多少摄氏度？"
FOLLOW_UP = ["Who keeps order at the night market?", "For how many nights can they close a stall?"]
TABLE: list[tuple[str, list[str]]] = []


def shows(client: str, *features: str) -> None:
    TABLE.append((client, list(features)))


class Service:
    """A running `ibid serve` with a library of its own."""

    def __init__(self, program: str, *arguments: str):
        self.folder = tempfile.TemporaryDirectory(prefix="ibid-clients-")
        command = [program, "serve", "--listen", "127.0.0.1:0", "--data", f"{self.folder.name}/data", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().strip()
        assert self.url, "ibid serve ended before it was ready"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)

    def call(self, path: str, body=None, headers=None, method=None):
        data = None if body is None else json.dumps(body).encode() if not isinstance(body, bytes) else body
        request = urllib.request.Request(self.url + path, data, {"content-type": "application/json", **(headers or {})}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, dict(response.headers), response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read().decode()


def check_marks(text: str, annotations) -> None:
    """Each annotation stands on a mark of the text, and each mark has one."""
    marked = [text[one["start_index"] : one["end_index"]] for one in annotations]
    assert marked and all(re.fullmatch(r"\[\d+\]", mark) for mark in marked), marked
    body = text.split("**")[0]
    assert sorted(marked) == sorted(re.findall(r"\[\d+\]", body)), (marked, body)
    assert all(one["url"].startswith("http") and one["title"] for one in annotations)


def openai_python(service: Service) -> None:
    import openai

    client = openai.OpenAI(base_url=f"{service.url}/v1", api_key="none", max_retries=0)
    assert {"ibid"} < {model.id for model in client.models.list()}
    plain = client.chat.completions.create(model="ibid", messages=[{"role": "user", "content": QUESTION}])
    message = plain.choices[0].message
    assert ANSWER in message.content and "**出处**" in message.content
    check_marks(message.content, [one.url_citation.model_dump() for one in message.annotations])
    quotes = [citation["quote"] for citation in plain.model_extra["ibid"]["citations"]]
    assert any(ANSWER in quote for quote in quotes)
    assert plain.usage.total_tokens == plain.usage.prompt_tokens + plain.usage.completion_tokens > 0

    stream = client.chat.completions.create(
        model="ibid", messages=[{"role": "user", "content": QUESTION}], stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == message.content, (text, message.content)
    last = next(chunk for chunk in chunks if chunk.choices and chunk.choices[0].finish_reason == "stop")
    check_marks(text, [one["url_citation"] for one in last.choices[0].delta.model_extra["annotations"]])
    assert chunks[-1].usage.total_tokens > 0 and not chunks[-1].choices

    refused = client.chat.completions.create(model="ibid", messages=[{"role": "user", "content": UNANSWERABLE}])
    assert refused.choices[0].message.content.startswith("文章中没有说到。") and not refused.choices[0].message.annotations
    assert refused.choices[0].finish_reason == "stop" and refused.model_extra["ibid"]["answerable"] is False

    first = client.chat.completions.create(model="ibid", messages=[{"role": "user", "content": FOLLOW_UP[0]}])
    conversation = [
        {"role": "user", "content": FOLLOW_UP[0]},
        {"role": "assistant", "content": first.choices[0].message.content},
        {"role": "user", "content": FOLLOW_UP[1]},
    ]
    follow = client.chat.completions.create(model="ibid", messages=conversation)
    assert follow.model_extra["ibid"]["citations"][0]["title"] == "A market that opens at dusk", follow

    for arguments, kind, code in [
        ({"model": "other", "messages": [{"role": "user", "content": "x y"}]}, openai.NotFoundError, "model_not_found"),
        ({"model": "ibid", "messages": []}, openai.BadRequestError, "invalid_request"),
        ({"model": "ibid", "messages": [{"role": "user", "content": "？"}]}, openai.BadRequestError, "invalid_question"),
        ({"model": "ibid", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}]}, openai.BadRequestError, "invalid_request"),
    ]:
        try:
            client.chat.completions.create(**arguments)
            raise AssertionError(arguments)
        except kind as error:
            assert error.code == code and error.request_id, error

    response = client.responses.create(model="ibid", input=QUESTION)
    assert ANSWER in response.output_text
    check_marks(response.output_text, [one.model_dump() for one in response.output[0].content[0].annotations])
    with client.responses.stream(model="ibid", input=QUESTION) as events:
        seen = [event.type for event in events]
        assert events.get_final_response().output_text == response.output_text
    assert "response.output_text.annotation.added" in seen and seen[-1] == "response.completed"

    in_base64 = client.embeddings.create(model="contextual-multilingual", input=["夜市", "night market"])
    as_floats = client.embeddings.create(model="contextual-multilingual", input=["夜市", "night market"], encoding_format="float")
    for a, b in zip(in_base64.data, as_floats.data, strict=True):
        assert max(abs(x - y) for x, y in zip(a.embedding, b.embedding, strict=True)) < 1e-6
    short = client.embeddings.create(model="contextual-multilingual", input="夜市", dimensions=64).data[0].embedding
    assert len(short) == 64 and abs(sum(x * x for x in short) - 1) < 1e-4
    shows("openai (Python)", "stream", "marks", "annotations", "full citations", "errors", "follow-ups", "responses", "embeddings")


def litellm_client(service: Service) -> None:
    # Its table of other models' prices is not fetched.
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm

    litellm.suppress_debug_info = True
    arguments = {"model": "openai/ibid", "api_base": f"{service.url}/v1", "api_key": "none", "messages": [{"role": "user", "content": QUESTION}]}
    plain = litellm.completion(**arguments)
    message = plain.choices[0].message
    assert ANSWER in message.content
    check_marks(message.content, [one["url_citation"] for one in message.annotations])
    text, annotations = "", []
    for chunk in litellm.completion(**arguments, stream=True):
        delta = chunk.choices[0].delta
        text += delta.content or ""
        annotations += getattr(delta, "annotations", None) or []
    assert text == message.content
    check_marks(text, [one["url_citation"] for one in annotations])
    ranked = litellm.rerank(
        model="jina_ai/contextual-multilingual", api_base=f"{service.url}/v1/rerank", api_key="none", query=QUESTION,
        documents=["河水很清", "摊位费每晚二十元"], top_n=1,
    )
    assert ranked.results[0]["index"] == 1 and 0 <= ranked.results[0]["relevance_score"] <= 1
    try:
        litellm.completion(**{**arguments, "model": "openai/other"}, num_retries=0)
        raise AssertionError("an unknown model")
    except litellm.NotFoundError:
        pass
    shows("litellm", "stream", "marks", "annotations", "errors", "rerank")


def langchain(service: Service) -> None:
    from langchain_openai import ChatOpenAI, OpenAIEmbeddings

    chat = ChatOpenAI(model="ibid", base_url=f"{service.url}/v1", api_key="none", max_retries=0)
    plain = chat.invoke(QUESTION)
    assert ANSWER in plain.content and "[1]" in plain.content and "](<http" in plain.content
    streamed = "".join(chunk.content for chunk in chat.stream(QUESTION))
    assert streamed == plain.content
    with_responses = ChatOpenAI(model="ibid", base_url=f"{service.url}/v1", api_key="none", use_responses_api=True)
    blocks = with_responses.invoke(QUESTION).content
    assert blocks[0]["annotations"] and ANSWER in blocks[0]["text"]
    embeddings = OpenAIEmbeddings(model="contextual-multilingual", base_url=f"{service.url}/v1", api_key="none", check_embedding_ctx_length=False)
    assert len(embeddings.embed_query("夜市")) == 384
    shows("langchain-openai", "stream", "marks", "annotations (responses)", "embeddings")


def llm_command(service: Service) -> None:
    with tempfile.TemporaryDirectory() as home:
        Path(home, "extra-openai-models.yaml").write_text(
            f"- model_id: ibid\n  model_name: ibid\n  api_base: {service.url}/v1\n", encoding="utf-8"
        )
        command = [str(Path(sys.executable).with_name("llm")), "-m", "ibid", "--key", "none"]
        environment = {**os.environ, "LLM_USER_PATH": home}
        for extra in ([], ["--no-stream"]):
            done = subprocess.run([*command, *extra, QUESTION], env=environment, capture_output=True, text=True, timeout=60)
            assert done.returncode == 0 and ANSWER in done.stdout and "[1]" in done.stdout, done
    shows("llm", "stream", "marks")


async def mcp_session(read, write) -> None:
    from mcp import ClientSession

    async with ClientSession(read, write) as session:
        await session.initialize()
        tools = {tool.name: tool for tool in (await session.list_tools()).tools}
        assert {"search", "fetch", "ask"} <= set(tools)
        found = json.loads((await session.call_tool("search", {"query": QUESTION})).content[0].text)
        first = found["results"][0]
        assert {"id", "title", "url"} <= set(first)
        article = json.loads((await session.call_tool("fetch", {"id": first["id"]})).content[0].text)
        assert ANSWER in article["text"] and {"id", "title", "text", "url", "metadata"} <= set(article)
        answer = json.loads((await session.call_tool("ask", {"question": QUESTION})).content[0].text)
        assert answer["answerable"] and ANSWER in answer["citations"][0]["quote"] and "[1]" in answer["answer"]
        refused = json.loads((await session.call_tool("ask", {"question": UNANSWERABLE})).content[0].text)
        assert refused["answerable"] is False


def mcp_client(service: Service, program: str) -> None:
    from mcp.client.stdio import StdioServerParameters, stdio_client

    try:
        from mcp.client.streamable_http import streamable_http_client as connect
    except ImportError:
        from mcp.client.streamable_http import streamablehttp_client as connect

    async def over_http():
        async with connect(f"{service.url}/mcp") as streams:
            await mcp_session(streams[0], streams[1])

    async def over_stdio():
        with tempfile.TemporaryDirectory() as folder:
            parameters = StdioServerParameters(command=program, args=["mcp", "--data", f"{folder}/data", "--quiet"])
            async with stdio_client(parameters) as (read, write):
                await mcp_session(read, write)

    asyncio.run(over_http())
    asyncio.run(over_stdio())
    versions = ["2025-06-18", "2025-11-25"]
    for version in versions:
        body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}}
        accept = {"accept": "application/json, text/event-stream"}
        status, _, text = service.call("/mcp", body, accept)
        assert status == 200 and f'"protocolVersion":"{version}"' in text, text
        status, _, _ = service.call("/mcp", body, {**accept, "origin": "http://evil.example"})
        assert status == 403
    # The stateless revision: no handshake, everything with each request.
    meta = {"protocolVersion": "2026-07-28", "clientInfo": {"name": "test", "version": "1"}, "clientCapabilities": {}}
    meta = {f"io.modelcontextprotocol/{key}": value for key, value in meta.items()}
    accept = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/list"}
    status, _, text = service.call("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}, accept)
    assert status == 200 and '"name":"fetch"' in text, text
    shows("mcp (Python)", "http", "stdio", *versions, "2026-07-28")


def dify(service: Service) -> None:
    status, _, _ = service.call("/retrieval", b"", method="POST")
    assert status == 400
    body = {"knowledge_id": "any", "query": QUESTION, "retrieval_setting": {"top_k": 3, "score_threshold": 0.2}, "metadata_condition": None}
    status, _, text = service.call("/retrieval", body, {"authorization": "Bearer any"})
    records = json.loads(text)["records"]
    assert status == 200 and ANSWER in records[0]["content"] and all(0.2 <= record["score"] <= 1 for record in records)
    assert all(isinstance(record["metadata"], dict) and record["metadata"]["url"] for record in records)
    condition = {"logical_operator": "and", "conditions": [{"name": ["author"], "comparison_operator": "is", "value": "nobody"}]}
    _, _, text = service.call("/retrieval", {**body, "metadata_condition": condition})
    assert json.loads(text) == {"records": []}
    shows("Dify (its requests)", "probe", "records", "conditions")


def open_webui(service: Service) -> None:
    """What Open WebUI sends and reads, by its own source: events in chunks, hidden tasks."""
    body = {"model": "ibid", "stream": True, "messages": [{"role": "user", "content": QUESTION}]}
    _, _, text = service.call("/v1/chat/completions", body, {"x-openwebui-user-id": "1"})
    chunks = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
    events = [chunk["event"] for chunk in chunks if "event" in chunk]
    assert all("choices" in chunk for chunk in chunks) and events and ANSWER in events[0]["data"]["document"][0]
    ids = [event["data"]["metadata"][0]["source"] for event in events]
    assert len(set(ids)) == len(ids)
    # Both would be shown: each source twice.
    assert not any(chunk["choices"][0]["delta"].get("annotations") for chunk in chunks if chunk["choices"])
    assert "**出处**" not in "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks if chunk["choices"])
    _, _, text = service.call("/v1/chat/completions", body)
    assert '"event"' not in text
    asked = 'ibid_questions_total{answerable="true"}'
    count = lambda: re.search(re.escape(asked) + r" (\d+)", service.call("/metrics")[2]).group(1)  # noqa: E731
    before = count()
    task = '### Task:\nGenerate a title.\n### Output:\nJSON format: { "title": "…" }\n<chat_history>\nUSER: 夜市的摊位费每晚收多少元？\n</chat_history>'
    _, _, text = service.call("/v1/chat/completions", {"model": "ibid", "messages": [{"role": "user", "content": task}]})
    assert json.loads(json.loads(text)["choices"][0]["message"]["content"]) == {"title": QUESTION}
    assert count() == before
    shows("Open WebUI (its requests)", "source events", "marks", "tasks without a search")


def own_api(service: Service) -> None:
    status, headers, text = service.call("/v1/ask", {"question": QUESTION})
    answer = json.loads(text)
    assert status == 200 and headers["x-request-id"]
    citation = answer["citations"][0]
    claim = {key: citation[key] for key in ("article_id", "version", "quote", "start", "end", "sha256")}
    verdict = lambda changed=None: json.loads(service.call("/v1/verify", {**claim, **(changed or {})})[2])["status"]  # noqa: E731
    assert verdict() == "holds" and verdict({"quote": "别的话"}) == "altered" and verdict({"article_id": "0" * 16}) == "gone"

    _, _, text = service.call("/v1/ask?citations=anthropic", {"question": QUESTION})
    block = json.loads(text)["anthropic"]["content"][0]
    assert block["citations"][0]["cited_text"] == citation["quote"] and block["citations"][0]["type"] == "char_location"
    _, _, text = service.call("/v1/ask?citations=cohere", {"question": QUESTION})
    message = json.loads(text)["cohere"]["message"]
    for one in message["citations"]:
        assert message["content"][0]["text"][one["start"] : one["end"]] == one["text"]
    _, _, text = service.call("/v1/ask?format=markdown", {"question": QUESTION})
    assert ANSWER in text and "[1]" in text
    _, _, text = service.call("/v1/ask?format=csl-json", {"question": QUESTION})
    assert json.loads(text)[0]["title"] == citation["title"]
    cite = lambda style: service.call(f"/v1/articles/{citation['article_id']}/citation?style={style}")[2]  # noqa: E731
    assert citation["title"] in cite("gb7714") and "[N" in cite("gb7714") and cite("bibtex").startswith("@article{")
    assert cite("ris").startswith("TY  - NEWS") and citation["title"] in cite("apa")

    article = {"key": "mine", "title": "新渡口", "text": "新渡口每天开十二班船，最后一班在晚上九点。", "authors": ["何舟"]}
    _, _, text = service.call("/v1/articles", article)
    taken = json.loads(text)["articles"][0]
    assert taken["outcome"] == "added" and json.loads(service.call("/v1/articles", article)[2])["articles"][0]["outcome"] == "unchanged"
    asked = json.loads(service.call("/v1/ask", {"question": "新渡口每天开几班船？"})[2])
    claim = {key: asked["citations"][0][key] for key in ("article_id", "version", "quote", "start", "end", "sha256")}
    assert asked["citations"][0]["article_id"] == taken["id"]
    changed = {**article, "text": "新渡口每天开十五班船，最后一班在晚上九点。"}
    assert json.loads(service.call(f"/v1/articles/{taken['id']}", changed, method="PUT")[2])["version"] == 2
    assert verdict(claim) == "superseded"
    assert json.loads(service.call(f"/v1/articles/{taken['id']}", {"published": "2025-03-01"}, method="PATCH")[2])["version"] == 3
    assert service.call(f"/v1/articles/{taken['id']}", method="DELETE")[0] == 204
    found = json.loads(service.call("/v1/search", {"question": "新渡口每天开几班船？"})[2])["passages"]
    assert all(passage["article_id"] != taken["id"] for passage in found) and verdict(claim) == "gone"
    assert service.call(f"/v1/articles/{taken['id']}/text?version=1")[0] == 200
    assert service.call(f"/v1/articles/{taken['id']}?purge=true", method="DELETE")[0] == 204
    assert service.call(f"/v1/articles/{taken['id']}/text?version=1")[0] == 404
    shows("own API", "verify", "Anthropic", "Cohere", "Markdown", "CSL-JSON", "GB/T 7714", "APA", "BibTeX", "RIS", "add", "replace", "describe", "remove", "purge")


def main() -> None:
    program = os.path.abspath(sys.argv[1])
    with Service(program) as service:
        for client in (openai_python, litellm_client, langchain, llm_command, dify, open_webui, own_api):
            client(service)
        mcp_client(service, program)
    for client, features in TABLE:
        print(f"| {client} | {', '.join(features)} |")
    print(f"{len(TABLE)} passed, 0 failed")


if __name__ == "__main__":
    main()
