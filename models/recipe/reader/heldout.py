"""How well the reader knows near misses of real questions that it is not trained on."""

from random import Random

import numpy as np
import torch

from .batches import collate
from .examples import Examples
from .losses import sentence_logits
from .network import Reader, half

SEED, QUESTIONS, AT_ONCE = 5, 400, 32


def auroc(positive: np.ndarray, negative: np.ndarray) -> float:
    """The probability that one of `positive` is above one of `negative`."""
    ranks = np.concatenate([positive, negative]).argsort().argsort() + 1.0
    count = len(positive)
    return float((ranks[:count].sum() - count * (count + 1) / 2) / (count * len(negative)))


@torch.no_grad()
def measure(reader: Reader, examples: Examples, device: torch.device) -> dict[str, float]:
    """AUROC of passages that answer against the same without the answer; the right sentence first."""
    random, drawn = Random(SEED), []
    for question in random.sample(examples.held_out, min(QUESTIONS, len(examples.held_out))):
        pair = (examples.answering(question, random), examples.missing("without", question, random))
        if all(pair):
            drawn += pair
    drawn.sort(key=len)
    scores, answers, right = [], [], []
    training = reader.training
    reader.eval()
    for begin in range(0, len(drawn), AT_ONCE):
        batch = collate(drawn[begin : begin + AT_ONCE]).tensors(device)
        with half(device):
            answerable, _, sentence = reader(batch["ids"], batch["sides"], batch["keep"])
        best = sentence_logits(sentence, batch)[:, 1:].argmax(1) + 1
        scores.append(answerable.cpu().numpy())
        answers.append(batch["answers"].cpu().numpy() > 0.5)
        right.append((best == batch["gold"]).cpu().numpy())
    reader.train(training)
    score, answer = np.concatenate(scores), np.concatenate(answers)
    return {"auroc": auroc(score[answer], score[~answer]), "sentence_first": float(np.concatenate(right)[answer].mean())}
