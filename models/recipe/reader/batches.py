"""Examples in batches of like length, as arrays that are padded to the longest."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from random import Random

import numpy as np
import torch
from torch import Tensor

from encoder.network import PAD

from .examples import Example, Examples

TOKENS_OF_EXAMPLE = 120  # about
BATCHES_OF_POOL = 16     # about


@dataclass(slots=True)
class Batch:
    """Rows are examples, columns tokens."""

    ids: np.ndarray
    sides: np.ndarray     # 1 after the question
    keep: np.ndarray      # false at padding
    passage: np.ndarray   # true at the passage's tokens
    segment: np.ndarray   # 0 at the first token, 1 and up by sentence, -1 elsewhere
    start: np.ndarray     # the answer's first token, 0 for none
    end: np.ndarray       # its last
    known: np.ndarray     # whether these are known
    answers: np.ndarray
    gold: np.ndarray      # the segment that answers, 0 for none

    def tensors(self, device: torch.device) -> dict[str, Tensor]:
        return {field.name: torch.from_numpy(getattr(self, field.name)).to(device, non_blocking=True) for field in fields(self)}


def collate(examples: Sequence[Example]) -> Batch:
    rows, longest = len(examples), max(map(len, examples))
    table = lambda value, kind: np.full((rows, longest), value, kind)  # noqa: E731
    column = lambda kind: np.zeros(rows, kind)  # noqa: E731
    batch = Batch(
        table(PAD, np.int64), table(0, np.int64), table(False, bool), table(False, bool), table(-1, np.int64),
        column(np.int64), column(np.int64), column(bool), column(np.float32), column(np.int64),
    )
    for row, example in enumerate(examples):
        length, question = len(example), len(example.question) + 2
        first = question + len(example.title)
        passage = slice(first, first + len(example.passage))
        batch.ids[row, :length], batch.keep[row, :length] = example.ids, True
        batch.sides[row, question:length] = 1
        batch.passage[row, passage] = True
        numbers, segments = np.unique(example.sentence, return_inverse=True)
        batch.segment[row, passage] = segments + 1
        batch.answers[row], batch.known[row] = example.answers, example.known
        if example.span:
            batch.start[row], batch.end[row] = first + example.span[0], first + example.span[1]
        if example.gold is not None:
            batch.gold[row] = np.searchsorted(numbers, example.gold) + 1
    batch.segment[:, 0] = 0
    return batch


def grouped(examples: Sequence[Example], tokens: int) -> list[list[Example]]:
    """Neighbours by length, each group no more than some tokens when padded."""
    groups, group = [], []
    for example in sorted(examples, key=len):
        if group and (len(group) + 1) * len(example) > tokens:
            groups.append(group)
            group = []
        group.append(example)
    return [*groups, group]


class Pools:
    """Numbered pools of batches: what a pool holds depends on the seed and its number alone."""

    def __init__(self, examples: Examples, tokens: int, seed: int):
        self.examples, self.tokens, self.seed = examples, tokens, seed

    def make(self, number: int) -> list[Batch]:
        random = Random(self.seed if number == 0 else f"{self.seed}:{number}")
        stream = self.examples.stream(random)
        drawn = [next(stream) for _ in range(BATCHES_OF_POOL * self.tokens // TOKENS_OF_EXAMPLE)]
        groups = grouped(drawn, self.tokens)
        random.shuffle(groups)
        return [collate(group) for group in groups]
