"""What the bundled table knows: cosines of all tokens, near tokens, and tokens that translate each other."""

from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file
from torch.nn.functional import normalize

from recipe import pairs

LANGUAGES = ["zh", "en", "es", "ru", "de", "fr"]
NEAR, TRANSLATES = 0.45, 0.33
"""Cosines from which a token may stand for another, and for one of another language."""


class Likeness:
    """Token 0 is filling; every other is one more than the tokenizer's number."""

    def __init__(self, model: Path, languages: np.ndarray, unchanged: np.ndarray, device: str):
        table = load_file(model / "model.safetensors")
        rows = torch.from_numpy(table["embeddings"].astype(np.float32))
        lengths = rows.norm(dim=1) * torch.from_numpy(table["weights"])
        filling = torch.zeros(1)
        self.rows = torch.cat([torch.zeros(1, rows.shape[1]), normalize(rows, dim=1)]).to(device)
        self.says = torch.cat([filling, lengths / lengths[lengths > 0].mean()]).to(device)
        self.cosines = torch.zeros(len(self.rows), len(self.rows), dtype=torch.float16, device=device)
        for some, into in zip(self.rows.split(8192), self.cosines.split(8192), strict=True):
            into.copy_((some @ self.rows.T).clamp_min(0))
        self.near = self.near_ones(len(self.rows), device)
        self.translations = self.translated(languages, unchanged, device)

    def near_ones(self, count: int, device: str) -> torch.Tensor:
        near = torch.zeros(count, 8, dtype=torch.long, device=device)
        for ids in torch.arange(count, device=device).split(4096):
            cosines, found = self.cosines[ids].topk(9, 1)
            near[ids] = torch.where(cosines[:, 1:] > NEAR, found[:, 1:], ids[:, None])
        return near

    def translated(self, languages: np.ndarray, unchanged: np.ndarray, device: str) -> torch.Tensor:
        """Language × token → three tokens of that language, or the token itself."""
        count = len(self.rows)
        kept = torch.cat([torch.ones(1, dtype=torch.bool), torch.from_numpy(unchanged)]).to(device)
        table = torch.arange(count, device=device)[None, :, None].repeat(len(LANGUAGES), 1, 3)
        for language, spoken in enumerate(languages.T):
            spoken = torch.cat([torch.zeros(1, dtype=torch.bool), torch.from_numpy(spoken)]).to(device)
            words = spoken.nonzero()[:, 0]
            for ids in torch.arange(count, device=device).split(8192):
                cosines, found = self.cosines[ids][:, words].topk(3, 1)
                moves = (cosines > TRANSLATES) & ~(kept | spoken)[ids][:, None]
                first = torch.where(moves[:, 0], words[found[:, 0]], ids)[:, None]
                table[language, ids] = torch.where(moves, words[found], first)
        return table


def spoken(folder: Path, tokenizer, most: int = 6000) -> np.ndarray:
    """Token × language: whether the language uses the token more than the others do."""
    texts: dict[str, list[str]] = {language: [] for language in LANGUAGES}
    for path in pairs.sources(folder, []):
        counts = dict.fromkeys(LANGUAGES, 0)
        for pair in pairs.read(path):
            if pair.kind == "dict" and not path.name.startswith("omw"):
                continue
            for language, text in ((pair.la, pair.a), (pair.lb, pair.b)):
                if counts.get(language, most) < most:
                    counts[language] += 1
                    texts[language].append(text[:300])
    seen = np.zeros((tokenizer.get_vocab_size(), len(LANGUAGES)))
    for column, language in enumerate(LANGUAGES):
        for at in range(0, len(texts[language]), 4096):
            for one in tokenizer.encode_batch_fast(texts[language][at : at + 4096], add_special_tokens=False):
                np.add.at(seen[:, column], one.ids, 1)
    shares = seen / np.maximum(seen.sum(0), 1)
    return (shares / np.maximum(shares.sum(1, keepdims=True), 1e-12) > 0.3) & (seen >= 3)


def unchanged(tokenizer) -> np.ndarray:
    """Numbers and signs are the same in every language."""
    pieces = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    return np.array([not any(map(str.isalpha, piece)) or any(map(str.isdigit, piece)) for piece, _ in pieces])
