"""Dense retrieval on BEIR folders: recall@1 of each, and mAP where several passages are right."""

import csv
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from .encode import Texts, encode


@dataclass(slots=True)
class Benchmark:
    name: str
    questions: Texts
    passages: Texts
    right: list[np.ndarray]


def load(folder: Path, tokenizer: Tokenizer) -> list[Benchmark]:
    """Every BEIR folder below `folder` whose questions all have a right passage."""
    found = [benchmark(path.parent, tokenizer) for path in sorted(folder.glob("*/qrels.tsv"))]
    return [one for one in found if all(len(right) for right in one.right)]


def benchmark(folder: Path, tokenizer: Tokenizer) -> Benchmark:
    passages = [json.loads(line) for line in (folder / "corpus.jsonl").open(encoding="utf-8")]
    questions = [json.loads(line) for line in (folder / "queries.jsonl").open(encoding="utf-8")]
    place = {passage["_id"]: number for number, passage in enumerate(passages)}
    right = defaultdict(list)
    with (folder / "qrels.tsv").open(encoding="utf-8") as rows:
        for question, passage, relevance in list(csv.reader(rows, delimiter="\t"))[1:]:
            if int(relevance) > 0:
                right[question].append(place[passage])
    whole = 1 << 20
    titled = [f"{passage.get('title', '')}\n{passage['text']}".strip() for passage in passages]
    return Benchmark(
        folder.name,
        encode(tokenizer, [question["text"] for question in questions], whole),
        encode(tokenizer, titled, whole),
        [np.array(right[question["_id"]], int) for question in questions],
    )


def vectors(table: np.ndarray, texts: Texts) -> np.ndarray:
    """The mean of each text's rows, scaled to length one."""
    means = np.stack([table[texts.get(index)].sum(0) for index in range(len(texts))])
    return means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)


def score(table: np.ndarray, one: Benchmark) -> float:
    similarity = vectors(table, one.questions) @ vectors(table, one.passages).T
    if max(map(len, one.right)) == 1:
        return float(np.mean([similarity[row].argmax() == right[0] for row, right in enumerate(one.right)]))
    return float(np.mean([average_precision(similarity[row], right) for row, right in enumerate(one.right)]))


def average_precision(similarity: np.ndarray, right: np.ndarray) -> float:
    ranks = np.sort(np.argsort(np.argsort(-similarity))[right]) + 1
    return float(np.mean(np.arange(1, len(ranks) + 1) / ranks))


def all_scores(table: np.ndarray, benchmarks: list[Benchmark]) -> dict[str, float]:
    return {one.name: round(score(table, one), 4) for one in benchmarks}
