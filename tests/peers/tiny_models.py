"""Writes tiny random encoders of each architecture and what the reference makes of them.

    pip install torch transformers sentence-transformers
    python3 tests/peers/tiny_models.py tests/fixtures

Each model is saved as sentence-transformers saves any, with the parts that public models of its kind
have; `NAME.golden.json` beside it holds texts and their vectors. Run once, by hand: the tests read
what it wrote.
"""

import json
import sys
from pathlib import Path

import torch
import transformers
from sentence_transformers import CrossEncoder, SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

TEXTS = [
    "Who runs the market?",
    "夜市在河边的城。",
    "",
    "The night market by the river closes at ten; stalls that stay open longer pay a fee, said the office.",
    "河边夜市十点收摊，晚收的摊位要交费。" * 40,
    "a",
]
COMMON = {"vocab_size": 400, "hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 4, "max_position_embeddings": 160}
SHARED = {"num_key_value_heads": 2, "head_dim": 16, "intermediate_size": 56}


def tokenizer(first: str, last: str) -> PreTrainedTokenizerFast:
    """Bytes, so that every text has tokens; special ones as the family puts them."""
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    made = Tokenizer(models.BPE())
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=COMMON["vocab_size"], special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    made.train_from_iterator(TEXTS, trainer)
    single = f"{first} $A {last}".strip()
    pair = f"{first} $A {last} {last} $B {last}".strip()
    made.post_processor = processors.TemplateProcessing(
        single=single, pair=pair, special_tokens=[(token, made.token_to_id(token)) for token in {first, last} if token]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", pad_token="<pad>", eos_token="</s>", unk_token="<unk>", sep_token="</s>",
        cls_token="<s>", model_max_length=128, padding_side="right",
    )


def scattered(model: torch.nn.Module) -> torch.nn.Module:
    """Weights large enough that every part of the model counts, norms and biases included."""
    torch.manual_seed(7)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            spread = 0.4 if weight.dim() > 1 else 0.2
            weight.add_(torch.randn_like(weight) * spread)
    return model.eval()


def kinds() -> dict:
    positions = COMMON | {"max_position_embeddings": 162}
    return {
        "tiny-xlm-roberta": (
            transformers.XLMRobertaModel,
            transformers.XLMRobertaConfig(**positions, intermediate_size=56, type_vocab_size=1, pad_token_id=1),
            ("<s>", "</s>"), "cls", [],
        ),
        "tiny-modernbert": (
            transformers.ModernBertModel,
            transformers.ModernBertConfig(**COMMON, intermediate_size=40, local_attention=12, global_attn_every_n_layers=3, pad_token_id=1),
            ("<s>", "</s>"), "mean", [],
        ),
        "tiny-qwen3": (
            transformers.Qwen3Model,
            transformers.Qwen3Config(**COMMON, **SHARED, pad_token_id=1),
            ("", "</s>"), "lasttoken", [],
        ),
        "tiny-gemma3": (
            transformers.Gemma3TextModel,
            transformers.Gemma3TextConfig(
                **COMMON, **SHARED, sliding_window=16, sliding_window_pattern=3, query_pre_attn_scalar=24,
                use_bidirectional_attention=True, pad_token_id=1,
            ),
            ("<s>", "</s>"), "mean", [(32, 48), (48, 24)],
        ),
    }


def save(folder: Path, name: str, kind: type, config: object, ends: tuple, pooling: str, dense: list) -> None:
    torch.manual_seed(3)
    scratch = folder / name / "scratch"
    scattered(kind(config)).save_pretrained(scratch)
    tokenizer(*ends).save_pretrained(scratch)
    transformer = Transformer(str(scratch))
    parts = [transformer, Pooling(32, pooling_mode=pooling)]
    parts += [scattered(Dense(width, to, bias=False, activation_function=torch.nn.Identity())) for width, to in dense]
    model = SentenceTransformer(modules=parts + [Normalize()], device="cpu", prompts={"query": "query: ", "document": ""})
    vectors = model.encode(TEXTS, batch_size=1, prompt="")
    model.save(str(folder / name))
    for file in sorted(scratch.rglob("*"), reverse=True):
        file.unlink()
    scratch.rmdir()
    rows = [{"text": text, "vector": [round(float(number), 7) for number in vector]} for text, vector in zip(TEXTS, vectors)]
    (folder / f"{name}.golden.json").write_text(json.dumps(rows, ensure_ascii=False))


def save_reranker(folder: Path, name: str) -> None:
    config = transformers.XLMRobertaConfig(
        **COMMON | {"max_position_embeddings": 162}, intermediate_size=56, type_vocab_size=1, pad_token_id=1, num_labels=1
    )
    torch.manual_seed(5)
    scattered(transformers.XLMRobertaForSequenceClassification(config)).save_pretrained(folder / name)
    tokenizer("<s>", "</s>").save_pretrained(folder / name)
    scorer = CrossEncoder(str(folder / name), device="cpu")
    pairs = [(TEXTS[0], TEXTS[3]), (TEXTS[1], TEXTS[4]), (TEXTS[0], TEXTS[1]), (TEXTS[3], TEXTS[0]), ("a", "")]
    scores = scorer.predict(pairs, batch_size=1, activation_fn=torch.nn.Sigmoid())
    rows = [{"question": a, "text": b, "score": round(float(score), 7)} for (a, b), score in zip(pairs, scores)]
    (folder / f"{name}.golden.json").write_text(json.dumps(rows, ensure_ascii=False))


def main() -> None:
    folder = Path(sys.argv[1])
    for name, parts in kinds().items():
        save(folder, name, *parts)
    save_reranker(folder, "tiny-reranker")


main()
