"""The one command: pairs → tokenizer → a table a run → their mean → model folder, each step kept and resumed."""

import argparse
import tomllib
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from tqdm import tqdm

from . import align, encode, export, measure, share, vocabulary
from .batches import Sampler
from .switch import Switcher
from .train import Trainer


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m recipe", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="settings, as static.toml")
    parser.add_argument("--pairs", type=Path, required=True, help="folder of <source>.jsonl.zst")
    parser.add_argument("--benchmarks", type=Path, help="folder of BEIR folders, measured on the way")
    parser.add_argument("--work", type=Path, required=True, help="kept between runs: delete it to begin anew")
    parser.add_argument("--out", type=Path, required=True, help="the model folder to write")
    arguments = parser.parse_args()
    settings = tomllib.loads(arguments.config.read_text())
    arguments.work.mkdir(parents=True, exist_ok=True)

    written = arguments.work / "tokenizer.json"
    if not written.exists():
        vocabulary.train(arguments.pairs, settings["vocabulary"], arguments.work, settings["seed"])
    tokenizer = Tokenizer.from_file(str(written))
    sources = encode.prepare(arguments.pairs, tokenizer, settings["encode"], arguments.work / "encoded")
    benchmarks = measure.load(arguments.benchmarks, tokenizer) if arguments.benchmarks else []

    pieces = [piece for piece, _ in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])]
    shares = share.matrix(pieces, settings["train"]["share_buckets"])
    rarity, links = encode.rarity(sources, len(pieces)), align.links(sources, len(pieces), settings["align"])
    mean = np.zeros((len(pieces), settings["train"]["dimensions"]), np.float32)
    for run in settings["runs"]:
        own = with_changes(settings, run)
        left_out = own["encode"]["left_out"]
        switcher = Switcher(arguments.pairs, left_out, tokenizer, own["batches"]["switched"])
        kept = [source for source in sources if source.name not in left_out]
        sampler = Sampler(kept, tokenizer, switcher, own["batches"], own["seed"])
        trainer = Trainer(sampler, rarity, shares, own["train"], own["seed"])
        trainer.run(arguments.work / run["name"], lambda table: measure.all_scores(table, benchmarks))
        table = align.drawn_together(trainer.table(), links, own["align"])
        # The first two tokens say nothing, whatever their rows.
        mean += run["weight"] * table / np.linalg.norm(table[2:], axis=1).mean()
    tqdm.write(f"averaged: {measure.all_scores(mean, benchmarks)}")
    export.write(mean, written, settings, arguments.out)


def with_changes(settings: dict, changes: dict) -> dict:
    """The settings with those of a run in their places."""
    changed = dict(settings)
    for key, value in changes.items():
        changed[key] = with_changes(settings.get(key, {}), value) if isinstance(value, dict) else value
    return changed


if __name__ == "__main__":
    main()
