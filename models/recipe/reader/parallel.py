"""Passages and questions across languages, from parallel texts."""

import re
from collections import defaultdict
from pathlib import Path

from recipe.pairs import read

from .questions import made
from .sentences import UNSPACED, Span, sentence_at
from .texts import Asked, Placed, Text, Texts


def by_languages(pairs: Path, name: str) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """The parallel texts of a source, each both ways round, by their two languages."""
    sides: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for pair in read(pairs / f"{name}.jsonl.zst"):
        if pair.kind == "parallel":
            sides[pair.la, pair.lb].append((pair.a, pair.b))
            sides[pair.lb, pair.la].append((pair.b, pair.a))
    return sides


def add_parallel(texts: Texts, pairs: Path, name: str, settings: dict) -> None:
    """Passages of neighbours in one language, asked about with questions made from the other's sentences."""
    for (asked, told), rows in by_languages(pairs, name).items():
        passages, members, begin = [], [], 0
        while begin < len(rows):
            count = texts.random.randint(*settings["sentences"])
            part, begin = rows[begin : begin + count], begin + count
            texts.groups += 1
            text, spans = "", []
            for _, sentence in part:
                sentence = sentence.strip()
                spans.append((len(text), len(text) + len(sentence)))
                text += sentence + ("" if told in UNSPACED else " ")
            passages.append(Text(text.strip(), "", texts.groups, told))
            members.append((part, spans))
        first, placed = texts.add_passages(passages)
        questions = []
        for number, (place, (part, spans)) in enumerate(zip(placed, members, strict=True)):
            if place is None:
                continue
            for at in texts.random.sample(range(len(part)), min(settings["questions"], len(part))):
                question = across(texts, place, part[at][0].strip(), spans[at], asked, settings)
                if question is not None:
                    text, span, sentence = question
                    questions.append(Asked(text, first + number, span, sentence, [sentence], "made", f"{asked}>{told}"))
        texts.add_questions(questions)


def across(
    texts: Texts, place: Placed, source: str, there: Span, asked: str, settings: dict
) -> tuple[str, Span | None, int] | None:
    """A question made from `source`, whose translation stands at `there`: text, tokens of the answer, sentence.

    The answer's tokens are known where it is a number that is written the same in both.
    """
    if len(source) <= settings["shortest_unspaced" if asked in UNSPACED else "shortest"]:
        return None
    found = made(source, asked, "", texts.random)
    sentence = sentence_at(place.spans, there[0])
    if sentence is None or place.spans[sentence][1] < there[1] - 3 or not found or len(found[0]) > texts.settings["longest_made"]:
        return None
    question, start, end = found
    digits = re.sub(r"\D", "", source[start:end])
    at = place.text[there[0] : there[1]].find(digits) if len(digits) >= 2 else -1
    span = place.tokens(there[0] + at, there[0] + at + len(digits)) if at >= 0 else None
    return question, span, sentence
