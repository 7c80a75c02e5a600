"""Figures on sets with near misses: `python -m reader.near --model MODEL SETS/near-…`.

Each question's passages are found by the encoder alone, and the best four are read. Printed by set:

    auroc       questions that have an answer against those that have none, by the best passage's logit
    with_span   the same with the best span's logit, over that of no span, added
    refused     of those without an answer, at the threshold that lets 93 in 100 of the others pass
    evidence    questions whose first sentence holds the answer's words
    recall      questions whose first passage, by the reader, is the right one
"""

import argparse
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from encoder import folder
from encoder.network import BEGIN, END, embed

from .check import ranges
from .heldout import auroc
from .reading import Reading
from .sentences import Span, sentences

PASSAGE_TOKENS, MOST_TOKENS = 140, 320
READ, PASS, SPAN_WEIGHT = 4, 0.93, 0.3


@dataclass(slots=True)
class Passage:
    document: str
    title: str
    text: str
    spans: list[Span]  # bytes


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def cut(text: str, tokenizer: Tokenizer) -> list[list[str]]:
    """Passages of about 140 tokens, as lists of sentences that stand one after another."""
    spans, passages, passage, length = sentences(text), [], [], 0
    for number, (start, _) in enumerate(spans):
        sentence = text[start : spans[number + 1][0] if number + 1 < len(spans) else len(text)]
        tokens = len(tokenizer.encode(sentence, add_special_tokens=False).ids)
        if passage and (length >= PASSAGE_TOKENS or length + tokens > MOST_TOKENS):
            passages.append(passage)
            passage, length = [], 0
        passage.append(sentence)
        length += tokens
    return [*passages, passage] if passage else passages


def passages_of(corpus: list[dict], tokenizer: Tokenizer) -> list[Passage]:
    return [
        Passage(row["_id"], row.get("title", ""), "".join(parts), ranges(parts))
        for row in corpus for parts in cut(row["text"], tokenizer)
    ]


def flat(text: str) -> str:
    return re.sub(r"\s+", "", text)


def figures(model: Path, reading: Reading, path: Path, most: int) -> dict[str, float]:
    corpus, queries = lines(path / "corpus.jsonl"), lines(path / "queries.jsonl")
    queries = queries[:: max(1, len(queries) // most)]
    relevant = {tuple(line.split("\t")[:2]) for line in (path / "qrels.tsv").read_text().splitlines()[1:]}
    tokenizer, encoder = reading.tokenizer, folder.load(model)
    passages = passages_of(corpus, tokenizer)

    def vectors(prompt: str, texts: list[str]) -> torch.Tensor:
        limit = MOST_TOKENS + 32
        return embed(encoder, [[BEGIN, *tokenizer.encode(prompt + text, add_special_tokens=False).ids[:limit], END] for text in texts])

    found = vectors("query: ", [query["text"] for query in queries]) @ vectors("passage: ", [f"{one.title}\n{one.text}" for one in passages]).T
    answerable = np.array([query["answerable"] for query in queries])
    logits, spans, evidence, recall = [], [], [], []
    for query, row in zip(queries, found, strict=True):
        best = [passages[at] for at in row.topk(min(READ, len(passages))).indices]
        read = [reading.read(query["text"], one.title, one.text, one.spans) for one in best]
        margins = [max((part["span_logit"] for part in one["sentences"] if part), default=-1e4) - one["no_span"] for one in read]
        logits.append(max(one["answerable"] for one in read))
        spans.append(max(one["answerable"] + SPAN_WEIGHT * margin for one, margin in zip(read, margins, strict=True)))
        if query["answerable"]:
            first = max(zip(read, best, strict=True), key=lambda pair: pair[0]["answerable"])[1]
            recall.append((query["_id"], first.document) in relevant)
            candidates = [
                (one["answerable"] + part["logit"] + SPAN_WEIGHT * part["span_logit"], passage.text.encode()[start:end].decode())
                for one, passage in zip(read, best, strict=True)
                for part, (start, end) in zip(one["sentences"], passage.spans, strict=True) if part
            ]
            evidence.append(any(flat(answer) in flat(max(candidates)[1]) for answer in query["answers"]))
    score, both = np.array(logits), np.array(spans)
    threshold = np.quantile(both[answerable], 1 - PASS)
    return {
        "auroc": auroc(score[answerable], score[~answerable]), "with_span": auroc(both[answerable], both[~answerable]),
        "refused": float((both[~answerable] < threshold).mean()), "evidence": float(np.mean(evidence)), "recall": float(np.mean(recall)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m reader.near", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="the model folder, with `reader/`")
    parser.add_argument("--most", type=int, default=200, help="questions of each set")
    parser.add_argument("sets", type=Path, nargs="+", help="BEIR folders whose questions say `answerable`")
    arguments = parser.parse_args()
    reading = Reading(arguments.model)
    for path in arguments.sets:
        found = figures(arguments.model, reading, path, arguments.most)
        print(path.name, " ".join(f"{name} {value:.3f}" for name, value in found.items()), flush=True)


if __name__ == "__main__":
    main()
