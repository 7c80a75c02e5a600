"""Batches of pairs: one source a batch, neighbours beside each other, questions made on the way.

Neighbours in a file come from one article, so a batch of short runs holds the negatives that
are hard to tell apart. Five things are made while drawing:

- a question from a passage: a stretch of it, thinned, with a question's words beside it;
- words of such a question in another language (`switch`);
- a passage from parallel sentences: four in a row, asked for by one of them in the other language;
- short pairs the other way round;
- a mask, so that equal texts never stand against each other.
"""

from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from .encode import Source
from .switch import Switcher

QUESTIONS = {
    "en": "what|who|when|where|which|why|how|how many|how much|what is|in what year|what kind of|who was|did|does",
    "zh": "什么|谁|哪里|哪一年|何时|多少|为什么|怎么|如何|哪些|哪个|是什么|有多少|什么时候|吗|哪位|几",
    "es": "qué|quién|cuándo|dónde|cuál|por qué|cómo|cuántos|cuánto|en qué año|cuáles|qué tipo de",
    "ru": "что|кто|когда|где|какой|почему|как|сколько|в каком году|какие|какова|чем|кем",
    "de": "was|wer|wann|wo|welche|warum|wie|wie viele|in welchem jahr|welcher|womit",
    "fr": "que|qui|quand|où|quel|pourquoi|comment|combien|en quelle année|quelle|qu est ce que",
    "pt": "o que|quem|quando|onde|qual|por que|como|quantos|em que ano|quais",
    "it": "che cosa|chi|quando|dove|quale|perché|come|quanti|in che anno|quali",
    "ja": "何|誰|いつ|どこ|どの|なぜ|どのように|いくつ|何年|ですか|は何ですか|どれ",
    "ko": "무엇|누구|언제|어디|어느|왜|어떻게|몇|얼마나|무엇인가|인가",
    "ar": "ما|من|متى|أين|أي|لماذا|كيف|كم|ما هو|ماذا",
    "tr": "ne|kim|ne zaman|nerede|hangi|neden|nasıl|kaç|nedir|hangi yıl",
    "vi": "gì|ai|khi nào|ở đâu|nào|tại sao|như thế nào|bao nhiêu|năm nào",
    "th": "อะไร|ใคร|เมื่อไร|ที่ไหน|ไหน|ทำไม|อย่างไร|เท่าไร|กี่",
    "hi": "क्या|कौन|कब|कहाँ|कौन सा|क्यों|कैसे|कितने",
    "el": "τι|ποιος|πότε|πού|ποια|γιατί|πώς|πόσα",
}
RUN = 16
GROUP = 4
SHORT = 48
"""Tokens of a passage that can as well be a question."""


@dataclass(slots=True)
class Batch:
    a: list[np.ndarray]
    b: list[np.ndarray]
    clash: np.ndarray


class Sampler:
    """Draws batches from the sources, the same ones for the same seed and step."""

    def __init__(self, sources: list[Source], tokenizer: Tokenizer, switcher: Switcher, settings: dict, seed: int):
        self.sources = sources
        self.switcher = switcher
        self.settings = settings
        self.seed = seed
        self.words = {
            language: [np.array(tokenizer.encode(word, add_special_tokens=False).ids, np.int32) for word in words.split("|")]
            for language, words in QUESTIONS.items()
        }
        weights = np.array([self.weight(source) for source in sources])
        self.chances = weights / weights.sum()

    def weight(self, source: Source) -> float:
        kinds = self.settings["kinds"]
        factor = self.settings["sources"].get(source.name, 1.0) * kinds.get(str(source.kind[0]), 1.0)
        return factor * len(source) ** self.settings["size_power"]

    def draw(self, step: int) -> Batch:
        generator = np.random.default_rng([self.seed, step])
        batch = self.one_way(generator)
        short = np.mean([len(text) for text in batch.b]) < SHORT
        if short and np.random.default_rng([self.seed, step, 1]).random() < self.settings["turned_round"]:
            return Batch(batch.b, batch.a, batch.clash.T)
        return batch

    def one_way(self, generator: np.random.Generator) -> Batch:
        source = self.sources[generator.choice(len(self.sources), p=self.chances)]
        size = min(self.settings["batch"], len(source) // 2)
        if source.kind[0] == "dict":
            return self.plain(source, generator.choice(len(source), size, replace=False), generator)
        if source.kind[0] == "parallel" and generator.random() < self.settings["passage_from_sentences"]:
            return self.grouped(source, size, generator)
        runs = generator.choice(max(len(source) // RUN, 1), max(size // RUN, 1), replace=False)
        rows = (runs[:, None] * RUN + np.arange(RUN)).ravel()
        return self.plain(source, rows[rows < len(source)], generator)

    def plain(self, source: Source, rows: np.ndarray, generator: np.random.Generator) -> Batch:
        a, b = [source.a.get(row) for row in rows], [source.b.get(row) for row in rows]
        same_a, same_b = source.same_a[rows].copy(), source.same_b[rows]
        made = generator.random(len(rows)) < self.settings["made_questions"]
        for place, row in enumerate(rows):
            if made[place] and source.la[row] == source.lb[row] and len(b[place]) >= 24:
                a[place] = self.question(b[place], str(source.la[row]), generator)
                same_a[place] = generator.integers(1 << 62)
        return Batch(a, b, clashes(same_a) | clashes(same_b))

    def question(self, passage: np.ndarray, language: str, generator: np.random.Generator) -> np.ndarray:
        """A stretch of the passage, thinned and perhaps switched, after a question's words."""
        length = int(generator.integers(6, 22))
        start = int(generator.integers(0, max(len(passage) - length, 1)))
        stretch = passage[start : start + length]
        stretch = stretch[generator.random(len(stretch)) > self.settings["thinned"]]
        if generator.random() < self.settings["switched"]["share"] and (other := self.switcher.language(language, generator)):
            stretch, language = self.switcher.switch(stretch, language, other, generator), other
        words = self.words.get(language, self.words["en"])
        return np.concatenate([words[int(generator.integers(len(words)))], stretch])

    def grouped(self, source: Source, size: int, generator: np.random.Generator) -> Batch:
        groups = generator.choice(len(source) // GROUP, min(size, len(source) // GROUP), replace=False)
        chosen = generator.integers(0, GROUP, len(groups))
        forward = bool(generator.random() < 0.5)
        asked, told = (source.a, source.b) if forward else (source.b, source.a)
        a, b, same = [], [], []
        for group, one in zip(groups, chosen, strict=True):
            rows = range(int(group) * GROUP, int(group) * GROUP + GROUP)
            language = source.lb[rows[one]] if forward else source.la[rows[one]]
            inside = [row for row in rows if (source.lb[row] if forward else source.la[row]) == language]
            a.append(asked.get(rows[one]))
            b.append(np.concatenate([told.get(row) for row in inside])[: self.settings["passage_tokens"]])
            same.append((source.same_a if forward else source.same_b)[rows[one]])
        return Batch(a, b, clashes(np.array(same)))


def clashes(same: np.ndarray) -> np.ndarray:
    """Where two different places hold the same text."""
    equal = same[:, None] == same[None, :]
    np.fill_diagonal(equal, False)
    return equal
