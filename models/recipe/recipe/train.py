"""Contrastive training of a token table: symmetric InfoNCE over means of rows, and over their tokens.

A step touches only the rows that its batch uses: they are gathered, multiplied by a sparse
matrix of counts, and written back (a library's sparse-gradient embedding bag was thirty times
slower). Batches are made by other processes. The same code runs on a processor and on a GPU.
"""

import json
import math
import multiprocessing
import time
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse
import torch
from torch.nn.functional import cross_entropy, normalize
from tqdm import tqdm

from . import tokens
from .batches import Batch, Sampler


@dataclass(slots=True)
class Step:
    """A batch as matrices: texts × used rows, used rows × used features."""

    used: np.ndarray
    counts: scipy.sparse.csr_matrix
    features: np.ndarray
    shares: scipy.sparse.csr_matrix
    questions: int
    clash: np.ndarray
    places: tokens.Places


def prepare(batch: Batch, shares: scipy.sparse.csr_matrix) -> Step:
    texts = batch.a + batch.b
    used, places = np.unique(np.concatenate(texts), return_inverse=True)
    ends = np.cumsum([0] + [len(text) for text in texts])
    ones = np.ones(len(places), np.float32)
    counts = scipy.sparse.csr_matrix((ones, places, ends), shape=(len(texts), len(used)))
    counts.sum_duplicates()
    part = shares[used]
    features, columns = np.unique(part.indices, return_inverse=True)
    part = scipy.sparse.csr_matrix((part.data, columns, part.indptr), shape=(len(used), len(features)))
    return Step(used, counts, features, part, len(batch.a), batch.clash, tokens.places(batch.a, batch.b, used))


def sparse(matrix: scipy.sparse.csr_matrix, device: str) -> torch.Tensor:
    parts = (torch.from_numpy(part.astype(np.int32)) for part in (matrix.indptr, matrix.indices))
    return torch.sparse_csr_tensor(*parts, torch.from_numpy(matrix.data), matrix.shape, device=device)


class Maker:
    """What the processes that make batches are born with."""

    sampler: Sampler
    shares: scipy.sparse.csr_matrix

    @classmethod
    def make(cls, number: int) -> Step:
        return prepare(cls.sampler.draw(number), cls.shares)


class Part:
    """A matrix with row-wise Adagrad: one step size a row."""

    def __init__(self, rows: int, width: int, length: float, generator: torch.Generator, device: str):
        self.values = (torch.randn(rows, width, generator=generator) * (length / math.sqrt(width))).to(device)
        self.squares = torch.full((rows,), 1e-10, device=device)

    def update(self, rows: torch.Tensor, gradient: torch.Tensor, rate: float) -> None:
        squares = self.squares[rows] + gradient.square().mean(1)
        self.squares[rows] = squares
        self.values[rows] -= rate * gradient / squares.sqrt()[:, None]

    def state(self) -> dict:
        return {"values": self.values, "squares": self.squares}

    def restore(self, state: dict) -> None:
        self.values.copy_(state["values"])
        self.squares.copy_(state["squares"])


class Trainer:
    def __init__(self, sampler: Sampler, rarity: np.ndarray, shares: scipy.sparse.csr_matrix, settings: dict, seed: int):
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.sampler, self.shares, self.settings = sampler, shares, settings
        generator = torch.Generator().manual_seed(seed)
        width = settings["dimensions"]
        self.rarity = torch.from_numpy(rarity).to(self.device)[:, None]
        self.own = Part(shares.shape[0], width, settings["own_length"], generator, self.device)
        self.shared = Part(shares.shape[1], width, settings["shared_length"], generator, self.device)
        self.step = 0

    def table(self) -> np.ndarray:
        """What is exported: each row with what it shares."""
        shared = sparse(self.shares, self.device) @ self.shared.values
        return (self.rarity * (self.own.values + shared)).cpu().numpy()

    def rate(self) -> float:
        steps, warm = self.settings["steps"], self.settings["warm_up"]
        if self.step < warm:
            return self.settings["rate"] * (self.step + 1) / warm
        return self.settings["rate"] * 0.5 * (1 + math.cos(math.pi * (self.step - warm) / (steps - warm)))

    def learn(self, step: Step) -> float:
        used = torch.from_numpy(step.used).to(self.device)
        features = torch.from_numpy(step.features).to(self.device)
        rarity = self.rarity[used]
        rows = rarity * (self.own.values[used] + sparse(step.shares, self.device) @ self.shared.values[features])
        texts = (sparse(step.counts, self.device) @ rows).requires_grad_(True)
        loss = self.loss(texts, step)
        (gradient,) = torch.autograd.grad(loss, texts)
        gradient = sparse(step.counts.T.tocsr(), self.device) @ gradient
        if self.settings["token_loss"] > 0:
            rows.requires_grad_(True)
            similar = tokens.scores(rows, step.places, step.questions)
            (by_token,) = torch.autograd.grad(self.settings["token_loss"] * self.told_apart(similar, step), rows)
            gradient = gradient + by_token
        by_row = rarity * gradient
        by_feature = sparse(step.shares.T.tocsr(), self.device) @ by_row
        self.own.update(used, by_row, self.rate())
        self.shared.update(features, by_feature, self.rate() * self.settings["shared_rate"])
        self.step += 1
        return loss.item()

    def loss(self, texts: torch.Tensor, step: Step) -> torch.Tensor:
        total = torch.zeros((), device=self.device)
        for width, weight in self.settings["losses"]:
            unit = normalize(texts[:, :width], dim=1)
            total = total + weight * self.told_apart(unit[: step.questions] @ unit[step.questions :].T, step)
        return total

    def told_apart(self, similar: torch.Tensor, step: Step) -> torch.Tensor:
        """How badly each question's passage is told from the others by `similar`, and each passage's question."""
        right = torch.arange(step.questions, device=self.device)
        scores = similar / self.settings["temperature"]
        scores = scores.masked_fill(torch.from_numpy(step.clash).to(self.device), -1e4)
        return (cross_entropy(scores, right) + cross_entropy(scores.T, right)) / 2

    def save(self, path: Path) -> None:
        part = path.with_suffix(".part")
        torch.save({"step": self.step, "own": self.own.state(), "shared": self.shared.state()}, part)
        part.rename(path)

    def restore(self, path: Path) -> None:
        kept = torch.load(path, map_location=self.device)
        self.step = kept["step"]
        self.own.restore(kept["own"])
        self.shared.restore(kept["shared"])

    def run(self, work: Path, measure) -> None:
        """Trains to the end, saving and measuring on the way; goes on where a run stopped."""
        work.mkdir(parents=True, exist_ok=True)
        kept, log = work / "checkpoint.pt", work / "training.jsonl"
        if kept.exists():
            self.restore(kept)
        steps, begun, mean = self.settings["steps"], time.monotonic(), None
        Maker.sampler, Maker.shares = self.sampler, self.shares
        forked, workers = multiprocessing.get_context("fork"), self.settings["workers"]
        with ProcessPoolExecutor(workers, forked) as pool, tqdm(total=steps, initial=self.step, desc="train", unit="step") as bar:
            coming = deque(pool.submit(Maker.make, number) for number in range(self.step, self.step + 2 * workers))
            while self.step < steps:
                coming.append(pool.submit(Maker.make, self.step + 2 * workers))
                loss = self.learn(coming.popleft().result())
                mean = loss if mean is None else 0.99 * mean + 0.01 * loss
                bar.update()
                bar.set_postfix(loss=f"{mean:.3f}", refresh=False)
                if self.step % self.settings["measure_every"] == 0 or self.step == steps:
                    line = {"step": self.step, "loss": round(mean, 4), "seconds": round(time.monotonic() - begun), **measure(self.table())}
                    log.open("a").write(json.dumps(line) + "\n")
                    bar.write(json.dumps(line))
                    self.save(kept)
