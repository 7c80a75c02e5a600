"""Distillation: seeded, resumed from its last checkpoint, on a CPU or a GPU."""

import json
import math
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import torch
from torch.nn.utils import clip_grad_norm_

from .ahead import ahead
from .batches import Batch, Drawer
from .losses import losses
from .network import WORDS, Bert

FADING = 0.98  # of the averages that are shown


class Trainer:
    def __init__(self, teacher: Bert, student: Bert, drawer: Drawer, settings: dict, work: Path):
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        # Products of 32-bit floats, which are those of similarities, may be rounded to TF32.
        torch.set_float32_matmul_precision("high")
        self.teacher = teacher.to(self.device, torch.bfloat16 if self.device.type == "cuda" else torch.float32).eval().requires_grad_(False)
        self.student, self.drawer, self.settings = student.to(self.device).train(), drawer, settings
        self.checkpoint, self.log = work / "checkpoint.pt", work / "training.jsonl"
        words = [parameter for name, parameter in student.named_parameters() if name == WORDS]
        others = [parameter for name, parameter in student.named_parameters() if name != WORDS]
        groups = [{"params": words, "weight_decay": 0.0}, {"params": others, "weight_decay": settings["weight_decay"]}]
        self.optimizer = torch.optim.AdamW(groups, lr=settings["rate"], betas=(0.9, 0.98), eps=1e-6, fused=True)
        self.step, self.saved, self.averages = 0, -1, {}

    def rate(self) -> float:
        least, done = self.settings["least_rate"], self.step / self.settings["steps"]
        warm = min(1, (self.step + 1) / self.settings["warm_up"])
        return self.settings["rate"] * warm * (least + (1 - least) * 0.5 * (1 + math.cos(math.pi * done)))

    def learn(self, batch: Batch) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        with torch.autocast(self.device.type, torch.bfloat16):
            with torch.no_grad():
                teacher = tuple(side.vectors(self.teacher, self.device) for side in (batch.a, batch.b))
            student = tuple(side.vectors(self.student, self.device) for side in (batch.a, batch.b))
        found = losses(student, teacher, batch.kind, self.settings)
        weights = {**self.settings, "contrast": self.settings["contrast"][batch.kind]}
        loss = sum(weights[name] * one for name, one in found.items())
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        clip_grad_norm_(self.student.parameters(), 1.0)
        self.optimizer.step()
        for name, one in found.items():
            self.averages[name] = FADING * self.averages.get(name, one.detach()) + (1 - FADING) * one.detach()
        self.step += 1

    def run(self, measure: Callable[[Bert], dict]) -> Bert:
        """Trains to the end; goes on where a run stopped."""
        if self.checkpoint.exists():
            self.restore()
        begun, waited, tokens, places = time.monotonic(), 0.0, 0, 0
        with closing(ahead(self.drawer.draw, self.step, self.drawer.settings["workers"])) as coming:
            while self.step < self.settings["steps"]:
                asked = time.monotonic()
                batch = next(coming)
                waited += time.monotonic() - asked
                self.learn(batch)
                tokens, places = tokens + batch.tokens, places + batch.a.places() + batch.b.places()
                if self.step % self.settings["show_every"] == 0:
                    self.show(time.monotonic() - begun, waited, tokens, places)
                    begun, waited, tokens, places = time.monotonic(), 0.0, 0, 0
                if self.step % self.settings["save_every"] == 0:
                    self.save(measure)
                    begun = time.monotonic()
        if self.saved != self.step:
            self.save(measure)
        return self.student

    def show(self, seconds: float, waited: float, tokens: int, places: int) -> None:
        """Losses, and where the time goes: a good run waits for no batches and pads little."""
        shown = " ".join(f"{name} {value.item():.4f}" for name, value in self.averages.items())
        speed = f"{tokens / seconds:,.0f} tokens a second; padding {1 - tokens / places:.0%}, waiting {waited / seconds:.0%}"
        print(f"step {self.step}: {shown}; {speed}", flush=True)

    def save(self, measure: Callable[[Bert], dict]) -> None:
        part = self.checkpoint.with_suffix(".part")
        kept = {"step": self.step, "student": self.student.state_dict(), "optimizer": self.optimizer.state_dict(), "averages": self.averages}
        torch.save(kept, part)
        part.rename(self.checkpoint)
        line = {"step": self.step, **measure(self.student)}
        with self.log.open("a") as log:
            log.write(json.dumps(line) + "\n")
        print(line, flush=True)
        self.saved = self.step

    def restore(self) -> None:
        kept = torch.load(self.checkpoint, map_location=self.device)
        self.step, self.averages = kept["step"], kept["averages"]
        self.saved = self.step
        self.student.load_state_dict(kept["student"])
        self.optimizer.load_state_dict(kept["optimizer"])
