"""The one command: teacher → pieces → pairs as tokens → distillation → model folder, each step kept and resumed."""

import argparse
from pathlib import Path

import torch

from . import folder, measure, pieces, settings, teacher, texts
from .batches import Drawer
from .train import Trainer

PROMPTS = {"query": "query: ", "passage": "passage: "}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m encoder", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="settings, as encoder.toml")
    parser.add_argument("--teacher", type=Path, required=True, help=f"folder with `{teacher.FILE}`")
    parser.add_argument("--pairs", type=Path, required=True, help="folder of text pairs, <source>.jsonl.zst")
    parser.add_argument("--benchmarks", type=Path, nargs="*", default=[], help="BEIR folders, measured on the way")
    parser.add_argument("--work", type=Path, required=True, help="kept between runs: delete it to begin anew")
    parser.add_argument("--out", type=Path, required=True, help="the model folder to write")
    parser.add_argument("--set", action="append", default=[], metavar="TABLE.KEY=VALUE", help="another value for a setting")
    arguments = parser.parse_args()
    given = settings.load(arguments.config, arguments.set)
    arguments.work.mkdir(parents=True, exist_ok=True)
    seed = given["seed"]
    torch.manual_seed(seed)

    source = teacher.read(arguments.teacher)
    kept, tokenizer = pieces.prepare(source, arguments.pairs, given["pieces"], seed, arguments.work)
    pairs = texts.prepare(arguments.pairs, tokenizer, given["texts"], seed, arguments.work / "pairs")
    prompts = {name: tokenizer.encode(prompt, add_special_tokens=False).ids for name, prompt in PROMPTS.items()}
    drawer = Drawer(pairs, prompts, given["batches"], seed)
    print(f"{len(kept)} pieces, {len(pairs.kind)} pairs in {len(drawer.groups)} groups", flush=True)

    student = source.network(kept, given["train"]["layers"])
    trainer = Trainer(source.network(kept), student, drawer, given["train"], arguments.work)
    trainer.run(lambda network: measure.recalls(network, tokenizer, arguments.benchmarks))
    folder.write(student.state_dict(), student.shape, tokenizer.to_str(), arguments.out)


if __name__ == "__main__":
    main()
