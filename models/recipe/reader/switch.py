"""Each token's nearest token of another language, by the static table: questions and passages token by token
in other languages, for a reader that learns from few languages to read across them.

A language's own tokens are whole words (in Chinese and Japanese any) whose share is larger there than elsewhere.
"""

from collections import Counter, defaultdict
from pathlib import Path
from random import Random

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer
from tqdm import tqdm

from recipe.pairs import read, sources

from .sentences import UNSPACED

AT_ONCE = 4000


def counted(tokenizer: Tokenizer, pairs: Path, settings: dict) -> dict[str, np.ndarray]:
    """How often each token occurs in each language, in a sample of the sources."""
    counts = {language: np.zeros(tokenizer.get_vocab_size()) for language in settings["languages"]}
    for path in tqdm(sources(pairs, []), desc="switch", unit="source"):
        if not path.name.startswith(tuple(settings["sources"])):
            continue
        taken: Counter[str] = Counter()
        texts: dict[str, list[str]] = defaultdict(list)
        for pair in read(path):
            for text, language in ((pair.a, pair.la), (pair.b, pair.lb)):
                if language in counts and taken[language] < settings["characters"]:
                    texts[language].append(text[: settings["longest"]])
                    taken[language] += len(texts[language][-1])
        for language, some in texts.items():
            for encoding in tokenizer.encode_batch_fast(some, add_special_tokens=False):
                np.add.at(counts[language], encoding.ids, 1)
    return counts


def rows_of(pieces: list[str], table: Tokenizer) -> np.ndarray:
    """The table's row of each piece; -1 where it has none."""
    rows, found = table.get_vocab(), np.full(len(pieces), -1)
    for number, piece in enumerate(pieces):
        word = table.normalizer.normalize_str(piece.replace("▁", " ")).strip()
        if not word:
            continue
        begins = piece.startswith("▁") or ord(word[0]) > 0x2E80
        for spelt in (f"▁{word}", word) if begins else (word, f"▁{word}"):
            if spelt in rows:
                found[number] = rows[spelt]
                break
    return found


def is_word(piece: str, language: str) -> bool:
    letters = piece.replace("▁", "")
    if language in UNSPACED:
        return letters.isalpha()
    return len(letters) > 2 and letters.isalpha() and piece.startswith("▁")


def nearest(tokenizer: Tokenizer, model: Path, counts: dict[str, np.ndarray], settings: dict) -> dict[str, np.ndarray]:
    """By language: each token's nearest token of it; -1 where none is near."""
    pieces = [tokenizer.id_to_token(number) for number in range(tokenizer.get_vocab_size())]
    rows = rows_of(pieces, Tokenizer.from_file(str(model / "tokenizer.json")))
    vectors = load_file(model / "model.safetensors")["embeddings"].astype(np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    shares = {language: count / max(count.sum(), 1) for language, count in counts.items()}
    total, known = np.maximum(sum(shares.values()), 1e-12), np.flatnonzero(rows >= 0)
    found = {}
    for language, share in shares.items():
        least = settings["least_share_unspaced" if language in UNSPACED else "least_share"]
        often = (rows >= 0) & (share / total > least) & (counts[language] >= settings["seen"])
        own = np.array([number for number in np.flatnonzero(often) if is_word(pieces[number], language)], np.int32)
        found[language] = np.full(len(pieces), -1, np.int32)
        for begin in range(0, len(known) if len(own) else 0, AT_ONCE):
            part = known[begin : begin + AT_ONCE]
            similar = vectors[rows[part]] @ vectors[rows[own]].T
            near = similar.max(1) > settings["nearest"]
            found[language][part[near]] = own[similar.argmax(1)[near]]
    return found


def prepare(tokenizer: Tokenizer, model: Path, pairs: Path, settings: dict, kept: Path) -> dict[str, np.ndarray]:
    """The tables, made once and kept in `kept`."""
    if not kept.exists():
        part = kept.with_suffix(".part.npz")
        np.savez(part, **nearest(tokenizer, model, counted(tokenizer, pairs, settings), settings))
        part.rename(kept)
    with np.load(kept) as tables:
        return {language: tables[language] for language in settings["languages"]}


class Switch:
    """Draws what is switched: the question, the passage, both into two languages, or both into one."""

    def __init__(self, tables: dict[str, np.ndarray], settings: dict):
        self.tables, self.settings = tables, settings
        self.languages, self.weights = list(settings["languages"]), list(settings["languages"].values())

    def draw(self, random: Random) -> tuple[str | None, str | None]:
        """The languages of the question and of the passage; `None` for its own."""
        drawn = random.random()
        for what, share in self.settings["shares"].items():
            if drawn < share:
                one = self.language(random)
                other = self.language(random) if what == "apart" else one
                return (one if what != "passage" else None), (other if what != "question" else None)
            drawn -= share
        return None, None

    def language(self, random: Random) -> str:
        return random.choices(self.languages, self.weights)[0]

    def switched(self, ids: np.ndarray, language: str, random: Random) -> np.ndarray:
        """Most tokens that have a near one are replaced."""
        near = self.tables[language][ids]
        drawn = np.frombuffer(random.randbytes(len(ids)), np.uint8) < int(256 * self.settings["replaced"])
        return np.where((near >= 0) & drawn, near, ids)
