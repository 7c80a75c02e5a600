"""A trained table as a model folder: 8-bit rows with a weight each, in Model2Vec's layout.

Row × weight is what a library averages; Model2Vec and sentence-transformers read it as it is.
"""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

MODULES = [
    {"idx": 0, "name": "0", "path": ".", "type": "sentence_transformers.models.StaticEmbedding"},
    {"idx": 1, "name": "1", "path": "1_Normalize", "type": "sentence_transformers.models.Normalize"},
]


def quantized(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows in 8 bits and the weight that gives each its length back."""
    largest = np.maximum(np.abs(table).max(1), 1e-9)
    rows = np.rint(table / largest[:, None] * 127).astype(np.int8)
    return rows, (largest / 127).astype(np.float32)


def write(table: np.ndarray, tokenizer: Path, settings: dict, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # Padding and the unknown token say nothing.
    table[:2] = 0
    rows, weights = quantized(table / np.linalg.norm(table, axis=1).mean())
    save_file({"embeddings": rows, "weights": weights}, folder / "model.safetensors")
    shutil.copy(tokenizer, folder / "tokenizer.json")
    config = {
        "model_type": "model2vec", "architectures": ["StaticModel"], "hidden_dim": table.shape[1],
        "normalize": True, "embedding_dtype": "int8", "seq_length": 1_000_000,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    (folder / "modules.json").write_text(json.dumps(MODULES, indent=1) + "\n")
    sums = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in ("model.safetensors", "tokenizer.json", "config.json", "modules.json")]
    (folder / "SHA256SUMS").write_text("".join(sums))
    print(f"{settings['name']}: {rows.shape[0]} × {rows.shape[1]} in {folder}")
