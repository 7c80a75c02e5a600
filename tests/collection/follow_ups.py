"""Pairs of questions, the second of which goes on from the first, asked in one chat; how many are answered right.

    ibid serve --data EMPTY --listen 127.0.0.1:8080
    python follow_ups.py http://127.0.0.1:8080

Right is an answer that cites the gold's words or title, or a refusal where the articles do not say it. Repeated is a
wrong answer that shows a sentence of the answer before.
"""

import json
import sys
from pathlib import Path
from urllib.request import Request, urlopen


def chat(service: str, messages: list[dict]) -> dict:
    body = json.dumps({"model": "ibid", "messages": messages}).encode()
    with urlopen(Request(f"{service}/v1/chat/completions", body, {"content-type": "application/json"})) as response:
        return json.load(response)


def is_right(gold: dict, answer: dict) -> bool:
    if gold.get("refused"):
        return not answer["answerable"]
    quotes = "\n".join(citation["quote"] for citation in answer["citations"])
    titles = [citation["title"] for citation in answer["citations"]]
    wanted = [gold[name] for name in ("quote", "or") if name in gold]
    return answer["answerable"] and (any(words in quotes for words in wanted) or gold.get("title") in titles)


def main() -> None:
    service = sys.argv[1]
    gold = [json.loads(line) for line in Path(__file__).with_name("follow_ups.jsonl").read_text().splitlines()]
    right = repeated = first_answered = 0
    for row in gold:
        asked = [{"role": "user", "content": row["first"]}]
        first = chat(service, asked)
        before = {citation["quote"] for citation in first["ibid"]["citations"]} if first["ibid"]["answerable"] else set()
        first_answered += first["ibid"]["answerable"]
        said = {"role": "assistant", "content": first["choices"][0]["message"]["content"]}
        then = chat(service, [*asked, said, {"role": "user", "content": row["then"]}])["ibid"]
        shown = [citation["quote"] for citation in then["citations"]] if then["answerable"] else []
        repeats = any(quote in before for quote in shown)
        if is_right(row, then):
            right += 1
        else:
            repeated += repeats
            words = [quote[:60] for quote in shown]
            print(f"  {row['first']} | {row['then']}  answerable {then['answerable']}, repeats {repeats}: {words}")
    print(f"{len(gold)} pairs: right {right / len(gold):.3f}, repeated {repeated}; first question answered {first_answered}")


if __name__ == "__main__":
    main()
