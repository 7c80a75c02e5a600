"""Training: which of eight passages answers, for real and made questions, in the languages of the table's tokens."""

import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from tqdm import tqdm

from .likeness import LANGUAGES, Likeness
from .reader import Reader, angles, compared, inputs, of_passages
from .texts import Tokens

LENGTH = 224
"""Tokens of a question, a title and a passage together."""
NEAR_ONES, HARD = 48, 20
"""Passages near a question in the mean, and those of them that match best by tokens."""


class Trainer:
    def __init__(self, tokens: Tokens, likeness: Likeness, settings: dict, seed: int, device: str):
        torch.manual_seed(seed)
        self.likeness, self.settings, self.device = likeness, settings, device

        def shifted(rows):
            return torch.from_numpy(rows.astype(np.int64) + 1).to(device)

        self.passages, self.titles, self.questions = shifted(tokens.passages), shifted(tokens.titles), shifted(tokens.questions)
        self.answers, self.groups = torch.from_numpy(tokens.answers).to(device), torch.from_numpy(tokens.groups).to(device)
        self.spans = torch.from_numpy(tokens.spans).to(device)
        real = torch.from_numpy(tokens.real)
        self.real, self.made = real.nonzero()[:, 0].to(device), (~real).nonzero()[:, 0].to(device)
        self.hard = self.hardest()
        self.reader = Reader(settings, likeness.rows.shape[1]).to(device)
        self.shares = torch.tensor(settings["translated_into"], device=device).cumsum(0)

    def means(self, rows):
        weighed = [(self.likeness.rows[some] * self.likeness.says[some][..., None]).sum(1) for some in rows.split(4096)]
        return functional.normalize(torch.cat(weighed), dim=1)

    @torch.no_grad()
    def hardest(self):
        """For each question the wrong passages of its group that match it best, the best first."""
        hard = torch.zeros(len(self.questions), HARD, dtype=torch.long, device=self.device)
        of_passages, of_questions = self.means(self.passages), self.means(self.questions)
        asked_in = self.groups[self.answers]
        for group in tqdm(torch.unique(asked_in).tolist(), desc="wrong answers", unit="group"):
            members, asked = (self.groups == group).nonzero()[:, 0], (asked_in == group).nonzero()[:, 0]
            for some in asked.split(256):
                near = members[(of_questions[some] @ of_passages[members].T).topk(min(NEAR_ONES, len(members)), 1).indices]
                beside = self.answers[some][:, None] + torch.tensor([-2, -1, 1, 2], device=self.device)
                both = torch.cat([beside.clamp(members[0], members[-1]), near], 1)
                told = torch.cat([self.titles[both], self.passages[both]], -1)
                best = self.likeness.cosines[self.questions[some][:, None, :, None], told[:, :, None, :]].amax(3)
                by_tokens, same, _ = compared(self.likeness, self.questions[some], best)
                score = by_tokens + 0.6 * same
                score[both == self.answers[some][:, None]] = -9
                order = both.sort(1)
                again = torch.zeros_like(both, dtype=torch.bool)
                again.scatter_(1, order.indices[:, 1:], order.values[:, 1:] == order.values[:, :-1])
                score[again] = -8
                count = min(HARD, both.shape[1])
                hard[some, :count] = both.gather(1, score.topk(count, 1).indices)
                hard[some, count:] = torch.randint(len(self.passages), (len(some), HARD - count), device=self.device)
        return hard

    def lists(self):
        """Questions of a batch, and passages for each: the right one, hard ones, and some of its group."""
        batch, each, easy = (self.settings[name] for name in ("batch", "passages", "easy"))
        count = int(batch * self.settings["real"])
        of = lambda some, many: some[torch.randint(len(some), (many,), device=self.device)]  # noqa: E731
        asked = torch.cat([of(self.real, count), of(self.made, batch - count)])
        chance = torch.rand(batch, HARD, device=self.device) + torch.linspace(1.2, 0, HARD, device=self.device)
        hard = self.hard[asked].gather(1, chance.topk(each - 1 - easy, 1).indices)
        answers, last = self.answers[asked], self.hard[asked, -1:]
        low = torch.searchsorted(self.groups, self.groups[answers])
        high = torch.searchsorted(self.groups, self.groups[answers], right=True)
        some = low[:, None] + (torch.rand(batch, easy, device=self.device) * (high - low)[:, None]).long()
        return asked, torch.cat([answers[:, None], hard, torch.where(some == answers[:, None], last, some)], 1)

    def varied(self, questions, titles, passages):
        """Tokens in other words, and lists in other languages: the same token by the same one within a list."""
        count, device, noise = len(questions), self.device, self.settings["noise"]
        by_list = lambda values, rows: values.view((-1,) + (1,) * (rows.dim() - 1))  # noqa: E731
        chance = lambda share: torch.rand(count, device=device) < share  # noqa: E731

        def mixed(rows, seed):
            return (rows * 2654435761 + by_list(seed, rows) * 40503) % 1000003

        def reworded(rows, seed, share):
            hashed = mixed(rows, seed)
            moves = (hashed * 7919 % 100003 / 100003.0 < by_list(share, rows)) & (rows > 0)
            return torch.where(moves, self.likeness.near[rows, hashed * 104729 % 8], rows)

        def in_language(rows, seed, language):
            third = mixed(rows, seed) * 104729 % 11
            chosen = torch.where(third < 7, 0, torch.where(third < 9, 1, 2))
            language = by_list(language, rows).expand_as(rows)
            return torch.where(language >= 0, self.likeness.translations[language.clamp_min(0), rows, chosen], rows)

        def language():
            return torch.searchsorted(self.shares, torch.rand(count, device=device)).clamp_max(len(LANGUAGES) - 1)

        seeds = torch.randint(1 << 20, (2, count), device=device)
        questions = reworded(questions, seeds[0], torch.rand(count, device=device) * 0.6 * chance(noise))
        less = torch.rand(count, device=device) * 0.4 * chance(noise * 0.6)
        titles = reworded(titles, seeds[1], less) * chance(0.7).view(-1, 1, 1)
        passages = reworded(passages, seeds[1], less)
        moved = chance(self.settings["translated"])
        told_in = torch.where(moved, language(), -1)
        other = torch.where(chance(0.3), -1, language())
        asked_in = torch.where(moved & chance(self.settings["across"]), other, told_in)
        told_in = torch.where(chance(0.1), -1, told_in)
        return in_language(questions, seeds[1], asked_in), in_language(titles, seeds[1], told_in), in_language(passages, seeds[1], told_in)

    def loss(self, run, asked, chosen):
        each = self.settings["passages"]
        texts = self.varied(self.questions[asked], self.titles[chosen], self.passages[chosen])
        ids, features, kinds, places, by_tokens, same = inputs(self.likeness, *texts, LENGTH)
        number = torch.bfloat16 if self.device == "cuda" else torch.float32
        cosines, sines = (one.to(number) for one in angles(LENGTH, self.device))
        with torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.device == "cuda"):
            scores = run(self.likeness.rows[ids].to(number), features.to(number), kinds, ids > 0, cosines, sines)
        read = of_passages(scores, kinds).view(-1, each)
        both = read + self.reader.beside[0] * by_tokens + self.reader.beside[1] * same
        right = torch.zeros(len(asked), dtype=torch.long, device=self.device)
        alone = functional.binary_cross_entropy_with_logits(read + self.reader.shift, functional.one_hot(right, each).float())
        # Where the sentence that answers is known, it should be the one that scores.
        first = slice(None, None, each)
        span, place = self.spans[asked], places[first]
        inside = (place >= span[:, :1]) & (place < span[:, 1:])
        known = inside.any(1)
        told = scores[first].masked_fill(kinds[first] != 2, -30.0)
        there = torch.logsumexp(told, 1) - torch.logsumexp(told.masked_fill(~inside, -60.0), 1)
        there = (there * known).sum() / known.sum().clamp_min(1)
        found = (both.argmax(1) == 0).float().mean()
        return functional.cross_entropy(both, right) + 0.3 * functional.cross_entropy(read, right) + 0.3 * alone + 0.2 * there, found

    def run(self) -> dict[str, torch.Tensor]:
        """Trains for the seconds that the settings give; the weights' moving mean."""
        named = dict(self.reader.named_parameters())
        matrices = [one for name, one in named.items() if one.dim() == 2 and name != "kinds"]
        others = [one for name, one in named.items() if one.dim() < 2 or name == "kinds"]
        groups = [{"params": matrices, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(groups, lr=self.settings["rate"], betas=(0.9, 0.98))
        run = torch.compile(self.reader, dynamic=False) if self.device == "cuda" else self.reader
        mean = {name: one.detach().clone() for name, one in named.items()}
        began, step, progress = time.monotonic(), 0, tqdm(desc="steps", unit="step")
        while (share := (time.monotonic() - began) / self.settings["seconds"]) < 1:
            for group in optimizer.param_groups:
                group["lr"] = self.settings["rate"] * min(1, (step + 1) / 200) * (1 - share)
            loss, found = self.loss(run, *self.lists())
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(self.reader.parameters(), 1.0)
            optimizer.step()
            keep = min(0.999, (step + 1) / (step + 20))
            torch._foreach_mul_(list(mean.values()), keep)
            torch._foreach_add_(list(mean.values()), [one.detach() for one in named.values()], alpha=1 - keep)
            step += 1
            progress.update()
            if step % 100 == 0:
                progress.set_postfix(loss=f"{loss.item():.3f}", found=f"{found.item():.3f}")
        return mean
