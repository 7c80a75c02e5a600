"""Training of the reader: seeded, resumed from its last checkpoint, on a CPU or a GPU."""

import json
import time
from contextlib import closing
from pathlib import Path

import torch
from torch.nn.utils import clip_grad_norm_

from encoder.ahead import ahead
from .batches import Batch, Pools
from .examples import Examples
from .heldout import measure
from .losses import losses
from .network import HEADS, Reader, half

FADING = 0.98  # of the averages that are shown


class Trainer:
    def __init__(self, reader: Reader, examples: Examples, settings: dict, work: Path):
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        if self.device.type == "cpu" and settings["threads"]:
            torch.set_num_threads(settings["threads"])
        self.reader, self.examples, self.settings = reader.to(self.device).train(), examples, settings
        self.checkpoint, self.log = work / "checkpoint.pt", work / "training.jsonl"
        if settings["compile"]:
            for layer in reader.encoder.layer:
                layer.compile(dynamic=True)
        body, heads = [], []
        reader.freeze(settings["frozen"])
        for name, parameter in reader.named_parameters():
            if parameter.requires_grad:
                new = name.split(".")[0] in HEADS or "token_type" in name
                (heads if new else body).append(parameter)
        groups = [{"params": body, "times": 1.0}, {"params": heads, "times": settings["heads_rate"]}]
        rate, decay = settings["rate"], settings["weight_decay"]
        self.optimizer = torch.optim.AdamW(groups, lr=rate, weight_decay=decay, betas=(0.9, 0.98), fused=True)
        self.parameters = body + heads
        self.step, self.pool, self.taken, self.seconds, self.tokens, self.saved = 0, 0, 0, 0.0, 0, -1
        self.averages, self.weight = torch.zeros(4), 0.0

    def progress(self) -> float:
        steps = self.settings["steps"]
        return self.step / steps if steps else self.seconds / self.settings["seconds"]

    def done(self) -> bool:
        stop = self.settings["stop"]
        return self.progress() >= 1 or bool(stop and self.step >= stop)

    def learn(self, batch: Batch) -> None:
        warm, left = min(1, (self.step + 1) / self.settings["warm_up"]), 1 - self.progress()
        rate = self.settings["rate"] * warm * left ** self.settings["decay"]
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["times"]
        tensors = batch.tensors(self.device)
        with half(self.device):
            found = self.reader(tensors["ids"], tensors["sides"], tensors["keep"])
        answerable, span, sentence = losses(found, tensors)
        loss = answerable + self.settings["span"] * span + self.settings["sentence"] * sentence
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        right = ((found[0] > 0) == (tensors["answers"] > 0.5)).float().mean()
        self.averages = FADING * self.averages.to(self.device) + (1 - FADING) * torch.stack([answerable, span, sentence, right]).detach()
        self.weight = FADING * self.weight + (1 - FADING)
        self.step += 1
        self.tokens += int(batch.keep.sum())

    def run(self) -> Reader:
        """Trains to the end; goes on where a run stopped."""
        if self.checkpoint.exists():
            self.restore()
        pools = Pools(self.examples, self.settings["tokens"], self.settings["seed"])
        begun, before = time.monotonic(), (self.seconds, self.tokens)
        with closing(ahead(pools.make, self.pool, self.settings["workers"])) as coming:
            while not self.done():
                batches = next(coming)
                for batch in batches[self.taken :]:
                    if self.done():
                        break
                    self.learn(batch)
                    self.taken += 1
                    now = time.monotonic() - begun
                    self.seconds = before[0] + now
                    if self.step % self.settings["show_every"] == 0:
                        self.show((self.tokens - before[1]) / now)
                    if self.step % self.settings["save_every"] == 0:
                        self.save()
                else:
                    self.pool, self.taken = self.pool + 1, 0
        if self.saved != self.step:
            self.save()
        return self.reader

    def show(self, throughput: float) -> None:
        means = dict(zip(("answerable", "span", "sentence", "right"), (self.averages / self.weight).tolist(), strict=True))
        shown = " ".join(f"{name} {value:.3f}" for name, value in means.items())
        print(f"[{self.seconds:6.0f} s] step {self.step}: {shown}; {throughput:,.0f} tokens a second", flush=True)

    def save(self) -> None:
        part = self.checkpoint.with_suffix(".part")
        torch.save(
            {
                "reader": self.reader.own(), "optimizer": self.optimizer.state_dict(), "random": torch.get_rng_state(),
                "cuda_random": torch.cuda.get_rng_state_all(), "averages": self.averages.cpu(), "weight": self.weight,
                **{name: getattr(self, name) for name in ("step", "pool", "taken", "seconds", "tokens")},
            },
            part,
        )
        part.rename(self.checkpoint)
        line = {"step": self.step, "seconds": round(self.seconds), **measure(self.reader, self.examples, self.device)}
        with self.log.open("a") as log:
            log.write(json.dumps(line) + "\n")
        print(line, flush=True)
        self.saved = self.step

    def restore(self) -> None:
        kept = torch.load(self.checkpoint, map_location=self.device)
        self.reader.load_own(kept["reader"])
        self.optimizer.load_state_dict(kept["optimizer"])
        torch.set_rng_state(kept["random"].cpu())
        if kept["cuda_random"]:
            torch.cuda.set_rng_state_all([state.cpu() for state in kept["cuda_random"]])
        self.averages, self.weight = kept["averages"], kept["weight"]
        for name in ("step", "pool", "taken", "seconds", "tokens"):
            setattr(self, name, kept[name])
        self.saved = self.step
