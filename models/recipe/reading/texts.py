"""Passages and the questions that they answer, as token ids."""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import numpy as np
from tokenizers import Tokenizer

from recipe import pairs

from .questions import UNSPACED, is_cjk, made, parts, sentences


@dataclass(slots=True)
class Question:
    text: str
    passage: int
    real: bool
    """Where the sentence that answers stands in the passage, in characters; unknown of real questions."""
    span: tuple[int, int] | None


@dataclass(slots=True)
class Texts:
    tokenizer: Tokenizer
    random: Random
    titles: list[str] = field(default_factory=list)
    passages: list[str] = field(default_factory=list)
    """Passages of one group are each other's wrong answers; neighbours stand side by side."""
    groups: list[int] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def add(self, passage: str, title: str, group: int) -> int:
        self.passages.append(passage)
        self.titles.append(title)
        self.groups.append(group)
        return len(self.passages) - 1

    def new_group(self) -> int:
        return self.groups[-1] + 1 if self.groups else 0

    def ask(self, passage: int, language: str, most: int) -> None:
        """Questions made of up to `most` sentences of a passage."""
        text = self.passages[passage]
        long = [span for span in sentences(text) if span[1] - span[0] > (12 if is_cjk(text) else 40)]
        for span in self.random.sample(long, min(most, len(long))):
            if question := self.question(text[span[0] : span[1]], language, self.titles[passage]):
                self.questions.append(Question(question, passage, False, span))

    def question(self, sentence: str, language: str, title: str = "") -> str | None:
        if language in UNSPACED:
            offsets = self.tokenizer.encode(sentence, add_special_tokens=False).offsets
            words = [(start, end) for start, end in offsets if end > start and re.match(r"\w", sentence[start:end])]
        else:
            words = [match.span() for match in re.finditer(r"\S+", sentence)]
        return made(sentence, words, language, title, self.random)


def answered(texts: Texts, path: Path, language: str, per_passage: int) -> None:
    """A source of real questions, and made ones about the same passages."""
    group, places = texts.new_group(), {}
    for pair in pairs.read(path):
        if pair.kind not in ("qa", "title_body"):
            continue
        if pair.b not in places:
            places[pair.b] = texts.add(pair.b, "", group)
        if pair.kind == "qa":
            texts.questions.append(Question(pair.a, places[pair.b], True, None))
        elif not texts.titles[places[pair.b]]:
            texts.titles[places[pair.b]] = pair.a
    for passage in places.values():
        texts.ask(passage, language, per_passage)


def told(texts: Texts, path: Path, settings: dict) -> None:
    """A source of plain texts, cut into passages."""
    group, language, seen, count = texts.new_group(), settings["language"], set(), 0
    for pair in pairs.read(path):
        if pair.lb != language or pair.kind not in ("title_body", "para") or pair.b[:80] in seen:
            continue
        seen.add(pair.b[:80])
        title = pair.a if pair.kind == "title_body" else ""
        for at, part in enumerate(parts(pair.b, settings["longest"])[:3]):
            if len(part) < settings["shortest"]:
                continue
            passage, count = texts.add(part, title, group), count + 1
            if title and at == 0 and texts.random.random() < 0.25:
                texts.questions.append(Question(title, passage, False, None))
            texts.ask(passage, language, settings["questions"])
        if count >= settings["passages"]:
            return


def translated(texts: Texts, path: Path, languages: list[list[str]], per_passage: int) -> None:
    """A source of parallel sentences: neighbours make a passage, asked about in the other language."""
    sides = defaultdict(list)
    for pair in pairs.read(path):
        if pair.kind == "parallel":
            sides[pair.la, pair.lb].append((pair.a, pair.b))
            sides[pair.lb, pair.la].append((pair.b, pair.a))
    for asked, told_in in languages:
        group, rows = texts.new_group(), sides[asked, told_in]
        unspaced, at = told_in in UNSPACED, 0
        while at < len(rows):
            first, text, spans = at, "", []
            while at < len(rows) and len(text) < (220 if unspaced else 550) and at - first < 6:
                sentence = rows[at][1].strip()
                spans.append((len(text), len(text) + len(sentence)))
                text, at = text + sentence + ("" if unspaced else " "), at + 1
            passage = texts.add(text.strip(), "", group)
            for _ in range(min(per_passage, at - first)):
                chosen = texts.random.randrange(first, at)
                whole = texts.random.random() >= 0.8
                question = rows[chosen][0] if whole else texts.question(rows[chosen][0], asked)
                if question and len(question) < 120:
                    texts.questions.append(Question(question, passage, False, spans[chosen - first]))


@dataclass(slots=True)
class Tokens:
    """Everything as rows of token ids, short ones filled with -1."""

    passages: np.ndarray
    titles: np.ndarray
    groups: np.ndarray
    questions: np.ndarray
    answers: np.ndarray
    real: np.ndarray
    spans: np.ndarray
    """First token of the sentence that answers, and the one behind its last; zeros where nobody knows."""


def tokens(texts: Texts, settings: dict) -> Tokens:
    def rows(some: list[str], longest: int) -> np.ndarray:
        table = np.full((len(some), longest), -1, np.int32)
        for row, one in zip(table, texts.tokenizer.encode_batch_fast(some, add_special_tokens=False), strict=True):
            row[: len(one.ids)] = one.ids[:longest]
        return table

    longest = settings["passage_tokens"]
    by_passage = defaultdict(list)
    for number, question in enumerate(texts.questions):
        if question.span:
            by_passage[question.passage].append(number)
    spans = np.zeros((len(texts.questions), 2), np.int64)
    for passage, numbers in by_passage.items():
        offsets = texts.tokenizer.encode(texts.passages[passage], add_special_tokens=False).offsets[:longest]
        for number in numbers:
            start, end = texts.questions[number].span
            inside = [at for at, (a, b) in enumerate(offsets) if a >= start and b <= end and b > a]
            spans[number] = (inside[0], inside[-1] + 1) if inside else (-1, -1)
    asked = rows([question.text for question in texts.questions], settings["question_tokens"])
    # What was cut off answers nothing, and one token asks nothing.
    kept = (spans[:, 0] >= 0) & (asked[:, 1] >= 0)
    return Tokens(
        rows(texts.passages, longest), rows(texts.titles, settings["title_tokens"]), np.array(texts.groups), asked[kept],
        np.array([question.passage for question in texts.questions])[kept],
        np.array([question.real for question in texts.questions])[kept], spans[kept],
    )
