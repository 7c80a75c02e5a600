"""Dense recall@1 on BEIR folders, whole documents: how the student comes along."""

import json
from pathlib import Path

from tokenizers import Tokenizer

from .network import BEGIN, END, Bert, embed

QUESTIONS, QUESTION_TOKENS, DOCUMENT_TOKENS = 700, 72, 380


def recall(network: Bert, tokenizer: Tokenizer, folder: Path) -> float:
    """Of the first questions that have a relevant document, those whose nearest document is one."""
    corpus, queries = ([json.loads(line) for line in (folder / name).read_text().splitlines()] for name in ("corpus.jsonl", "queries.jsonl"))
    relevant = {tuple(line.split("\t")[:2]) for line in (folder / "qrels.tsv").read_text().splitlines()[1:]}
    asked = {query for query, _ in relevant}
    queries = [query for query in queries if query["_id"] in asked][:QUESTIONS]

    def ids(prompt: str, text: str, most: int) -> list[int]:
        return [BEGIN, *tokenizer.encode(prompt + text, add_special_tokens=False).ids[:most], END]

    questions = embed(network, [ids("query: ", query["text"], QUESTION_TOKENS) for query in queries])
    documents = embed(network, [ids("passage: ", f"{row.get('title') or ''} {row['text']}".strip(), DOCUMENT_TOKENS) for row in corpus])
    nearest = (questions @ documents.T).argmax(1).tolist()
    return sum((query["_id"], corpus[place]["_id"]) in relevant for query, place in zip(queries, nearest, strict=True)) / len(queries)


def recalls(network: Bert, tokenizer: Tokenizer, folders: list[Path]) -> dict[str, float]:
    training = network.training
    network.eval()
    found = {folder.name: round(recall(network, tokenizer, folder), 4) for folder in folders}
    network.train(training)
    return found
