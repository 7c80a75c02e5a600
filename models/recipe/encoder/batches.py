"""Numbered batches of pairs of one source and kind, of like length, each side in parts of one length.

The pairs of a batch are neighbours by length, and the texts of a side are cut into parts that are
padded to the same multiple of eight tokens: little is padding, masks are aligned, and a part without
any padding needs no mask at all.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .network import BEGIN, END, PAD, Bert
from .texts import KINDS, TRANSLATED, Pairs, Side


@dataclass(slots=True)
class Part:
    """Texts of about one length."""

    ids: np.ndarray
    padded: bool


@dataclass(slots=True)
class Texts:
    """The texts of one side in parts; `order` puts their vectors back in the order of the pairs."""

    parts: list[Part]
    order: np.ndarray
    tokens: int

    def vectors(self, network: Bert, device: torch.device) -> Tensor:
        found = []
        for part in self.parts:
            ids = torch.from_numpy(part.ids).to(device, non_blocking=True).long()
            found.append(network.vectors(ids, ids != PAD if part.padded else None))
        return torch.cat(found)[torch.from_numpy(self.order).to(device)]

    def places(self) -> int:
        """Tokens with padding."""
        return sum(part.ids.size for part in self.parts)


@dataclass(slots=True)
class Batch:
    kind: str
    a: Texts
    b: Texts

    @property
    def tokens(self) -> int:
        return self.a.tokens + self.b.tokens


class Drawer:
    """Draws batch `n`, which depends on the seed and `n` alone."""

    def __init__(self, pairs: Pairs, prompts: dict[str, list[int]], settings: dict, seed: int):
        self.pairs, self.prompts, self.settings, self.seed = pairs, prompts, settings, seed
        a, b = pairs.a.lengths(), pairs.b.lengths()
        random = np.random.default_rng(seed)
        self.length = a + b
        self.groups: list[tuple[str, np.ndarray]] = []
        weights = []
        fewest = settings["pairs"][0]
        for source in np.unique(pairs.source):
            for number, kind in enumerate(KINDS):
                members = np.flatnonzero((pairs.source == source) & (pairs.kind == number) & (a > 0) & (b > 0))
                if len(members) >= fewest:
                    # Pairs of nearly one length come in any order.
                    by_length = np.argsort(self.length[members] + random.uniform(0, 6, len(members)))
                    self.groups.append((kind, members[by_length]))
                    weights.append(len(members) ** settings["size_power"] * settings["kinds"][kind])
        if not self.groups:
            raise SystemExit(f"no source has {fewest} pairs of one kind")
        self.weights = np.array(weights) / sum(weights)

    def draw(self, number: int) -> Batch:
        random = np.random.default_rng([self.seed, number])
        kind, members = self.groups[random.choice(len(self.groups), p=self.weights)]
        centre = int(random.integers(len(members)))
        fewest, most = self.settings["pairs"]
        tokens = max(24, int(self.length[members[centre]]) + 10)
        count = min(max(fewest, min(most, self.settings["tokens"] // tokens)), len(members))
        window = self.settings["neighbours"] * count
        begin = max(0, min(len(members) - window, centre - window // 2))
        chosen = random.choice(members[begin : begin + window], count, replace=False)
        second = self.prompts["query" if kind in TRANSLATED else "passage"]
        return Batch(kind, self.side(self.pairs.a, chosen, self.prompts["query"]), self.side(self.pairs.b, chosen, second))

    def side(self, side: Side, chosen: np.ndarray, prompt: list[int]) -> Texts:
        texts = [np.concatenate([[BEGIN], prompt, side.text(number), [END]]).astype(np.int32) for number in chosen]
        lengths = np.array([len(text) for text in texts])
        multiple, least = self.settings["multiple"], self.settings["least_part"]
        padded = -(-lengths // multiple) * multiple
        by_length, parts, part = np.argsort(lengths, kind="stable"), [], []
        for place, text in enumerate(by_length):
            part.append(text)
            last = place + 1 == len(by_length)
            if last or (len(part) >= least and padded[by_length[place + 1]] > padded[text]):
                longest = padded[part[-1]] if lengths[part[0]] < lengths[part[-1]] else lengths[part[-1]]
                ids = np.full((len(part), longest), PAD, np.int32)
                for row, number in enumerate(part):
                    ids[row, : lengths[number]] = texts[number]
                parts.append(Part(ids, bool((lengths[part] < longest).any())))
                part = []
        return Texts(parts, np.argsort(by_length, kind="stable"), int(lengths.sum()))
