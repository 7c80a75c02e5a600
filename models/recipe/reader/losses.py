"""What the reader is trained on: whether the passage answers, in which words, in which sentence."""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

IMPOSSIBLE = -1e4


def answerable_loss(logits: Tensor, batch: dict[str, Tensor]) -> Tensor:
    return binary_cross_entropy_with_logits(logits, batch["answers"])


def span_loss(logits: Tensor, batch: dict[str, Tensor]) -> Tensor:
    """Start and end among the passage's tokens; the first token stands for no answer."""
    possible = batch["passage"].clone()
    possible[:, 0] = True
    logits = logits.masked_fill(~possible[..., None], IMPOSSIBLE)
    known = batch["known"]
    start = cross_entropy(logits[..., 0], batch["start"], reduction="none")
    end = cross_entropy(logits[..., 1], batch["end"], reduction="none")
    return ((start + end) / 2 * known).sum() / known.sum().clamp(min=1)


def sentence_logits(logits: Tensor, batch: dict[str, Tensor]) -> Tensor:
    """The mean of each sentence's tokens; the first column is that of the first token, for no answer."""
    segment = batch["segment"]
    inside = (segment >= 0).float()
    place = segment.clamp(min=0)
    empty = torch.zeros(len(segment), int(segment.max()) + 1, device=logits.device)
    sums, counts = empty.scatter_add(1, place, logits * inside), empty.scatter_add(1, place, inside)
    return (sums / counts.clamp(min=1)).masked_fill(counts == 0, IMPOSSIBLE)


def losses(found: tuple[Tensor, Tensor, Tensor], batch: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    answerable, span, sentence = found
    by_sentence = cross_entropy(sentence_logits(sentence, batch), batch["gold"])
    return answerable_loss(answerable, batch), span_loss(span, batch), by_sentence
