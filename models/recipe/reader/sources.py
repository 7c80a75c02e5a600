"""Where passages and questions come from: real questions, plain texts; `parallel.py` has parallel ones."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import zstandard

from recipe.pairs import Pair, read

from .questions import made
from .relations import related
from .sentences import UNSPACED, sentence_at, sentences
from .texts import FURTHER, Asked, Placed, Text, Texts

TEXT_KINDS = ("title_body", "para")


def read_answered(path: Path) -> Iterator[dict]:
    """`question`, `context`, `title`, `answers` with `text` and `start`."""
    with path.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as stream:
        yield from map(json.loads, io.TextIOWrapper(stream, encoding="utf-8"))


def holding(placed: Placed, answer: str, sentence: int, start: int, end: int) -> list[int]:
    """The sentences in which the answer's words stand, or that overlap its place."""
    if len(answer) < 2:
        return [sentence]
    found = {number for number, (a, b) in enumerate(placed.spans) if answer in placed.text[a:b] or (a < end and start < b)}
    return sorted(found | {sentence})


def add_answered(texts: Texts, qa: Path, settings: dict) -> None:
    """Real questions; passages with the same title are of one article."""
    rows = list(read_answered(qa / f"{settings['name']}.jsonl.zst"))
    titles: dict[str, int] = {}
    numbers: dict[str, int] = {}
    passages = []
    for row in rows:
        if row["context"] not in numbers:
            numbers[row["context"]] = len(passages)
            group = titles.setdefault(row["title"], texts.groups + len(titles))
            passages.append(Text(row["context"], row["title"], group, settings["language"]))
    texts.groups += len(titles)
    first, placed = texts.add_passages(passages)
    questions = []
    for row in rows:
        number = numbers[row["context"]]
        place, answer = placed[number], row["answers"][0]
        start, end = answer["start"], answer["start"] + len(answer["text"])
        if place is None or place.text[start:end] != answer["text"]:
            continue
        span, sentence = place.tokens(start, end), sentence_at(place.spans, start)
        if span is not None and sentence is not None:
            holds = holding(place, answer["text"], sentence, start, end)
            questions.append(Asked(row["question"], first + number, span, sentence, holds, "real", settings["language"]))
    texts.add_questions(questions)


def plain_texts(pairs: Path, settings: dict) -> Iterator[Pair]:
    """The different texts of a source in one language, long enough to be asked about."""
    language, seen = settings["language"], set()
    for pair in read(pairs / f"{settings['name']}.jsonl.zst"):
        if (pair.la, pair.lb) == (language, language) and pair.kind in TEXT_KINDS and pair.b[:60] not in seen:
            seen.add(pair.b[:60])
            if len(pair.b) >= settings["shortest"]:
                yield pair


def title_of(pair: Pair) -> str:
    return pair.a if pair.kind == "title_body" and len(pair.a) < 80 else ""


def add_plain(texts: Texts, pairs: Path, settings: dict) -> None:
    """Questions made from sentences of passages that are drawn from the first three times as many."""
    language, rows = settings["language"], []
    for pair in plain_texts(pairs, settings):
        texts.groups += 1
        rows.append(Text(pair.b[: settings["longest"]], title_of(pair), texts.groups, language))
        if len(rows) >= settings["passages"] * 3:
            break
    texts.random.shuffle(rows)
    rows = rows[: settings["passages"]]
    first, placed = texts.add_passages(rows)
    questions = []
    for number, (row, place) in enumerate(zip(rows, placed, strict=True)):
        if place is None:
            continue
        long = [at for at, (start, end) in enumerate(place.spans) if end - start > (12 if language in UNSPACED else 40)]
        for at in texts.random.sample(long, min(settings["questions"], len(long))):
            begin, end = place.spans[at]
            found = made(place.text[begin:end], language, row.title, texts.random)
            if not found:
                continue
            question, start, stop = found[0], begin + found[1], begin + found[2]
            span = place.tokens(start, stop)
            if span is not None and len(question) <= texts.settings["longest_made"]:
                holds = holding(place, place.text[start:stop], at, start, stop)
                questions.append(Asked(question, first + number, span, at, holds, "made", language))
    texts.add_questions(questions)


def add_related(texts: Texts, pairs: Path, settings: dict) -> None:
    """Further questions, about passages that are drawn from all of which `relations` finds something to ask.

    Their language has a `+`: they are drawn by a share of their own.
    """
    language, rows = settings["language"], []
    for pair in plain_texts(pairs, settings):
        texts.groups += 1
        text = Text(pair.b[: settings["longest"]], title_of(pair), texts.groups, language)
        found = [
            (question, start + begin, start + end, number)
            for number, (start, stop) in enumerate(sentences(text.text, language))
            for question, begin, end in related(text.text[start:stop], language, texts.random)
        ]
        if found:
            rows.append((text, texts.random.sample(found, min(settings["questions"], len(found)))))
    texts.random.shuffle(rows)
    rows = rows[: settings["passages"]]
    first, placed = texts.add_passages([text for text, _ in rows])
    questions = []
    for number, (place, (_, found)) in enumerate(zip(placed, rows, strict=True), first):
        if place is None:
            continue
        for question, start, end, sentence in found:
            span = place.tokens(start, end)
            if span is not None:
                holds = holding(place, place.text[start:end], sentence, start, end)
                questions.append(Asked(question, number, span, sentence, holds, "related", f"{language}{FURTHER}"))
    texts.add_questions(questions)
