"""Passages and questions as tokens: what training examples are cut from.

A passage keeps the number of the sentence of each of its tokens, a question the passage that answers
it, the sentences that hold the answer, and the answer's tokens where they are known.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np
from tokenizers import Tokenizer

from .sentences import Span, sentences

DIGITS = re.compile(r"\d{2,4}")
FURTHER = "+"  # ends the language of a question about a relation
SHIFTS = [-37, -12, -8, -5, -3, 2, 3, 4, 6, 9, 11, 25]


@dataclass(slots=True)
class Text:
    """A passage as it comes. Passages of one article are of one group."""

    text: str
    title: str
    group: int
    language: str


@dataclass(slots=True)
class Passage:
    ids: np.ndarray
    sentence: np.ndarray  # of each token
    title: np.ndarray
    group: int
    language: str
    sentences: int
    tokens: list[np.ndarray] = field(default_factory=list)  # of each sentence; filled when first asked for

    def tokens_of(self, sentence: int) -> np.ndarray:
        if not self.tokens:
            self.tokens = [np.where(self.sentence == number)[0] for number in range(self.sentences)]
        return self.tokens[sentence]


@dataclass(slots=True)
class Placed:
    """A passage's text with its sentences and the characters of its tokens."""

    text: str
    spans: list[Span]
    offsets: np.ndarray

    def tokens(self, start: int, end: int) -> Span | None:
        """The first and the last token of some characters."""
        begins, ends = self.offsets[:, 0], self.offsets[:, 1]
        inside = np.where((ends > start) & (begins < end) & (ends > begins))[0]
        return (int(inside[0]), int(inside[-1])) if len(inside) else None


@dataclass(slots=True)
class Asked:
    """A question as it comes."""

    text: str
    passage: int
    span: Span | None     # tokens of the answer
    sentence: int | None  # that answers; none where the passage does not
    holds: list[int]      # all sentences in which the answer's words stand
    origin: str           # real, made, related or written
    language: str


@dataclass(slots=True)
class Question:
    ids: np.ndarray
    changed: np.ndarray | None  # the same with another number
    passage: int
    span: Span | None
    sentence: int | None
    holds: list[int]
    origin: str
    language: str           # `en>zh` across languages, `zh+` about a relation


class Texts:
    """Passages and questions, numbered as they are added."""

    def __init__(self, tokenizer: Tokenizer, limits: dict, settings: dict):
        self.tokenizer, self.limits, self.settings = tokenizer, limits, settings
        self.random = Random(settings["seed"])
        self.passages: list[Passage | None] = []
        self.questions: list[Question] = []
        self.groups = 0

    def ids(self, text: str, tokens: int) -> np.ndarray:
        return np.array(self.tokenizer.encode(text, add_special_tokens=False).ids[:tokens], np.int32)

    def add_passages(self, texts: Sequence[Text]) -> tuple[int, list[Placed | None]]:
        """The number of the first, and where each one's tokens stand; `None` for one without any."""
        first, placed = len(self.passages), []
        for begin in range(0, len(texts), 2000):
            part = texts[begin : begin + 2000]
            bodies = self.tokenizer.encode_batch([text.text for text in part], add_special_tokens=False)
            titles = self.tokenizer.encode_batch([text.title for text in part], add_special_tokens=False)
            for text, body, title in zip(part, bodies, titles, strict=True):
                passage, place = self.passage(text, body, title.ids)
                self.passages.append(passage)
                placed.append(place)
        return first, placed

    def passage(self, text: Text, body, title: list[int]) -> tuple[Passage | None, Placed | None]:
        spans = sentences(text.text, text.language)
        if not body.ids or not spans:
            return None, None
        offsets = np.array(body.offsets)
        # A token that begins with a space begins after it.
        firsts = [start + text.text[start:end][:1].isspace() for start, end in body.offsets]
        number = np.searchsorted([start for start, _ in spans], firsts, side="right") - 1
        passage = Passage(
            np.array(body.ids, np.int32), np.maximum(number, 0).astype(np.int16), np.array(title[: self.limits["context_tokens"]], np.int32),
            text.group, text.language, len(spans),
        )
        return passage, Placed(text.text, spans, offsets)

    def add_questions(self, questions: Sequence[Asked]) -> None:
        for begin in range(0, len(questions), 5000):
            part = questions[begin : begin + 5000]
            encoded = self.tokenizer.encode_batch([question.text for question in part], add_special_tokens=False)
            for question, encoding in zip(part, encoded, strict=True):
                if len(encoding.ids) < self.settings["shortest_question"]:
                    continue
                ids = np.array(encoding.ids[: self.limits["question_tokens"]], np.int32)
                self.questions.append(Question(
                    ids, self.changed(question.text), question.passage, question.span, question.sentence, question.holds, question.origin,
                    question.language,
                ))

    def changed(self, question: str) -> np.ndarray | None:
        """The question with another number or year: a false premise. `None` where it has none."""
        found = list(DIGITS.finditer(question))
        if not found:
            return None
        match = self.random.choice(found)
        number = int(match.group())
        number += self.random.choice(SHIFTS) if number > 40 else self.random.randint(3, 40)
        return self.ids(question[: match.start()] + str(number) + question[match.end() :], self.limits["question_tokens"])
