"""Pairs as tokens: two flat arrays that are mapped into memory, and where each text begins."""

import json
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
from tokenizers import Tokenizer
from tqdm import tqdm

from recipe.pairs import Pair, name_of, read, sources

KINDS = ("qa", "title_body", "para", "parallel", "dict")
TRANSLATED = ("parallel", "dict")  # both sides say the same


@dataclass(slots=True)
class Side:
    """All texts of one side: text `n` is `tokens[starts[n]:starts[n + 1]]`."""

    tokens: np.ndarray
    starts: np.ndarray

    def text(self, number: int) -> np.ndarray:
        return self.tokens[self.starts[number] : self.starts[number + 1]]

    def lengths(self) -> np.ndarray:
        return np.diff(self.starts)


@dataclass(slots=True)
class Pairs:
    a: Side
    b: Side
    kind: np.ndarray
    source: np.ndarray


def sampled(rows: list[Pair], settings: dict, random: Random) -> list[Pair]:
    """The pairs of a source in any order; of a dictionary, a part."""
    random.shuffle(rows)
    least = settings["dictionary_least"]
    if len(rows) > least and all(pair.kind == "dict" for pair in rows):
        return rows[: max(least, int(len(rows) * settings["dictionary_share"]))]
    return rows


def encode(pairs: Path, tokenizer: Tokenizer, settings: dict, seed: int, folder: Path) -> None:
    random, kinds, origins = Random(seed), [], []
    tokens: dict[str, list[np.ndarray]] = {"a": [], "b": []}
    for number, path in enumerate(tqdm(sources(pairs, []), desc="tokens", unit="source")):
        rows = sampled(list(read(path)), settings, random)
        for side, part in (("a", "question"), ("b", "passage")):
            texts = [getattr(pair, side)[: settings[f"{part}_characters"]] for pair in rows]
            encoded = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
            tokens[side] += [np.array(one.ids[: settings[f"{part}_tokens"]], np.uint32) for one in encoded]
        kinds += [KINDS.index(pair.kind) for pair in rows]
        origins += [number] * len(rows)
    folder.mkdir(parents=True, exist_ok=True)
    for side, texts in tokens.items():
        np.save(folder / f"{side}.npy", np.concatenate(texts))
        np.save(folder / f"{side}.starts.npy", np.cumsum([0, *map(len, texts)]))
    np.save(folder / "kind.npy", np.array(kinds, np.uint8))
    np.save(folder / "source.npy", np.array(origins, np.uint16))
    # Written last: what is there is whole.
    (folder / "sources.json").write_text(json.dumps([name_of(path) for path in sources(pairs, [])]))


def prepare(pairs: Path, tokenizer: Tokenizer, settings: dict, seed: int, folder: Path) -> Pairs:
    """All pairs, encoded once and kept in `folder`."""
    if not (folder / "sources.json").exists():
        encode(pairs, tokenizer, settings, seed, folder)
    sides = (Side(np.load(folder / f"{side}.npy", mmap_mode="r"), np.load(folder / f"{side}.starts.npy")) for side in "ab")
    return Pairs(*sides, np.load(folder / "kind.npy"), np.load(folder / "source.npy"))
