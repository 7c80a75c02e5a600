"""Questions about the collection, asked of a service with the sample articles; how many are answered right, by kind.

    ibid serve --data EMPTY --listen 127.0.0.1:8080
    python measure.py http://127.0.0.1:8080 [ORDINARY.jsonl ...]

Right is a kind that is the gold's, and an answer that cites every article of the gold (first, where it is one alone), or
says the gold's number. A file of ordinary questions, such as a set's queries.jsonl, is asked too: how many of them are
taken for questions about the collection.
"""

import json
import sys
from pathlib import Path
from urllib.request import Request, urlopen


def ask(service: str, question: str) -> dict:
    body = json.dumps({"question": question}).encode()
    with urlopen(Request(f"{service}/v1/ask", body, {"content-type": "application/json"})) as response:
        return json.load(response)


def is_right(gold: dict, answer: dict) -> bool:
    if gold["kind"] == "refused":
        return not answer["answerable"]
    if "count" in gold:
        return bool(answer["answer"]) and str(gold["count"]) in answer["answer"][0]["text"]
    cited = [citation["title"] for citation in answer["citations"]] if answer["answerable"] else []
    return all(title in cited for title in gold["titles"])


def main() -> None:
    service, files = sys.argv[1], [Path(name) for name in sys.argv[2:]]
    gold = [json.loads(line) for line in Path(__file__).with_name("questions.jsonl").read_text().splitlines()]
    kinds, right, wrong = 0, 0, []
    for row in gold:
        answer = ask(service, row["question"])
        kind = "refused" if not answer["answerable"] else answer["kind"]
        kinds += kind == row["kind"]
        right += is_right(row, answer)
        if kind != row["kind"] or not is_right(row, answer):
            wrong.append((row["question"], kind, [citation["title"] for citation in answer["citations"]][:4]))
    print(f"{len(gold)} questions: kind right {kinds / len(gold):.3f}, answer right {right / len(gold):.3f}")
    for question, kind, titles in wrong:
        print(f"  {question}  {kind}  {titles}")
    for file in files:
        questions = [json.loads(line)["text"] for line in file.read_text().splitlines()]
        kinds = [ask(service, question)["kind"] for question in questions[:: max(1, len(questions) // 120)][:120]]
        taken = sum(kind != "passages" for kind in kinds)
        print(f"{file.parent.name}: {taken} of {len(kinds)} ordinary questions taken for questions about the collection")


if __name__ == "__main__":
    main()
