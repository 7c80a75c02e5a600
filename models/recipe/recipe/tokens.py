"""The loss of tokens: each token of a question finds the nearest of a passage's.

ibid ranks by such comparisons, so the table is trained for them beside its means. Tokens have one
row wherever they stand: a batch's cosines are one product of the rows that its texts use, and what
remains is to look up, for each token and each passage, the best of the passage's columns.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import normalize

MOST_AT_ONCE = 200_000_000
"""Numbers that are looked up together: what fits into memory beside the rest."""


@dataclass(slots=True)
class Places:
    """Where the tokens of a batch stand among the rows that it uses."""

    asked: np.ndarray
    """Rows that questions use."""
    owners: np.ndarray
    """The question of each token of all questions,"""
    tokens: np.ndarray
    """and its place in `asked`."""
    told: np.ndarray
    """Rows that passages use."""
    passages: np.ndarray
    """Passages × their tokens, as places in `told`; shorter ones are filled with one place beyond."""


def places(questions: list[np.ndarray], passages: list[np.ndarray], used: np.ndarray) -> Places:
    """`used` holds, in order, every token of the batch."""
    asked, tokens = np.unique(np.searchsorted(used, np.concatenate(questions)), return_inverse=True)
    told, flat = np.unique(np.searchsorted(used, np.concatenate(passages)), return_inverse=True)
    sizes = np.array([len(passage) for passage in passages])
    filled = np.full((len(passages), sizes.max()), len(told))
    filled[np.arange(sizes.max()) < sizes[:, None]] = flat
    return Places(asked, np.repeat(np.arange(len(questions)), [len(one) for one in questions]), tokens, told, filled)


def scores(rows: torch.Tensor, at: Places, questions: int) -> torch.Tensor:
    """Questions × passages: the cosines of the nearest, each weighed by its token's length; 0 to 1."""
    to = lambda places: torch.from_numpy(places).to(rows.device)  # noqa: E731
    lengths, units = rows.norm(dim=1), normalize(rows, dim=1)
    with torch.autocast(rows.device.type, dtype=torch.bfloat16, enabled=rows.is_cuda):
        cosines = units[to(at.asked)] @ units[to(at.told)].T
    cosines = torch.cat([cosines, cosines.new_full((len(cosines), 1), -1.0)], 1)
    nearest = cosines.gather(1, best(cosines.detach(), to(at.passages))).float().clamp_min(0)
    weights = lengths[to(at.asked)][:, None]
    ones = torch.ones(len(at.tokens), device=rows.device)
    counts = torch.sparse_coo_tensor(torch.stack([to(at.owners), to(at.tokens)]), ones, (questions, len(at.asked))).coalesce()
    return torch.sparse.mm(counts, weights * nearest) / torch.sparse.mm(counts, weights).clamp_min(1e-9)


def best(cosines: torch.Tensor, passages: torch.Tensor) -> torch.Tensor:
    """For each row and each passage the column of the passage's highest cosine."""
    found, flat = [], passages.reshape(-1)
    for part in cosines.split(max(1, MOST_AT_ONCE // len(flat))):
        nearest = part[:, flat].view(-1, *passages.shape).argmax(2)
        found.append(passages.expand(len(part), *passages.shape).gather(2, nearest[:, :, None])[:, :, 0])
    return torch.cat(found)
