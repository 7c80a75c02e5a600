"""Model folders: safetensors with 8-bit weights as compressed-tensors lays them out, read and written.

A matrix is whole numbers of 8 bits and one scale a row: `NAME.weight` (I8) and `NAME.weight_scale`
(F32, rows × 1). transformers reads such a folder by itself. Folders of floats are read too.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from .network import Bert, Shape

QUANTIZATION = {
    "quant_method": "compressed-tensors", "format": "int-quantized", "quantization_status": "compressed",
    "ignore": [], "kv_cache_scheme": None, "global_compression_ratio": None,
    "config_groups": {
        "group_0": {
            "targets": ["Linear", "Embedding"],
            "weights": {"num_bits": 8, "type": "int", "symmetric": True, "strategy": "channel", "dynamic": False, "observer": "minmax"},
            "input_activations": None, "output_activations": None,
        }
    },
}
TOKENIZER = {
    "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>",
    "sep_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>", "model_max_length": 512,
}
MODULES = [
    {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{name}"}
    for number, (path, name) in enumerate([("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")])
]
PROMPTS = {"prompts": {"query": "query: ", "document": "passage: "}, "default_prompt_name": None, "similarity_fn_name": "cosine"}


def packed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors as they are stored: layers and word embeddings in 8 bits, other matrices F16, vectors F32."""
    stored = {}
    for name, tensor in state.items():
        tensor = tensor.detach().float().cpu()
        if tensor.dim() == 2 and ("encoder.layer" in name or "word_embeddings" in name):
            scale = tensor.abs().amax(1, keepdim=True).clamp(min=1e-8) / 127
            stored[name] = torch.round(tensor / scale).clamp(-127, 127).to(torch.int8)
            stored[f"{name}_scale"] = scale
        else:
            stored[name] = tensor.to(torch.float32 if tensor.dim() == 1 else torch.float16).contiguous()
    return stored


def tensors(folder: Path) -> dict[str, Tensor]:
    """The tensors of a folder in F32, 8-bit rows multiplied out."""
    stored = load_file(folder / "model.safetensors")
    names = [name for name in stored if not name.endswith("_scale")]
    return {name: stored[name].float() * (stored[f"{name}_scale"].float() if f"{name}_scale" in stored else 1) for name in names}


def config_of(folder: Path) -> dict:
    return json.loads((folder / "config.json").read_text())


def load(folder: Path) -> Bert:
    network = Bert(Shape.of(config_of(folder)))
    network.load_state_dict(tensors(folder))
    return network.eval()


def config(shape: Shape, **more: object) -> dict:
    """What `config.json` says of a network, with `more` beside it."""
    return {
        "architectures": ["BertModel"], "model_type": "bert", "hidden_act": "gelu", "pad_token_id": 1, "bos_token_id": 0,
        "eos_token_id": 2, "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1, "position_embedding_type": "absolute",
        **{name: getattr(shape, name) for name in Shape.__slots__}, **more,
    }


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def write(state: dict[str, Tensor], shape: Shape, tokenizer: str, folder: Path) -> None:
    """An encoder in the layout of sentence-transformers; `tokenizer` is the text of `tokenizer.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(packed(state), folder / "model.safetensors", {"format": "pt"})
    write_json(folder / "config.json", config(shape, torch_dtype="float32", quantization_config=QUANTIZATION))
    (folder / "tokenizer.json").write_text(tokenizer)
    write_json(folder / "tokenizer_config.json", TOKENIZER)
    write_json(folder / "modules.json", MODULES)
    write_json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": shape.hidden_size, "pooling_mode_mean_tokens": True})
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": shape.max_position_embeddings, "do_lower_case": False})
    write_json(folder / "config_sentence_transformers.json", PROMPTS)
