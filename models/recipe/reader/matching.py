"""Token types that say how well each token is matched by one of the other side, as ibid's reader computes them.

A token's match is its greatest cosine with a word of the other side (question or passage), over the word embeddings
without their mean (an aligned embedding as an input feature: Chen et al. 2017, arXiv:1704.00051, section 3.2).
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

NOTHING = -1.0  # what a token matches where nothing can


class TokenMatcher(nn.Module):
    """Types from 0 for the question's tokens, from `types_of_side` for the passage's."""

    def __init__(self, hidden: int, edges: list[float], first_word: int):
        super().__init__()
        self.first_word = first_word
        self.register_buffer("edges", torch.tensor(edges), persistent=False)
        self.register_buffer("mean", torch.zeros(1, hidden))

    @property
    def types_of_side(self) -> int:
        return len(self.edges) + 1

    def begin(self, words: Tensor) -> None:
        """Takes the mean of the word embeddings, `[words, hidden]`."""
        self.mean.copy_(words[self.first_word :].mean(0, keepdim=True))

    @torch.no_grad()
    def forward(self, words: Tensor, ids: Tensor, sides: Tensor, keep: Tensor) -> Tensor:
        """`ids`, `sides` (1 after the question) and `keep` (false at padding) are `[examples, tokens]`, as the types."""
        rows, word = normalize(words[ids] - self.mean, dim=-1), (ids >= self.first_word) & keep
        asked = int((sides == 0).sum(1).max())
        possible = ((sides == 0) & word)[:, :asked, None] & ((sides == 1) & word)[:, None, :]
        cosines = torch.bmm(rows[:, :asked], rows.transpose(1, 2)).float().masked_fill(~possible, NOTHING)
        best = torch.where(sides == 1, cosines.amax(1), NOTHING)
        best[:, :asked] = torch.where(sides[:, :asked] == 0, cosines.amax(2), best[:, :asked])
        return torch.bucketize(best, self.edges) + self.types_of_side * sides
