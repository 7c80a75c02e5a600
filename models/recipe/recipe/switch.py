"""Code-switched text: words of a question replaced by their translations.

Where two languages share little running text, a question in one language with some of its words
in another still shows the table which words mean the same. The words come from the pairs'
dictionaries: lists of translations, and entries of two languages that share one English gloss.
"""

import re
from collections import defaultdict
from itertools import permutations
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from tqdm import tqdm

from . import pairs

LONGEST = 4
"""Tokens in a word that is replaced."""
CHOICES = 3
"""Translations kept of a word: the first are the commonest."""
PARTS = re.compile(r"[,;/，；、]")
BRACKETS = re.compile(r"\([^)]*\)|（[^）]*）")
Key = tuple[int, ...]


def words(text: str) -> list[str]:
    """The entries of a list such as `cat, (zoology) feline`; phrases and definitions are no words."""
    found = []
    for part in PARTS.split(BRACKETS.sub("", text)):
        part = part.strip().removeprefix("to ")
        if part and len(part.split()) <= 2 and len(part) <= 24:
            found.append(part)
    return found


def is_gloss(text: str) -> bool:
    """Says which of its senses a word has: a definition, or two words that mean the same."""
    return len(text.split()) >= 5 or len(PARTS.split(text)) >= 2


class Switcher:
    """Word → translations, as token ids, by (language, other language)."""

    def __init__(self, folder: Path, left_out: list[str], tokenizer: Tokenizer, settings: dict):
        self.settings = settings
        pieces = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
        self.begins = np.array([piece.startswith("▁") for piece, _ in pieces])
        text: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        glosses: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for path in tqdm(pairs.sources(folder, left_out), desc="dictionaries", unit="file"):
            for pair in pairs.read(path):
                if pair.kind != "dict":
                    continue
                for a in words(pair.a):
                    for b in words(pair.b):
                        text[pair.la, pair.lb][a].append(b)
                        text[pair.lb, pair.la][b].append(a)
                if pair.lb == "en" and is_gloss(pair.b):
                    glosses[pair.b][pair.la].update(words(pair.a))
        for languages in glosses.values():
            for one, other in permutations(languages, 2):
                for a in languages[one] if languages[other] else ():
                    text[one, other][a].extend(sorted(languages[other]))
        self.found = {
            languages: self.encoded(entries, tokenizer)
            for languages, entries in text.items()
            if languages[0] != languages[1] and set(languages) <= settings["languages"].keys()
        }

    @staticmethod
    def encoded(entries: dict[str, list[str]], tokenizer: Tokenizer) -> dict[Key, list[np.ndarray]]:
        keys = list(entries)
        chosen = [list(dict.fromkeys(entries[key]))[:CHOICES] for key in keys]
        flat = [word for several in chosen for word in several]
        ids = iter(tokenizer.encode_batch_fast(flat, add_special_tokens=False))
        found: dict[Key, list[np.ndarray]] = {}
        for key, several in zip(tokenizer.encode_batch_fast(keys, add_special_tokens=False), chosen, strict=True):
            translations = [np.array(next(ids).ids, np.int32) for _ in several]
            if len(key.ids) <= LONGEST:
                found.setdefault(tuple(key.ids), []).extend(translations)
        return found

    def language(self, spoken: str, generator: np.random.Generator) -> str | None:
        """A language that `spoken` can be switched to."""
        wanted = [(one, weight) for one, weight in self.settings["languages"].items() if (spoken, one) in self.found]
        if not wanted:
            return None
        weights = np.array([weight for _, weight in wanted], float)
        return wanted[int(generator.choice(len(wanted), p=weights / weights.sum()))][0]

    def switch(self, ids: np.ndarray, spoken: str, other: str, generator: np.random.Generator) -> np.ndarray:
        """`ids` with the words that have a translation in `other` replaced by one, most of the time."""
        entries, parts, at = self.found[spoken, other], [], 0
        while at < len(ids):
            size = next((size for size in range(min(LONGEST, len(ids) - at), 0, -1) if self.is_word(ids, at, size) and tuple(ids[at : at + size]) in entries), 0)
            if size and generator.random() < self.settings["replaced"]:
                choices = entries[tuple(ids[at : at + size])]
                parts.append(choices[int(generator.integers(len(choices)))])
            else:
                size = size or 1
                parts.append(ids[at : at + size])
            at += size
        return np.concatenate(parts) if parts else ids

    def is_word(self, ids: np.ndarray, at: int, size: int) -> bool:
        """Whether a word of a spaced script is whole here; other scripts have no such border."""
        return not self.begins[ids[at]] or at + size == len(ids) or bool(self.begins[ids[at + size]])
