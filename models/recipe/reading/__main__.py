"""The one command: pairs and the bundled table → questions and passages → the reader in the model's folder."""

import argparse
import tomllib
from pathlib import Path
from random import Random

import torch
from tokenizers import Tokenizer

from . import likeness, reader, texts
from .train import Trainer


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m reading", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="settings, as reader.toml")
    parser.add_argument("--pairs", type=Path, required=True, help="folder of <source>.jsonl.zst")
    parser.add_argument("--model", type=Path, required=True, help="the model folder; the reader is written into it")
    arguments = parser.parse_args()
    settings = tomllib.loads(arguments.config.read_text())
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer = Tokenizer.from_file(str(arguments.model / "tokenizer.json"))

    made = texts.Texts(tokenizer, Random(settings["seed"]))
    for name, count in settings["answered"].items():
        texts.answered(made, arguments.pairs / f"{name}.jsonl.zst", settings["languages"][name], count)
    for source in settings["told"]:
        texts.told(made, arguments.pairs / f"{source['name']}.jsonl.zst", source)
    for name in settings["translated"]["sources"]:
        texts.translated(made, arguments.pairs / f"{name}.jsonl.zst", settings["translated"]["languages"], 3)
    print(f"{len(made.passages)} passages, {len(made.questions)} questions")

    known = likeness.Likeness(arguments.model, likeness.spoken(arguments.pairs, tokenizer), likeness.unchanged(tokenizer), device)
    trainer = Trainer(texts.tokens(made, settings["tokens"]), known, settings["train"], settings["seed"], device)
    reader.export(trainer.run(), settings["train"], arguments.model / "reader")


if __name__ == "__main__":
    main()
