"""The one command: pairs → tokenizer → table → model folder, each step kept and resumed."""

import argparse
import tomllib
from pathlib import Path

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
    switcher = Switcher(arguments.pairs, settings["encode"]["left_out"], tokenizer, settings["batches"]["switched"])
    sampler = Sampler(sources, tokenizer, switcher, settings["batches"], settings["seed"])
    trainer = Trainer(sampler, encode.rarity(sources, len(pieces)), shares, settings["train"], settings["seed"])
    trainer.run(arguments.work, lambda table: measure.all_scores(table, benchmarks))
    table = align.drawn_together(trainer.table(), align.links(sources, len(pieces), settings["align"]), settings["align"])
    tqdm.write(f"drawn together: {measure.all_scores(table, benchmarks)}")
    export.write(table, written, settings, arguments.out)


if __name__ == "__main__":
    main()
