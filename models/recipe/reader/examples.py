"""Training examples: a question with a passage that answers it, and near misses that do not.

A passage is cut to a window of whole sentences. What does not answer is, by share:

    changed   the passage that answers, asked with another number: a false premise
    without   the passage without the sentences that hold the answer
    cut       the passage without the words of the answer
    other     another passage of the same article
    any       any passage of the same language

Written questions that the passage does not answer come with their passage as it is.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

import numpy as np

from encoder.network import BEGIN, END

from .switch import Switch
from .texts import Passage, Question, Span
from .windows import window


@dataclass(slots=True)
class Example:
    question: np.ndarray
    title: np.ndarray
    passage: np.ndarray
    sentence: np.ndarray      # of each token of the passage
    answers: bool
    span: Span | None = None  # tokens of the passage
    gold: int | None = None   # the sentence that answers

    @property
    def known(self) -> bool:
        """Whether the place of the answer is known, or that there is none."""
        return not self.answers or self.span is not None

    @property
    def ids(self) -> np.ndarray:
        return np.concatenate([[BEGIN], self.question, [END], self.title, self.passage, [END]])

    def __len__(self) -> int:
        return len(self.question) + len(self.title) + len(self.passage) + 3


class Examples:
    def __init__(
        self, passages: list[Passage | None], questions: list[Question], noise: list[np.ndarray], limits: dict, settings: dict,
        switch: Switch | None = None,
    ):
        self.passages, self.noise, self.settings, self.switch = passages, noise, settings, switch
        self.longest = limits["passage_tokens"]
        self.groups, self.languages = defaultdict(list), defaultdict(list)
        for number, passage in enumerate(passages):
            if passage is not None:
                self.groups[passage.group].append(number)
                self.languages[passage.language].append(number)
        # Real questions of some articles are kept apart, to measure on.
        held = [question.origin == "real" and passages[question.passage].group % settings["hold_out_one_in"] == 0 for question in questions]
        self.real = [question for question, out in zip(questions, held, strict=True) if question.origin == "real" and not out]
        self.made = [question for question in questions if question.origin == "made"]
        self.further = [question for question in questions if question.origin == "related"]
        self.written = [question for question in questions if question.origin == "written"]
        self.made_in = defaultdict(list)
        for question in self.made + self.further:
            self.made_in["across" if ">" in question.language else question.language].append(question)
        self.held_out = [question for question, out in zip(questions, held, strict=True) if out]

    def stream(self, random: Random) -> Iterator[Example]:
        """Examples without end: each that answers is followed by one that does not."""
        while True:
            if self.noise and random.random() < self.settings["noise"]:
                example = self.of_noise(random)
                if example is not None:
                    yield example
                continue
            question = self.question(random)
            if question.sentence is None:
                example = self.unanswered(question, random)
                if example is not None:
                    yield self.switched(example, random)
                continue
            example = self.answering(question, random)
            if example is None:
                continue
            yield self.switched(example, random)
            missing = self.missing(self.kind(question, random), question, random) or self.missing("without", question, random)
            if missing is not None:
                yield self.switched(missing, random)

    def question(self, random: Random) -> Question:
        """A written question, a real one or a made one, these by language where shares of languages are given.

        Further ones, about relations, are drawn only by a share.
        """
        drawn, written = random.random(), self.settings["written"]
        real, across = written + self.settings["real"], self.settings["across"]
        if drawn < written:
            return random.choice(self.written)
        if drawn < real:
            return random.choice(self.real)
        shares = {language: share for language, share in self.settings["languages"].items() if language in self.made_in}
        if not shares:
            return random.choice(self.made)
        if drawn < real + across:
            return random.choice(self.made_in["across"])
        return random.choice(self.made_in[random.choices(list(shares), list(shares.values()))[0]])

    def switched(self, example: Example, random: Random) -> Example:
        """The same, its question or its passage perhaps in another language."""
        if self.switch is None:
            return example
        asked, told = self.switch.draw(random)
        question, titled = example.question, len(example.title)
        text = np.concatenate([example.title, example.passage])
        if asked:
            question = self.switch.switched(question, asked, random)
        if told:
            text = self.switch.switched(text, told, random)
        return replace(example, question=question, title=text[:titled], passage=text[titled:])

    def kind(self, question: Question, random: Random) -> str:
        drawn = random.random()
        if question.changed is not None and random.random() < self.settings["changed"]:
            return "changed"
        for kind, share in self.settings["missing"].items():
            if drawn < share:
                return kind
            drawn -= share
        return kind

    def unanswered(self, question: Question, random: Random) -> Example | None:
        """A question that was written to be answered nowhere in its passage."""
        passage = self.passages[question.passage]
        return self.example(question.ids, passage, window(passage, None, set(), self.budget(random), random), random)

    def missing(self, kind: str, question: Question, random: Random) -> Example | None:
        """An example of some kind that does not answer; `None` where it cannot be made."""
        if kind == "changed":
            example = self.answering(question, random)
            return example and replace(example, question=question.changed, answers=False, span=None, gold=None)
        if kind == "cut":
            return self.cut(question, random)
        budget = self.budget(random)
        passage = self.passages[question.passage]
        if kind == "without":
            neighbours = (question.sentence - 1, question.sentence + 1)
            beside = [number for number in neighbours if 0 <= number < passage.sentences and number not in question.holds]
            around = random.choice(beside) if beside else None
            return self.example(question.ids, passage, window(passage, around, set(question.holds), budget, random), random)
        number = random.choice(self.groups[passage.group] if kind == "other" else self.languages[passage.language])
        other = self.passages[number]
        return None if number == question.passage else self.example(question.ids, other, window(other, None, set(), budget, random), random)

    def answering(self, question: Question, random: Random) -> Example | None:
        """The passage that answers, a few of its other sentences dropped."""
        budget, passage = self.budget(random), self.passages[question.passage]
        dropped = {
            number for number in range(passage.sentences)
            if number not in question.holds and number != question.sentence and random.random() < self.settings["dropped_sentences"]
        }
        places = window(passage, question.sentence, dropped, budget, random)
        if places is None or len(places) < self.settings["shortest"]:
            return None
        places = places[: self.longest]
        if question.sentence not in passage.sentence[places]:
            return None
        span = None
        if question.span:
            found = [np.flatnonzero(places == place) for place in question.span]
            if not all(map(len, found)):
                return None
            span = (int(found[0][0]), int(found[1][0]))
        example = self.example(question.ids, passage, places, random)
        example.answers, example.span, example.gold = True, span, question.sentence
        if span and random.random() < self.settings["gaps"]:
            return self.with_gap(example, random)
        return example

    def with_gap(self, example: Example, random: Random) -> Example | None:
        """Words go elsewhere too, lest a gap alone says that there is no answer."""
        count, at = random.randint(1, 5), random.randrange(len(example.passage))
        start, end = example.span
        if at + count < len(example.passage) and (at + count <= start or at > end):
            gone = np.arange(at, at + count)
            example.passage, example.sentence = np.delete(example.passage, gone), np.delete(example.sentence, gone)
            if at + count <= start:
                example.span = (start - count, end - count)
            if example.gold not in example.sentence:
                return None
        return example

    def cut(self, question: Question, random: Random) -> Example | None:
        example = self.answering(question, random)
        if example is None or not example.span:
            return None
        start, end = example.span
        if end - start > 9 or len(question.holds) > 1:
            return None
        gone = np.arange(start, end + 1)
        passage, sentence = np.delete(example.passage, gone), np.delete(example.sentence, gone)
        if len(passage) < self.settings["shortest"]:
            return None
        return replace(example, passage=passage, sentence=sentence, answers=False, span=None, gold=None)

    def of_noise(self, random: Random) -> Example | None:
        """What is no question, with any passage."""
        question = random.choice(self.noise)
        passage = self.passages[random.choice(self.languages[random.choice(list(self.languages))])]
        places = window(passage, None, set(), random.choice([40, 80, 140]), random)
        if places is None:
            return None
        places = places[: self.longest]
        return Example(question, passage.title[:0], passage.ids[places], passage.sentence[places], False)

    def budget(self, random: Random) -> int:
        return random.choice(self.settings["budgets"])

    def example(self, question: np.ndarray, passage: Passage, places: np.ndarray | None, random: Random) -> Example | None:
        """A question and a window, with the title before it half of the time."""
        if places is None or len(places) < self.settings["shortest"]:
            return None
        places = places[: self.longest]
        title = passage.title if random.random() < self.settings["titles"] else passage.title[:0]
        return Example(question, title, passage.ids[places], passage.sentence[places], False)
