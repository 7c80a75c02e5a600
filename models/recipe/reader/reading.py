"""What an exported reader says of a passage, one at a time: the reference that ibid's tests are held to.

Plain torch in 32-bit floats over the folder's weights. A sentence's logit is the mean of its tokens';
its span the best start and end among them, at most 30 tokens apart; `no_span` is the first token's.
"""

import json
from pathlib import Path

import torch
from torch import Tensor
from tokenizers import Encoding, Tokenizer

from encoder.network import BEGIN, END

from .network import Reader, load
from .sentences import Span

LONGEST_SPAN = 30


class Reading:
    def __init__(self, model: Path, reader: Reader | None = None):
        self.reader = reader or load(model)
        self.tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
        self.limits = json.loads((model / "reader" / "config.json").read_text())

    def encode(self, text: str, part: str) -> Encoding:
        encoding = self.tokenizer.encode(text, add_special_tokens=False)
        encoding.truncate(self.limits[f"{part}_tokens"])
        return encoding

    @torch.no_grad()
    def logits(self, question: str, context: str, passage: str) -> tuple[Tensor, Tensor, Tensor, int]:
        """The heads' logits, and the place of the passage's first token."""
        before = [BEGIN, *self.encode(question, "question").ids, END]
        of_context, of_passage = self.encode(context, "context").ids, self.encode(passage, "passage").ids
        ids = torch.tensor([[*before, *of_context, *of_passage, END]])
        sides = (torch.arange(ids.shape[1]) >= len(before)).long()[None]
        answerable, span, sentence = self.reader(ids, sides, torch.ones_like(ids, dtype=torch.bool))
        return answerable[0], span[0], sentence[0], len(before) + len(of_context)

    def read(self, question: str, context: str, passage: str, ranges: list[Span]) -> dict:
        """All that ibid reads; `ranges` are the bytes of the sentences."""
        answerable, span, sentence, first = self.logits(question, context, passage)
        places = token_bytes(passage, self.encode(passage, "passage").offsets)
        read = []
        for begin, end in ranges:
            own = [number for number, place in enumerate(places) if place and begin <= place[0] < end]
            if not own:
                read.append(None)
                continue
            logits = span[[first + number for number in own]]
            start, stop, best = best_span(logits)
            read.append({
                "logit": sentence[[first + number for number in own]].mean().item(), "span_logit": best,
                "span": [places[own[start]][0], places[own[stop]][1]],
            })
        return {"answerable": answerable.item(), "no_span": span[0].sum().item(), "sentences": read}


def best_span(logits: Tensor) -> tuple[int, int, float]:
    """The first and last token of the best span, and the sum of their logits."""
    sums = logits[:, :1] + logits[:, 1]
    allowed = torch.ones_like(sums).triu() - torch.ones_like(sums).triu(LONGEST_SPAN)
    best = int(sums.masked_fill(allowed == 0, -torch.inf).argmax())
    start, end = divmod(best, len(logits))
    return start, end, sums[start, end].item()


def token_bytes(text: str, offsets: list[Span]) -> list[Span | None]:
    """The bytes of each token without the spaces around it; `None` for spaces alone."""
    found: list[Span | None] = []
    for start, end in offsets:
        part = text[start:end]
        if not part.strip():
            found.append(None)
            continue
        start, end = start + len(part) - len(part.lstrip()), end - len(part) + len(part.rstrip())
        found.append((len(text[:start].encode()), len(text[:end].encode())))
    return found
