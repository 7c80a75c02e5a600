"""The scores that ibid's tests hold its reader to: `python -m reading.golden MODEL GOLDEN.json`.

Written apart from the training, from the exported weights alone, one passage at a time.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch.nn.functional import gelu, layer_norm, normalize, scaled_dot_product_attention

QUESTION = "Сколько мест на ночном рынке?"
TEXTS = [
    "南门夜市在2024年5月搬到河边，共有312个摊位。摊主多是本地居民。",
    "换灯以后，夜市一年省电四万度，换灯的钱由电力公司先垫付。",
    "The lighthouse was built in the 18th century and holds a small museum.",
]
SHARES = 12.0


def scores(folder: Path, question: str, texts: list[str]) -> list[float]:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    table, weights = load_file(folder / "model.safetensors"), load_file(folder / "reader" / "model.safetensors")
    weights = {name: tensor.float() for name, tensor in weights.items()}
    config = json.loads((folder / "reader" / "config.json").read_text())
    width, layers = config["hidden_size"], config["num_hidden_layers"]
    rows = table["embeddings"].float()
    says = rows.norm(dim=1) * table["weights"]
    says, rows = says / says[says > 0].mean(), normalize(rows, dim=1)

    def norm(some: torch.Tensor, name: str) -> torch.Tensor:
        return layer_norm(some, (width,), weights[f"{name}.weight"], None, config["norm_eps"])

    def turned(some: torch.Tensor) -> torch.Tensor:
        speeds = config["global_rope_theta"] ** (-torch.arange(0, 64, 2) / 64)
        angles = (torch.arange(some.shape[1])[:, None] * speeds).repeat(1, 2)
        return some * angles.cos() + torch.cat([-some[..., 32:], some[..., :32]], -1) * angles.sin()

    asked, *told = (torch.tensor(tokenizer.encode(text, add_special_tokens=False).ids) for text in [question, *texts])
    cosines = [(rows[asked] @ rows[text].T).clamp_min(0) for text in told]
    held = torch.stack([one.amax(1) ** 2 for one in cosines]).mean(0).clamp_min(0.02)
    shares = says[asked] * torch.log1p(1 / held) ** 0.5
    shares = (shares / shares.sum() * SHARES).clamp_max(3)
    found = []
    for text, cosine in zip(told, cosines, strict=True):
        nearest, best, none = cosine.amax(1), cosine.amax(0), torch.zeros(len(text))
        of_question = [nearest, says[asked], shares, (nearest > 0.98).float(), torch.zeros(len(asked)), torch.ones(len(asked))]
        of_text = [best, says[text], none, (best > 0.98).float(), (cosine * shares[:, None]).amax(0), none]
        features = torch.cat([torch.stack(of_question, 1), torch.stack(of_text, 1)])
        kinds = torch.tensor([0] * len(asked) + [1] * len(text))
        hidden = torch.cat([rows[torch.cat([asked, text])], features], 1) @ weights["begin.weight"].T
        hidden = norm(hidden + weights["embeddings.tok_embeddings.weight"][kinds], "embeddings.norm")
        for layer in (f"layers.{number}" for number in range(layers)):
            normed = hidden if layer == "layers.0" else norm(hidden, f"{layer}.attn_norm")
            parts = (normed @ weights[f"{layer}.attn.Wqkv.weight"].T).view(len(hidden), 3, -1, 64).permute(1, 2, 0, 3)
            mixed = scaled_dot_product_attention(turned(parts[0])[None], turned(parts[1])[None], parts[2][None])[0]
            hidden = hidden + mixed.transpose(0, 1).reshape(len(hidden), width) @ weights[f"{layer}.attn.Wo.weight"].T
            inner, gate = (norm(hidden, f"{layer}.mlp_norm") @ weights[f"{layer}.mlp.Wi.weight"].T).chunk(2, -1)
            hidden = hidden + (gelu(inner) * gate) @ weights[f"{layer}.mlp.Wo.weight"].T
        by_token = norm(hidden, "final_norm") @ weights["score.weight"]
        found.append(torch.logsumexp(by_token[len(asked) :], 0).item())
    return found


if __name__ == "__main__":
    written = {"question": QUESTION, "texts": TEXTS, "scores": scores(Path(sys.argv[1]), QUESTION, TEXTS)}
    Path(sys.argv[2]).write_text(json.dumps(written, ensure_ascii=False, indent=1) + "\n")
