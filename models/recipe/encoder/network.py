"""BERT (Devlin et al. 2019) with post-layer normalisation; parameters are named as in its model folders."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, normalize, scaled_dot_product_attention

BEGIN, PAD, END, UNKNOWN = 0, 1, 2, 3
WORDS = "embeddings.word_embeddings.weight"


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a network, with the names that `config.json` gives them."""

    vocab_size: int
    num_hidden_layers: int
    hidden_size: int = 384
    num_attention_heads: int = 12
    intermediate_size: int = 1536
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12

    @classmethod
    def of(cls, config: dict) -> "Shape":
        return cls(**{name: config[name] for name in cls.__slots__})


class Embeddings(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.word_embeddings = nn.Embedding(shape.vocab_size, shape.hidden_size)
        self.position_embeddings = nn.Embedding(shape.max_position_embeddings, shape.hidden_size)
        self.token_type_embeddings = nn.Embedding(shape.type_vocab_size, shape.hidden_size)
        self.LayerNorm = nn.LayerNorm(shape.hidden_size, shape.layer_norm_eps)

    def forward(self, ids: Tensor, types: Tensor | None) -> Tensor:
        kind = self.token_type_embeddings.weight[0] if types is None else self.token_type_embeddings(types)
        return self.LayerNorm(self.word_embeddings(ids) + self.position_embeddings.weight[: ids.shape[1]] + kind)


class SelfAttention(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.heads = shape.num_attention_heads
        self.query = nn.Linear(shape.hidden_size, shape.hidden_size)
        self.key = nn.Linear(shape.hidden_size, shape.hidden_size)
        self.value = nn.Linear(shape.hidden_size, shape.hidden_size)

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        split = (*hidden.shape[:2], self.heads, -1)
        query, key, value = (part(hidden).view(split).transpose(1, 2) for part in (self.query, self.key, self.value))
        mixed = scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return mixed.transpose(1, 2).reshape(hidden.shape)


class Output(nn.Module):
    """The end of both halves of a layer: a projection, added to what the half was given."""

    def __init__(self, inputs: int, shape: Shape, dropout: float):
        super().__init__()
        self.dense = nn.Linear(inputs, shape.hidden_size)
        self.LayerNorm = nn.LayerNorm(shape.hidden_size, shape.layer_norm_eps)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inner: Tensor, residual: Tensor) -> Tensor:
        return self.LayerNorm(residual + self.dropout(self.dense(inner)))


class Layer(nn.Module):
    def __init__(self, shape: Shape, dropout: float):
        super().__init__()
        self.attention = nn.Module()
        self.attention.self = SelfAttention(shape)
        self.attention.output = Output(shape.hidden_size, shape, dropout)
        self.intermediate = nn.Module()
        self.intermediate.dense = nn.Linear(shape.hidden_size, shape.intermediate_size)
        self.output = Output(shape.intermediate_size, shape, dropout)

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        hidden = self.attention.output(self.attention.self(hidden, mask), hidden)
        return self.output(gelu(self.intermediate.dense(hidden)), hidden)


class Bert(nn.Module):
    def __init__(self, shape: Shape, dropout: float = 0.0):
        super().__init__()
        self.shape = shape
        self.embeddings = Embeddings(shape)
        self.encoder = nn.Module()
        self.encoder.layer = nn.ModuleList(Layer(shape, dropout) for _ in range(shape.num_hidden_layers))

    def hidden(self, ids: Tensor, types: Tensor | None = None, keep: Tensor | None = None) -> Tensor:
        """Last hidden states. `keep` is false at padding, and `None` where there is none."""
        hidden = self.embeddings(ids, types)
        mask = None if keep is None else keep[:, None, None, :]
        for layer in self.encoder.layer:
            hidden = layer(hidden, mask)
        return hidden

    def vectors(self, ids: Tensor, keep: Tensor | None = None) -> Tensor:
        """The unit vector of each text: the mean of its tokens' hidden states."""
        hidden = self.hidden(ids, keep=keep).float()
        if keep is None:
            return normalize(hidden.mean(1), dim=-1)
        return normalize((hidden * keep[..., None]).sum(1) / keep.sum(1, keepdim=True), dim=-1)


@torch.no_grad()
def embed(network: Bert, texts: list[list[int]], at_once: int = 64) -> Tensor:
    """The vectors of tokenised texts, special tokens included; texts of like length are taken together."""
    device = next(network.parameters()).device
    found = torch.zeros(len(texts), network.shape.hidden_size)
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    for begin in range(0, len(order), at_once):
        part = order[begin : begin + at_once]
        ids = torch.full((len(part), len(texts[part[-1]])), PAD)
        for row, place in enumerate(part):
            ids[row, : len(texts[place])] = torch.tensor(texts[place])
        ids = ids.to(device)
        with torch.autocast(device.type, torch.bfloat16):
            found[part] = network.vectors(ids, ids != PAD).cpu()
    return found
