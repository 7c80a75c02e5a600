"""What the student is trained on: the teacher's vectors, the right pair among others, the teacher's similarities."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, kl_div, log_softmax, normalize, softmax

from .texts import TRANSLATED

IMPOSSIBLE = -1e4


def goals(a: Tensor, b: Tensor, kind: str) -> tuple[Tensor, Tensor]:
    """What the student's vectors should be: the teacher's, and for translations the middle of its two."""
    if kind in TRANSLATED:
        middle = normalize(a + b, dim=-1)
        return middle, middle
    return a, b


def distance(found: Tensor, goal: Tensor) -> Tensor:
    return (1 - (found * goal).sum(1)).mean()


def contrast(similar: Tensor, goal: Tensor, duplicate: float) -> Tensor:
    """Symmetric InfoNCE; other pairs whose second side says the same are no negatives."""
    right = torch.arange(len(similar), device=similar.device)
    same = goal @ goal.T > duplicate
    same.fill_diagonal_(False)
    scores = similar.masked_fill(same, IMPOSSIBLE)
    return (cross_entropy(scores, right) + cross_entropy(scores.T, right)) / 2


def divergence(similar: Tensor, wanted: Tensor) -> Tensor:
    """How far the student's similarities within the batch are from the teacher's, in both directions."""
    forth = kl_div(log_softmax(similar, 1), softmax(wanted, 1), reduction="batchmean")
    back = kl_div(log_softmax(similar.T, 1), softmax(wanted.T, 1), reduction="batchmean")
    return forth + back


def losses(student: tuple[Tensor, Tensor], teacher: tuple[Tensor, Tensor], kind: str, settings: dict) -> dict[str, Tensor]:
    """Each loss by its name, without its weight."""
    (a, b), (goal_a, goal_b) = student, goals(*teacher, kind)
    similar = a @ b.T / settings["temperature"]
    found = {"cosine": distance(a, goal_a) + distance(b, goal_b), "contrast": contrast(similar, goal_b, settings["duplicate"])}
    if kind not in TRANSLATED:
        found["similarities"] = divergence(similar, teacher[0] @ teacher[1].T / settings["temperature"])
    return found
