"""The one command: questions and passages → training → `reader/` and the question classifier in the model folder.

Each step is kept in WORK and resumed: the same command goes on where it was stopped.
"""

import argparse
from pathlib import Path

import torch
from tokenizers import Tokenizer

from encoder.repack import repack
from encoder.settings import load, with_changes

from . import asking, check, export, network, noise, sources, switch
from .examples import Examples
from .texts import Texts
from .train import Trainer


TABLE = Path(__file__).parents[2] / "static-multilingual"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m reader", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="settings, as reader.toml")
    parser.add_argument("--encoder", type=Path, required=True, help="the encoder's model folder")
    parser.add_argument("--qa", type=Path, required=True, help="folder of real questions with answers, <source>.jsonl.zst")
    parser.add_argument("--pairs", type=Path, required=True, help="folder of text pairs, <source>.jsonl.zst")
    parser.add_argument("--table", type=Path, default=TABLE, help="the static model's folder, for tokens in other languages")
    parser.add_argument("--work", type=Path, required=True, help="kept between runs: delete it to begin anew")
    parser.add_argument("--out", type=Path, required=True, help="the model folder; an encoder from elsewhere is written there in 8 bits")
    parser.add_argument("--set", action="append", default=[], metavar="TABLE.KEY=VALUE", help="another value for a setting")
    parser.add_argument("--check", action="store_true", help="compare the exported reader with the trained one")
    parser.add_argument("--golden", type=Path, help="write golden outputs for ibid's tests")
    arguments = parser.parse_args()
    settings, work = load(arguments.config, arguments.set), arguments.work
    work.mkdir(parents=True, exist_ok=True)
    if arguments.out.resolve() != arguments.encoder.resolve():
        repack(arguments.encoder, arguments.out)

    tokenizer = Tokenizer.from_file(str(arguments.encoder / "tokenizer.json"))
    passages, questions = sources.prepare(tokenizer, arguments.qa, arguments.pairs, settings, work / "texts.pkl")
    other = noise.prepare(arguments.pairs, settings["noise"], work / "noise.json")
    texts = Texts(tokenizer, settings["input"], settings["texts"])
    unasked = [texts.ids(text, settings["input"]["question_tokens"]) for text in other]
    unasked = [ids for ids in unasked if len(ids)]

    torch.manual_seed(settings["train"]["seed"])
    reader = network.begin(arguments.encoder, settings["train"]["layers"], settings["matching"], settings["train"]["dropout"])
    for run in settings["runs"]:
        own = with_changes(settings, run)
        switcher = None
        if run["switched"]:
            tables = switch.prepare(tokenizer, arguments.table, arguments.pairs, own["switch"], work / "switch.npz")
            switcher = switch.Switch(tables, own["switch"])
        examples = Examples(passages, questions, unasked, settings["input"], own["examples"], switcher)
        counts = {"real": examples.real, "made": examples.made, "further": examples.further, "held out": examples.held_out}
        print(f"{run['name']}:", ", ".join(f"{len(some)} {name}" for name, some in counts.items()), flush=True)
        (work / run["name"]).mkdir(exist_ok=True)
        reader = Trainer(reader, examples, own["train"], work / run["name"]).run()
    export.write(reader, settings["input"], arguments.out)

    answered, classifier = settings["texts"]["answered"], settings["classifier"]
    asked = asking.questions(tokenizer, arguments.qa, arguments.pairs, examples.made, answered, classifier)
    question = asking.learn(arguments.encoder, asked, asking.distinct(other), classifier)
    asking.write(question, arguments.out / "parameters.json")
    if arguments.check or arguments.golden:
        check.check(arguments.out, work / run["name"] if arguments.check else None, arguments.golden)


if __name__ == "__main__":
    main()
