"""The reader: a small encoder over the rows of a question and a passage, and what is told of each token."""

import hashlib
import json
import math
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from .likeness import Likeness

HEAD, FEATURES = 64, 6
QUESTION, TITLE, PASSAGE = 0, 1, 2


class Layer(nn.Module):
    """As ModernBERT's: norms before both parts, none before the first; turned positions; a gated middle."""

    def __init__(self, width: int, inner: int, first: bool):
        super().__init__()
        self.attn_norm = nn.Identity() if first else nn.LayerNorm(width, bias=False)
        self.mlp_norm = nn.LayerNorm(width, bias=False)
        self.qkv, self.attended = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.up, self.down = nn.Linear(width, 2 * inner, bias=False), nn.Linear(inner, width, bias=False)

    def forward(self, rows, mask, cosines, sines, dropped: float):
        count, length, width = rows.shape
        asked, keys, values = self.qkv(self.attn_norm(rows)).view(count, length, 3, -1, HEAD).permute(2, 0, 3, 1, 4)

        def turned(some):
            return some * cosines + torch.cat([-some[..., HEAD // 2 :], some[..., : HEAD // 2]], -1) * sines

        mixed = functional.scaled_dot_product_attention(turned(asked), turned(keys), values, attn_mask=mask)
        mixed = self.attended(mixed.transpose(1, 2).reshape(count, length, width))
        rows = rows + functional.dropout(mixed, dropped, self.training)
        inner, gate = self.up(self.mlp_norm(rows)).chunk(2, -1)
        return rows + functional.dropout(self.down(functional.gelu(inner) * gate), dropped, self.training)


class Reader(nn.Module):
    def __init__(self, settings: dict, dimensions: int):
        super().__init__()
        width, layers = settings["width"], settings["layers"]
        inner = int(width * settings["expansion"])
        self.dropped, self.dropped_inputs = settings["dropout"], settings["input_dropout"]
        self.begin = nn.Linear(dimensions + FEATURES, width, bias=False)
        self.kinds = nn.Parameter(torch.randn(3, width) * 0.02)
        self.norm, self.final = nn.LayerNorm(width, bias=False), nn.LayerNorm(width, bias=False)
        self.layers = nn.ModuleList(Layer(width, inner, at == 0) for at in range(layers))
        self.score = nn.Linear(width, 1)
        # How sure the comparison of tokens is beside the reader, and from where on a passage answers at all.
        self.beside, self.shift = nn.Parameter(torch.tensor([8.0, 4.0])), nn.Parameter(torch.tensor([-3.0]))
        for matrix in [part for layer in self.layers for part in (layer.qkv, layer.attended, layer.up, layer.down)]:
            nn.init.trunc_normal_(matrix.weight, std=0.03)
        for layer in self.layers:
            layer.attended.weight.data /= math.sqrt(2 * layers)
            layer.down.weight.data /= math.sqrt(2 * layers)
        nn.init.trunc_normal_(self.begin.weight[:, :dimensions], std=0.6)
        nn.init.normal_(self.begin.weight[:, dimensions:], std=0.3)
        nn.init.zeros_(self.score.weight)
        nn.init.zeros_(self.score.bias)

    def forward(self, rows, features, kinds, mask, cosines, sines):
        rows = functional.dropout(rows, self.dropped_inputs, self.training)
        hidden = self.norm(self.begin(torch.cat([rows, features], -1)) + self.kinds[kinds.clamp_min(0)])
        hidden = functional.dropout(hidden, self.dropped, self.training)
        for layer in self.layers:
            hidden = layer(hidden, mask[:, None, None, :], cosines, sines, self.dropped)
        return self.score(self.final(hidden))[..., 0].float()


def angles(length: int, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    speeds = 10_000.0 ** (-torch.arange(0, HEAD, 2, device=device) / HEAD)
    both = (torch.arange(length, device=device)[:, None] * speeds).repeat(1, 2)
    return both.cos(), both.sin()


def compared(likeness: Likeness, questions, nearest):
    """How well lists of passages match by tokens, by the very same tokens, and what each question's token weighs.

    `nearest` holds, for each question and passage, the best cosine of each of the question's tokens."""
    nearest = nearest.float()
    held = (nearest**2).mean(1).clamp_min(0.02)
    shares = likeness.says[questions] * torch.log1p(1 / held) ** 0.5
    shares = shares / shares.sum(1, keepdim=True).clamp_min(1e-6)
    same = (shares[:, None] * (nearest > 0.98)).sum(2)
    return (shares[:, None] * nearest**0.75).sum(2), same, shares


def inputs(likeness: Likeness, questions, titles, passages, length: int):
    """Lists of passages as the reader takes them, each behind its question: tokens, features, kinds, places in the
    passage; and the two scores of `compared`."""
    lists, each, _ = passages.shape
    asked, told = questions.shape[1], torch.cat([titles, passages], -1)
    cosines = likeness.cosines[questions[:, None, :, None], told[:, :, None, :]]
    nearest, best = cosines.amax(3), cosines.amax(2)
    tokens_match, same, shares = compared(likeness, questions, nearest)
    weights = (shares * 8).clamp_max(3)
    weighed = (cosines * weights[:, None, :, None].to(cosines.dtype)).amax(2)
    says, zeros, ones = likeness.says, torch.zeros_like, torch.ones_like
    of_questions = [nearest, says[questions][:, None].expand_as(nearest), weights[:, None].expand_as(nearest), nearest > 0.98, zeros(nearest), ones(nearest)]
    of_passages = [best, says[told], zeros(best), best > 0.98, weighed, zeros(best)]
    features = torch.cat([torch.stack([one.float() for one in some], -1) for some in (of_questions, of_passages)], 2)
    ids = torch.cat([questions[:, None].expand(lists, each, asked), told], -1).reshape(lists * each, -1)
    parts = (asked, titles.shape[-1], passages.shape[-1])
    kinds = torch.cat([torch.full((size,), kind) for kind, size in enumerate(parts)]).to(ids.device).expand_as(ids)
    places = torch.cat([torch.full((asked + parts[1],), -1), torch.arange(parts[2])]).to(ids.device).expand_as(ids)
    # Without gaps between the parts.
    order = (ids == 0).to(torch.int8).sort(dim=1, stable=True).indices[:, :length]
    ids, places = ids.gather(1, order), places.gather(1, order)
    kinds = torch.where(ids > 0, kinds.gather(1, order), -1)
    features = features.reshape(lists * each, -1, FEATURES).gather(1, order[..., None].expand(-1, -1, FEATURES))
    return ids, features, kinds, places, tokens_match, same


def of_passages(scores, kinds):
    """A passage's score: the logarithm of its tokens' powers summed."""
    return torch.logsumexp(scores.masked_fill(kinds != PASSAGE, -30.0), 1)


def export(weights: dict[str, torch.Tensor], settings: dict, folder: Path) -> None:
    """As an encoder of ModernBERT's family, whose tokens are the question and the passage."""
    folder.mkdir(parents=True, exist_ok=True)
    named = {
        "begin.weight": weights["begin.weight"], "score.weight": weights["score.weight"][0],
        "embeddings.tok_embeddings.weight": weights["kinds"][[QUESTION, PASSAGE]],
        "embeddings.norm.weight": weights["norm.weight"], "final_norm.weight": weights["final.weight"],
    }
    parts = {"attn_norm": "attn_norm", "mlp_norm": "mlp_norm", "qkv": "attn.Wqkv", "attended": "attn.Wo", "up": "mlp.Wi", "down": "mlp.Wo"}
    for layer in range(settings["layers"]):
        for ours, theirs in parts.items():
            if (name := f"layers.{layer}.{ours}.weight") in weights:
                named[f"layers.{layer}.{theirs}.weight"] = weights[name]
    save_file({name: tensor.half().contiguous().cpu() for name, tensor in named.items()}, folder / "model.safetensors")
    config = {
        "model_type": "modernbert", "architectures": ["Reader"], "vocab_size": 2, "hidden_size": settings["width"],
        "num_hidden_layers": settings["layers"], "num_attention_heads": settings["width"] // HEAD,
        "intermediate_size": int(settings["width"] * settings["expansion"]), "max_position_embeddings": 368,
        "global_attn_every_n_layers": 1, "global_rope_theta": 10000.0, "norm_eps": 1e-05,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    sums = folder.parent / "SHA256SUMS"
    others = [line for line in sums.read_text().splitlines() if "  reader/" not in line]
    files = [folder / "model.safetensors", folder / "config.json"]
    ours = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  reader/{file.name}" for file in files]
    sums.write_text("\n".join(others + ours) + "\n")
