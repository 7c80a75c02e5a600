"""Questions that a language model wrote about passages of PAIRS, some of which the passage does not answer.

`written.jsonl.zst` holds no text of PAIRS. Each line says where its passage stands: `source`, `side` (`a` or `b`),
`first` (row), `count` (rows that are joined), `sha256` (of the text, 16 digits), `language`; and what was `asked`:
`[language, question, start, end]` with the answer's characters, or `[language, question]` where there is no answer.
"""

import hashlib
import io
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import zstandard

from recipe.pairs import Pair, read

from .sentences import UNSPACED, Span, sentence_at
from .sources import holding, title_of
from .texts import Asked, Text, Texts

QUESTIONS = Path(__file__).parents[1] / "written.jsonl.zst"


@dataclass(frozen=True, slots=True)
class WrittenQuestion:
    text: str
    language: str
    answer: Span | None  # characters of the passage


@dataclass(frozen=True, slots=True)
class WrittenPassage:
    text: str
    title: str
    language: str
    digest: str
    questions: list[WrittenQuestion]

    def held_out(self, one_in: int) -> bool:
        """Whether the passage is kept for measuring: always the same ones, whatever else there is."""
        return int(self.digest, 16) % one_in == 0


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def joined(rows: list[Pair], side: str, language: str) -> str:
    if len(rows) == 1:
        return getattr(rows[0], side)
    return ("" if language in UNSPACED else " ").join(getattr(row, side).strip() for row in rows)


def passages(pairs: Path, path: Path = QUESTIONS) -> Iterator[WrittenPassage]:
    """The passages with their questions; a text that is not the one asked about stops the run."""
    wanted = defaultdict(list)
    with path.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as stream:
        for line in map(json.loads, io.TextIOWrapper(stream, encoding="utf-8")):
            wanted[line["source"]].append(line)
    for source, lines in sorted(wanted.items()):
        rows = list(read(pairs / f"{source}.jsonl.zst"))
        for line in lines:
            part = rows[line["first"] : line["first"] + line["count"]]
            text = joined(part, line["side"], line["language"]) if part else ""
            if digest(text) != line["sha256"]:
                raise SystemExit(f"{source}: rows from {line['first']} are not the text that questions were written about")
            asked = [WrittenQuestion(question, language, tuple(answer) or None) for language, question, *answer in line["asked"]]
            title = title_of(part[0]) if len(part) == 1 else ""
            yield WrittenPassage(text, title, line["language"], line["sha256"], asked)


def add_written(texts: Texts, pairs: Path, hold_out_one_in: int) -> None:
    """Adds all that are not held out."""
    told = [passage for passage in passages(pairs) if not passage.held_out(hold_out_one_in)]
    rows = [Text(passage.text, passage.title, texts.groups + number, passage.language) for number, passage in enumerate(told, 1)]
    texts.groups += len(rows)
    first, placed = texts.add_passages(rows)
    questions = []
    for number, (passage, place) in enumerate(zip(told, placed, strict=True), first):
        if place is None:
            continue
        for question in passage.questions:
            language = question.language if question.language == passage.language else f"{question.language}>{passage.language}"
            if question.answer is None:
                questions.append(Asked(question.text, number, None, None, [], "written", language))
                continue
            start, end = question.answer
            span, sentence = place.tokens(start, end), sentence_at(place.spans, start)
            if span is not None and sentence is not None:
                holds = holding(place, place.text[start:end], sentence, start, end)
                questions.append(Asked(question.text, number, span, sentence, holds, "written", language))
    texts.add_questions(questions)
