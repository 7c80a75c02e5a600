"""Writes a tiny BERT with 8-bit weights and a reader beside it, and what both make of some texts.

    pip install numpy safetensors tokenizers torch
    python3 tests/peers/tiny_reader.py tests/fixtures

Weights are stored as `compressed-tensors` stores them: `NAME.weight` in I8, `NAME.weight_scale` a row. The golden file
is computed here from these weights alone, in 32-bit floats. Run once, by hand: the tests read what it wrote.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

HIDDEN, INNER, HEADS, LAYERS, POSITIONS, VOCABULARY = 32, 64, 4, 2, 256, 320
LIMITS = {"question_tokens": 8, "context_tokens": 6, "passage_tokens": 48}
EDGES = [-0.1, 0.1, 0.3, 0.99]
PREFIX = "passage: "

PASSAGES = [
    ("Night market", ["The night market by the river closes at ten. ", "Stalls that stay open longer pay a fee, ", "said the office."]),
    ("", ["夜市在河边的城。", "河边夜市十点收摊，晚收的摊位要交费。", "Ｗｈｏ ｒｕｎｓ ｉｔ？ The office does."]),
    ("Fees " * 9, ["a"]),
    ("河边", ["  ", "One long sentence about stalls, fees, the river and the city. " * 4, "河边夜市十点收摊。"]),
    ("", []),
]
QUESTIONS = ["When does the market close?", "晚收的摊位要交什么？", ""]


def tokenizer(folder: Path) -> Tokenizer:
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=VOCABULARY, special_tokens=["<s>", "<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
    )
    made.train_from_iterator([context for context, _ in PASSAGES] + ["".join(s) for _, s in PASSAGES] + QUESTIONS + [PREFIX], trainer)
    made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    made.save(str(folder / "tokenizer.json"))
    return made


class Weights:
    """Random weights: `stored` as the file has them, `plain` multiplied out."""

    def __init__(self, seed: int):
        self.random, self.stored, self.plain = np.random.default_rng(seed), {}, {}

    def floats(self, name: str, *shape: int, spread: float = 0.1, around: float = 0.0, kind: type = np.float32) -> None:
        self.stored[name] = (around + spread * self.random.standard_normal(shape)).astype(kind)
        self.plain[name] = torch.from_numpy(self.stored[name].astype(np.float32))

    def codes(self, name: str, rows: int, width: int, flat: bool = False) -> None:
        whole = self.random.standard_normal((rows, width)).astype(np.float32) * (0.06 if "attention.output" in name else 0.25)
        scale = (np.abs(whole).max(axis=1, keepdims=True) / 120).astype(np.float16)
        codes = np.clip(np.rint(whole / scale.astype(np.float32)), -128, 127).astype(np.int8)
        self.stored[f"{name}.weight"], self.stored[f"{name}.weight_scale"] = codes, scale[:, 0] if flat else scale
        self.plain[f"{name}.weight"] = torch.from_numpy(codes.astype(np.float32) * scale.astype(np.float32))

    def linear(self, name: str, outputs: int, inputs: int) -> None:
        self.codes(name, outputs, inputs, flat=name.endswith("key"))
        self.floats(f"{name}.bias", outputs)

    def norm(self, name: str) -> None:
        self.floats(f"{name}.weight", HIDDEN, around=1.0)
        self.floats(f"{name}.bias", HIDDEN)

    def bert(self, token_types: int) -> None:
        self.floats("embeddings.position_embeddings.weight", POSITIONS, HIDDEN, kind=np.float16)
        self.floats("embeddings.token_type_embeddings.weight", token_types, HIDDEN, spread=0.5)
        self.norm("embeddings.LayerNorm")
        for layer in range(LAYERS):
            name = f"encoder.layer.{layer}"
            for part in ["query", "key", "value"]:
                self.linear(f"{name}.attention.self.{part}", HIDDEN, HIDDEN)
            self.linear(f"{name}.attention.output.dense", HIDDEN, HIDDEN)
            self.norm(f"{name}.attention.output.LayerNorm")
            self.linear(f"{name}.intermediate.dense", INNER, HIDDEN)
            self.linear(f"{name}.output.dense", HIDDEN, INNER)
            self.norm(f"{name}.output.LayerNorm")

    def save(self, file: Path) -> None:
        save_file(self.stored, file, metadata={"format": "pt"})


def forward(weights: dict, words: torch.Tensor, ids: list[int], types: list[int]) -> torch.Tensor:
    """BERT's last hidden states of one text."""
    linear = lambda x, name: torch.nn.functional.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])
    norm = lambda x, name: torch.nn.functional.layer_norm(x, (HIDDEN,), weights[f"{name}.weight"], weights[f"{name}.bias"], 1e-12)
    positions = weights["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(words[ids] + positions + weights["embeddings.token_type_embeddings.weight"][types], "embeddings.LayerNorm")
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        heads = [linear(x, f"{name}.attention.self.{part}").view(len(ids), HEADS, -1).transpose(0, 1) for part in ["query", "key", "value"]]
        context = torch.nn.functional.scaled_dot_product_attention(*heads).transpose(0, 1).reshape(len(ids), HIDDEN)
        x = norm(x + linear(context, f"{name}.attention.output.dense"), f"{name}.attention.output.LayerNorm")
        wide = torch.nn.functional.gelu(linear(x, f"{name}.intermediate.dense"))
        x = norm(x + linear(wide, f"{name}.output.dense"), f"{name}.output.LayerNorm")
    return x


def places(text: str, offsets: list[tuple[int, int]]) -> list[tuple[int, int] | None]:
    """Each token's characters without the spaces around them."""
    found = []
    for begin, end in offsets:
        part = text[begin:end]
        found.append((begin + len(part) - len(part.lstrip()), end - len(part) + len(part.rstrip())) if part.strip() else None)
    return found


def ranges(sentences: list[str], first: int = 0) -> list[tuple[int, int]]:
    ends = np.cumsum([first] + [len(sentence) for sentence in sentences]).tolist()
    return list(zip(ends, ends[1:]))


def of_sentences(found: list, sentences: list[tuple[int, int]]) -> list[list[int]]:
    return [[at for at, place in enumerate(found) if place and begin <= place[0] < end] for begin, end in sentences]


def bytes_of(text: str, begin: int, end: int) -> list[int]:
    return [len(text[:begin].encode()), len(text[:end].encode())]


def unit(rows: torch.Tensor) -> list[float] | None:
    return torch.nn.functional.normalize(rows.mean(0), dim=0).tolist() if len(rows) else None


def embedded(tokens: Tokenizer, encoder: Weights, context: str, sentences: list[str]) -> dict:
    text = "".join(sentences)
    before = PREFIX + (context + "\n" if context else "")
    encoding = tokens.encode(before + text)
    found = places(before + text, encoding.offsets)
    found = [None if special else place for place, special in zip(found, encoding.special_tokens_mask)]
    rows = forward(encoder.plain, encoder.plain["embeddings.word_embeddings.weight"], encoding.ids, [0] * len(encoding.ids))
    split = of_sentences(found, ranges(sentences, len(before)))
    return {"vector": unit(rows), "sentences": [unit(rows[one]) for one in split]}


def cosines(words: torch.Tensor, ids: list[int], first: int) -> torch.Tensor:
    """Of each two tokens on different sides; -1 for others and for special tokens."""
    rows = torch.nn.functional.normalize(words[ids], dim=1)
    word = torch.tensor(ids) >= 4
    side = torch.arange(len(ids)) >= first
    can = word[:, None] & word[None, :] & (side[:, None] != side[None, :])
    return (rows @ rows.T).masked_fill(~can, -1.0)


def matched(found: torch.Tensor, first: int) -> list[int]:
    """A type for each token: the side on which it stands, and its greatest cosine with a token of the other side."""
    side = torch.arange(len(found)) >= first
    return (torch.bucketize(found.max(1).values, torch.tensor(EDGES)) + (len(EDGES) + 1) * side).tolist()


def coverage(tokens: Tokenizer, found: torch.Tensor, ids: list[int], own: list[int]) -> float:
    """The share of the question's information, its tokens `ids`, that the tokens `own` match."""
    pieces = json.loads(tokens.to_str())["model"]["vocab"]
    counts = [min(max(-score, 0), 16) if at >= 4 and any(map(str.isalnum, piece)) else 0 for at, (piece, score) in enumerate(pieces)]
    weights = torch.tensor([counts[one] for one in ids])
    if not own or weights.sum() == 0:
        return 0.0
    return ((weights * found[: len(ids), own].max(1).values.clamp(min=0)).sum() / weights.sum()).item()


def reading(tokens: Tokenizer, encoder: Weights, reader: Weights, question: str, context: str, sentences: list[str]) -> dict:
    text = "".join(sentences)
    cut = lambda text, limit: tokens.encode(text, add_special_tokens=False).ids[: LIMITS[limit]]
    passage = tokens.encode(text, add_special_tokens=False)
    count = min(len(passage.ids), LIMITS["passage_tokens"])
    head = [0] + cut(question, "question_tokens") + [2]
    before = head + cut(context, "context_tokens")
    ids = before + passage.ids[:count] + [2]
    plain = reader.plain
    similar = cosines(encoder.plain["embeddings.word_embeddings.weight"] - plain["matching.mean"], ids, len(head))
    types = matched(similar, len(head))
    covered = lambda own: coverage(tokens, similar, head, own)
    rows = forward(plain, encoder.plain["embeddings.word_embeddings.weight"], ids, types)
    linear = lambda x, name: torch.nn.functional.linear(x, plain[f"{name}.weight"], plain[f"{name}.bias"])
    spans, scores = linear(rows, "span"), linear(rows, "sentence")[:, 0]
    found = places(text, passage.offsets[:count])
    made = []
    for own in of_sentences(found, ranges(sentences)):
        if not own:
            made.append(None)
            continue
        at = lambda token: len(before) + token
        pairs = [(i, j) for i in range(len(own)) for j in range(i, min(i + 30, len(own)))]
        logit = lambda pair: (spans[at(own[pair[0]]), 0] + spans[at(own[pair[1]]), 1]).item()
        best = max(pairs, key=logit)
        span = bytes_of(text, found[own[best[0]]][0], found[own[best[1]]][1])
        mine = [at(one) for one in own]
        made.append({"logit": scores[mine].mean().item(), "span": span, "span_logit": logit(best), "coverage": covered(mine)})
    answerable = linear(torch.tanh(linear(rows[:1], "answerable.dense")), "answerable.out").item()
    whole = covered(list(range(len(head), len(ids))))
    return {"answerable": answerable, "no_span": spans[0].sum().item(), "coverage": whole, "sentences": made}


def main() -> None:
    folder = Path(sys.argv[1]) / "tiny-reader"
    (folder / "reader").mkdir(parents=True, exist_ok=True)
    (folder / "1_Pooling").mkdir(exist_ok=True)
    tokens = tokenizer(folder)
    words = tokens.get_vocab_size()
    config = {
        "model_type": "bert", "architectures": ["BertModel"], "hidden_size": HIDDEN, "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS, "intermediate_size": INNER, "hidden_act": "gelu", "max_position_embeddings": POSITIONS,
        "type_vocab_size": 2, "vocab_size": words, "layer_norm_eps": 1e-12, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2,
    }
    group = {"targets": ["Linear", "Embedding"], "weights": {"num_bits": 8, "type": "int", "symmetric": True, "strategy": "channel"}}
    quantized = {"quant_method": "compressed-tensors", "format": "naive-quantized", "config_groups": {"group_0": group}}
    write = lambda name, value: (folder / name).write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")
    write("config.json", config | {"quantization_config": quantized})
    write("reader/config.json", config | LIMITS | {"type_vocab_size": 2 * (len(EDGES) + 1), "matching": {"edges": EDGES, "first_word": 4}, "quantization_config": quantized})
    part = lambda at, path, kind: {"idx": at, "name": str(at), "path": path, "type": f"sentence_transformers.models.{kind}"}
    write("modules.json", [part(0, "", "Transformer"), part(1, "1_Pooling", "Pooling")])
    write("1_Pooling/config.json", {"word_embedding_dimension": HIDDEN, "pooling_mode_mean_tokens": True})
    write("config_sentence_transformers.json", {"prompts": {"query": "query: ", "passage": PREFIX}})
    encoder, reader = Weights(11), Weights(12)
    encoder.codes("embeddings.word_embeddings", words, HIDDEN)
    encoder.bert(2)
    reader.bert(2 * (len(EDGES) + 1))
    reader.floats("matching.mean", 1, HIDDEN, spread=0.05)
    for name, outputs in [("answerable.dense", HIDDEN), ("answerable.out", 1), ("span", 2), ("sentence", 1)]:
        reader.floats(f"{name}.weight", outputs, HIDDEN, spread=0.3)
        reader.floats(f"{name}.bias", outputs)
    encoder.save(folder / "model.safetensors")
    reader.save(folder / "reader" / "model.safetensors")
    golden = {"passages": [], "readings": []}
    for context, sentences in PASSAGES:
        text = "".join(sentences)
        passage = {"context": context, "text": text, "ranges": [bytes_of(text, *one) for one in ranges(sentences)]}
        golden["passages"].append(passage | embedded(tokens, encoder, context, sentences))
    for question in QUESTIONS:
        read = [reading(tokens, encoder, reader, question, *passage) for passage in PASSAGES]
        golden["readings"].append({"question": question, "passages": read})
    rounded = json.loads(json.dumps(golden), parse_float=lambda number: round(float(number), 6))
    (folder.parent / "tiny-reader.golden.json").write_text(json.dumps(rounded, ensure_ascii=False))


main()
