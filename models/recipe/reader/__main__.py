"""The one command: questions and passages → training → `reader/` and the question classifier in the model folder.

Each step is kept in WORK and resumed: the same command goes on where it was stopped.
"""

import argparse
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from encoder.repack import repack
from encoder.settings import load, with_changes

from . import asking, check, export, network, noise, switch
from .examples import Examples
from .prepare import prepare
from .train import Trainer


def chosen(runs: list[dict], names: list[str] | None) -> list[dict]:
    found = [run for run in runs if not names or run["name"] in names]
    if not found:
        raise SystemExit(f"no run named {names}; there are {[run['name'] for run in runs]}")
    return found


def settings_of(run: dict, settings: dict) -> dict:
    """The settings with those of the run that this one is like, and with its own."""
    like = next((other for other in settings["runs"] if other["name"] == run.get("like")), None)
    return with_changes(settings_of(like, settings) if like else settings, run)


def trained(work: Path, run: str) -> dict[str, Tensor]:
    """The parameters at the end of a run."""
    return torch.load(work / run / "checkpoint.pt", map_location="cpu")["reader"]


def mean(states: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of runs that began alike (Wortsman et al. 2022, "Model soups")."""
    return {name: torch.stack([state[name].float() for state in states]).mean(0) for name in states[0]}


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
    parser.add_argument("--begin", type=Path, metavar="MODEL", help="begin with the reader of a model folder")
    parser.add_argument("--run", action="append", metavar="NAME", help="only this run of the settings; may be repeated")
    parser.add_argument("--train-only", action="store_true", help="export nothing: other runs are still to come")
    parser.add_argument("--set", action="append", default=[], metavar="TABLE.KEY=VALUE", help="another value for a setting")
    parser.add_argument("--check", action="store_true", help="compare the exported reader with the trained one")
    parser.add_argument("--golden", type=Path, help="write golden outputs for ibid's tests")
    arguments = parser.parse_args()
    settings, work = load(arguments.config, arguments.set), arguments.work
    work.mkdir(parents=True, exist_ok=True)
    if arguments.out.resolve() != arguments.encoder.resolve():
        repack(arguments.encoder, arguments.out)

    tokenizer = Tokenizer.from_file(str(arguments.encoder / "tokenizer.json"))
    texts = prepare(tokenizer, arguments.qa, arguments.pairs, settings, work / "texts.pkl")
    other = noise.prepare(arguments.pairs, settings["noise"], work / "noise.json")
    unasked = [texts.ids(text, settings["input"]["question_tokens"]) for text in other]
    unasked = [ids for ids in unasked if len(ids)]

    torch.manual_seed(settings["train"]["seed"])
    dropout = settings["train"]["dropout"]
    if arguments.begin:
        reader = network.load(arguments.begin, dropout)
    else:
        reader = network.begin(arguments.encoder, settings["train"]["layers"], settings["matching"], dropout)
    start = {name: tensor.clone() for name, tensor in reader.own().items()}
    for run in chosen(settings["runs"], arguments.run):
        own = settings_of(run, settings)
        if "begin" in own:
            reader.load_own(start if arguments.begin else trained(work, own["begin"]))
        switcher = None
        if own["switched"]:
            tables = switch.prepare(tokenizer, arguments.table, arguments.pairs, own["switch"], work / "switch.npz")
            switcher = switch.Switch(tables, own["switch"])
        examples = Examples(texts.passages, texts.questions, unasked, settings["input"], own["examples"], switcher)
        counts = {"real": examples.real, "made": examples.made, "further": examples.further, "written": examples.written, "held out": examples.held_out}
        print(f"{run['name']}:", ", ".join(f"{len(some)} {name}" for name, some in counts.items()), flush=True)
        (work / run["name"]).mkdir(exist_ok=True)
        reader = Trainer(reader, examples, own["train"], work / run["name"]).run()
    if arguments.train_only:
        return
    reader.load_own(mean([trained(work, name) for name in settings["export"]["mean_of"]]))
    export.write(reader, settings["input"], arguments.out)

    answered, classifier = settings["texts"]["answered"], settings["classifier"]
    asked = asking.questions(tokenizer, arguments.qa, arguments.pairs, examples.made, answered, classifier)
    question = asking.learn(arguments.encoder, asked, asking.distinct(other), classifier)
    asking.write(question, arguments.out / "parameters.json")
    if arguments.check or arguments.golden:
        check.check(arguments.out, reader if arguments.check else None, arguments.golden)


if __name__ == "__main__":
    main()
