"""Pairs as token ids: what the trainer reads, one `.npz` a source."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from tqdm import tqdm

from . import pairs


@dataclass(slots=True)
class Texts:
    """Token ids of many texts, one after another."""

    ids: np.ndarray
    starts: np.ndarray

    def __len__(self) -> int:
        return len(self.starts) - 1

    def get(self, index: int) -> np.ndarray:
        return self.ids[self.starts[index] : self.starts[index + 1]]

    @classmethod
    def of(cls, rows: list[list[int]]) -> "Texts":
        starts = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(row) for row in rows], out=starts[1:])
        flat = np.fromiter((token for row in rows for token in row), np.int32, starts[-1])
        return cls(flat, starts)


@dataclass(slots=True)
class Source:
    """One pair file. `same_a` and `same_b` are equal where the texts are."""

    name: str
    a: Texts
    b: Texts
    same_a: np.ndarray
    same_b: np.ndarray
    la: np.ndarray
    lb: np.ndarray
    kind: np.ndarray

    def __len__(self) -> int:
        return len(self.kind)


def digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little", signed=True)


def encode(tokenizer: Tokenizer, texts: list[str], longest: int) -> Texts:
    # A token has rarely more than eight characters: what lies beyond is cut before it costs time.
    encoded = tokenizer.encode_batch_fast([text[: longest * 8] for text in texts], add_special_tokens=False)
    return Texts.of([one.ids[:longest] for one in encoded])


def prepare(folder: Path, tokenizer: Tokenizer, settings: dict, work: Path) -> list[Source]:
    """Every source, encoded once and kept in `work`."""
    work.mkdir(parents=True, exist_ok=True)
    found = []
    for path in tqdm(pairs.sources(folder, settings["left_out"]), desc="encode", unit="file"):
        kept = work / f"{pairs.name_of(path)}.npz"
        if not kept.exists():
            write(kept, list(pairs.read(path)), tokenizer, settings)
        found.append(load(kept))
    return found


def write(path: Path, read: list[pairs.Pair], tokenizer: Tokenizer, settings: dict) -> None:
    a = encode(tokenizer, [pair.a for pair in read], settings["question_tokens"])
    b = encode(tokenizer, [pair.b for pair in read], settings["passage_tokens"])
    part = path.with_suffix(".part.npz")
    np.savez(
        part, a=a.ids, a_starts=a.starts, b=b.ids, b_starts=b.starts,
        same_a=np.array([digest(pair.a) for pair in read]), same_b=np.array([digest(pair.b) for pair in read]),
        la=np.array([pair.la for pair in read]), lb=np.array([pair.lb for pair in read]),
        kind=np.array([pair.kind for pair in read]),
    )
    part.rename(path)


def load(path: Path) -> Source:
    with np.load(path) as kept:
        a, b = Texts(kept["a"], kept["a_starts"]), Texts(kept["b"], kept["b_starts"])
        return Source(path.stem, a, b, kept["same_a"], kept["same_b"], kept["la"], kept["lb"], kept["kind"])


def rarity(sources: list[Source], pieces: int, most: int = 5000) -> np.ndarray:
    """How much a token says before training: its inverse document frequency, one on average."""
    seen, texts = np.zeros(pieces), 0
    for source in sources:
        if source.kind[0] == "dict":
            continue
        for row in range(0, len(source), max(1, len(source) // most)):
            seen[np.unique(source.b.get(row))] += 1
            texts += 1
    weight = np.log((texts + 1) / (seen + 1))
    return (weight / weight.mean()).astype(np.float32)
