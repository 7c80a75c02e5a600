"""The pieces that the student keeps, and the tokenizer over them.

A piece is kept for the language in which its share is largest, so that small languages keep theirs.
"""

import json
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path
from random import Random

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from tqdm import tqdm

from recipe.pairs import read, sources

from .network import BEGIN, END
from .teacher import Teacher

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]


def tokenizer(teacher: Teacher, kept: np.ndarray) -> Tokenizer:
    """Unigram over the kept pieces, with the teacher's scores."""
    unknown = float(teacher.scores.min()) - 10
    vocabulary = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", unknown)]
    vocabulary += [(teacher.pieces[piece], float(teacher.scores[piece])) for piece in kept[len(SPECIAL) :]]
    made = Tokenizer(models.Unigram(vocabulary, unk_id=3, byte_fallback=False))
    made.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()])
    made.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    made.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B:0 </s>", special_tokens=[("<s>", BEGIN), ("</s>", END)]
    )
    made.add_special_tokens(SPECIAL)
    return made


def counted(teacher: Teacher, pairs: Path, settings: dict, seed: int) -> dict[str, Counter[int]]:
    """How often each piece occurs, by language, in a sample of every source."""
    whole, random = tokenizer(teacher, np.arange(len(teacher.pieces))), Random(seed)
    counts: dict[str, Counter[int]] = defaultdict(Counter)
    for path in tqdm(sources(pairs, []), desc="pieces", unit="source"):
        rows = list(read(path))
        random.shuffle(rows)
        taken: Counter[str] = Counter()
        texts, languages = [], []
        for pair in rows:
            most = settings["dictionary_characters" if pair.kind == "dict" else "characters"]
            for text, language in ((pair.a, pair.la), (pair.b, pair.lb)):
                if taken[language] <= most:
                    texts.append(text[: settings["longest"]])
                    languages.append(language)
                    taken[language] += len(texts[-1])
        for encoding, language in zip(whole.encode_batch_fast(texts, add_special_tokens=False), languages, strict=True):
            counts[language].update(encoding.ids)
    return counts


def in_scripts(piece: str, scripts: tuple[str, ...]) -> bool:
    return all(not letter.isalpha() or unicodedata.name(letter, "").startswith(scripts) for letter in piece.replace("▁", ""))


def choose(teacher: Teacher, counts: dict[str, Counter[int]], settings: dict) -> np.ndarray:
    """Numbers of the kept pieces, in the teacher's order."""
    shares: Counter[int] = Counter()
    for count in counts.values():
        total = count.total()
        if total >= settings["fewest_tokens"]:
            for piece, times in count.items():
                if times >= settings["seen"]:
                    shares[piece] = max(shares[piece], times / total)
    letters = [piece for piece in shares if len(teacher.pieces[piece].lstrip("▁")) <= 1]
    scripts = tuple(settings["scripts"])
    others = (piece for piece in range(len(SPECIAL), len(teacher.pieces)) if in_scripts(teacher.pieces[piece], scripts))
    order = [*range(len(SPECIAL)), *letters, *(piece for piece, _ in shares.most_common()), *others]
    return np.array(sorted(list(dict.fromkeys(order))[: settings["kept"]]))


def prepare(teacher: Teacher, pairs: Path, settings: dict, seed: int, work: Path) -> tuple[np.ndarray, Tokenizer]:
    """The kept pieces and their tokenizer, made once and kept in `work`."""
    kept = work / "pieces.json"
    if not kept.exists():
        kept.write_text(json.dumps(choose(teacher, counted(teacher, pairs, settings, seed), settings).tolist()))
    chosen = np.array(json.loads(kept.read_text()))
    return chosen, tokenizer(teacher, chosen)
