"""All passages and questions that the reader is trained on."""

import pickle
from pathlib import Path

from tokenizers import Tokenizer
from tqdm import tqdm

from .parallel import add_parallel
from .sources import add_answered, add_plain, add_related
from .texts import Texts
from .written import add_written


def prepare(tokenizer: Tokenizer, qa: Path, pairs: Path, settings: dict, kept: Path) -> Texts:
    """Real, made and written questions; what takes long is made once and kept in `kept`."""
    texts = Texts(tokenizer, settings["input"], settings["texts"])
    if kept.exists():
        texts.passages, texts.questions, texts.groups = pickle.loads(kept.read_bytes())
    else:
        add_all(texts, qa, pairs, settings["texts"])
        part = kept.with_suffix(".part")
        part.write_bytes(pickle.dumps((texts.passages, texts.questions, texts.groups)))
        part.rename(kept)
    add_written(texts, pairs, settings["written"]["hold_out_one_in"])
    return texts


def add_all(texts: Texts, qa: Path, pairs: Path, given: dict) -> None:
    """Real questions, and made ones, from QA and PAIRS."""
    steps = [(add_answered, qa, one) for one in given["answered"]] + [(add_plain, pairs, one) for one in given["plain"]]
    for add, folder, one in tqdm(steps, desc="texts", unit="source"):
        add(texts, folder, one)
    for name in given["parallel"]["sources"]:
        add_parallel(texts, pairs, name, given["parallel"])
    for one in tqdm(given["related"], desc="further questions", unit="source"):
        add_related(texts, pairs, one)
