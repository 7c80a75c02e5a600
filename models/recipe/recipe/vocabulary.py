"""The tokenizer: a Unigram vocabulary over folded text, written as a plain `tokenizer.json`.

Words of scripts that write spaces begin with `▁`; Chinese, Japanese and Thai pieces never do,
so that a word has one row wherever it stands. Characters without a piece fall to their bytes.
"""

import base64
import json
import random
from collections import Counter, defaultdict
from pathlib import Path

import jieba
import sentencepiece
import wordfreq
from sentencepiece import sentencepiece_model_pb2 as proto
from tqdm import tqdm

from . import fold, pairs

SPACE = "▁"
LONGEST_HAN = 4


def is_unspaced(char: str) -> bool:
    code = ord(char)
    return fold.is_han(char) or 0x3040 <= code <= 0x30FF or 0x0E00 <= code <= 0x0EFF


def sample(folder: Path, settings: dict, path: Path, seed: int) -> Counter:
    """Writes a sample balanced by language and returns how often its folded characters occur."""
    texts = defaultdict(list)
    for source in tqdm(pairs.sources(folder, settings["left_out"]), desc="sample", unit="file"):
        for pair in pairs.read(source):
            texts[pair.la].append(pair.a)
            texts[pair.lb].append(pair.b)
    counts, generator = Counter(), random.Random(seed)
    with path.open("w", encoding="utf-8") as out:
        for language in sorted(texts):
            budget = settings["sample_megabytes"].get(language, settings["sample_megabytes"]["other"]) * 1_000_000
            generator.shuffle(texts[language])
            for text in tqdm(texts[language], desc=language, unit="text", leave=False):
                line = "".join(map(fold.fold, " ".join(text.split())[:2000]))
                budget -= len(line.encode())
                if budget < 0:
                    break
                counts.update(line)
                out.write((" ".join(jieba.cut(line)) if language == "zh" else line) + "\n")
        for language, words in settings["common_words"].items():
            write_common(out, language, words, generator)
    return counts


def write_common(out, language: str, number: int, generator: random.Random) -> None:
    """The commonest words of a language, each as often as a text of that many words has it."""
    words = wordfreq.top_n_list(language, number)
    weights = [wordfreq.word_frequency(word, language) for word in words]
    for _ in range(number // 10):
        out.write(" ".join(generator.choices(words, weights, k=100)) + "\n")
    for start in range(0, number, 100):
        out.write(" ".join(words[start : start + 100]) + "\n")


def train(folder: Path, settings: dict, work: Path, seed: int) -> None:
    """Trains the vocabulary and writes `tokenizer.json` into `work`."""
    counts = sample(folder, settings, work / "sample.txt", seed)
    fold.write_rules(work / "fold.tsv")
    common = "".join(char for char, count in counts.items() if count >= settings["character_count"] and char != " ")
    sentencepiece.SentencePieceTrainer.train(
        input=str(work / "sample.txt"), model_prefix=str(work / "unigram"), model_type="unigram",
        vocab_size=settings["pieces_trained"], normalization_rule_tsv=str(work / "fold.tsv"), required_chars=common,
        character_coverage=0.9995, byte_fallback=True, max_sentencepiece_length=14, num_threads=settings["threads"],
        shuffle_input_sentence=False, train_extremely_large_corpus=False, max_sentence_length=8000, minloglevel=1,
    )
    model = proto.ModelProto()
    model.ParseFromString((work / "unigram.model").read_bytes())
    write(model, settings["pieces"], work / "tokenizer.json")


def write(model, size: int, path: Path) -> None:
    kept = [[piece.piece, piece.score] for piece in model.pieces if piece.type == proto.ModelProto.SentencePiece.BYTE]
    scores = {}
    for piece in model.pieces:
        if piece.type == proto.ModelProto.SentencePiece.NORMAL and (text := stored(piece.piece)):
            scores[text] = max(piece.score, scores.get(text, piece.score))
    single = [piece for piece in scores if len(piece) == 1]
    longer = sorted((piece for piece in scores if len(piece) > 1), key=lambda piece: (-scores[piece], piece))
    chosen = sorted(single + longer[: size - 2 - len(kept) - len(single)], key=lambda piece: (-scores[piece], piece))
    lowest = min(scores[piece] for piece in chosen)
    vocabulary = [["<pad>", 0.0], ["<unk>", lowest - 10.0]]
    vocabulary += [[piece, lowest - 5.0] for piece, _ in kept]
    vocabulary += [[piece, round(scores[piece], 4)] for piece in chosen]
    charsmap = base64.b64encode(model.normalizer_spec.precompiled_charsmap).decode()
    path.write_text(json.dumps(tokenizer(vocabulary, charsmap), ensure_ascii=False, separators=(",", ":")))


def stored(piece: str) -> str | None:
    """The piece as the tokenizer has it: without `▁` where no spaces are written, `None` if unwanted."""
    word = piece.removeprefix(SPACE)
    if not word or not is_unspaced(word[0]):
        return piece
    return word if len(word) <= LONGEST_HAN or not any(map(fold.is_han, word)) else None


def tokenizer(vocabulary: list, charsmap: str) -> dict:
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
        "normalizer": {"type": "Sequence", "normalizers": [
            # The map is asked for one composed character at a time.
            {"type": "NFKC"},
            {"type": "Precompiled", "precompiled_charsmap": charsmap},
            {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
        ]},
        "pre_tokenizer": {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "always", "split": True},
        "post_processor": None, "decoder": None,
        "model": {"type": "Unigram", "unk_id": 1, "vocab": vocabulary, "byte_fallback": True},
    }
