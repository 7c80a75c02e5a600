"""The reader: BERT over question and passage, with heads that say whether and where the passage answers."""

from pathlib import Path

import torch
from torch import Tensor, nn

from encoder import folder
from encoder.network import WORDS, Bert, Shape

from .matching import TokenMatcher

HEADS = ("answerable", "span", "sentence")
TYPES = "embeddings.token_type_embeddings.weight"


class Reader(Bert):
    """Three heads: on the first token, `answerable`; on each token, `span` (start, end) and `sentence`."""

    def __init__(self, shape: Shape, matching: dict, dropout: float = 0.0):
        super().__init__(shape, dropout)
        self.matching = TokenMatcher(shape.hidden_size, **matching)
        self.settings = matching
        self.answerable = nn.Module()
        self.answerable.dense = nn.Linear(shape.hidden_size, shape.hidden_size)
        self.answerable.out = nn.Linear(shape.hidden_size, 1)
        self.span = nn.Linear(shape.hidden_size, 2)
        self.sentence = nn.Linear(shape.hidden_size, 1)
        for head in (self.answerable.dense, self.answerable.out, self.span, self.sentence):
            nn.init.normal_(head.weight, std=0.02)
            nn.init.zeros_(head.bias)
        # The word embeddings are the encoder's, and stay so.
        self.embeddings.word_embeddings.weight.requires_grad_(False)

    def freeze(self, layers: int) -> None:
        """Keeps the embeddings and the first layers as they are, so that nothing is computed backwards through them."""
        for part in [self.embeddings, *self.encoder.layer[:layers]] if layers else []:
            part.requires_grad_(False)

    def forward(self, ids: Tensor, sides: Tensor, keep: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits: one an example, start and end of each token, one a token."""
        types = self.matching(self.embeddings.word_embeddings.weight, ids, sides, keep)
        hidden = self.hidden(ids, types, keep)
        answerable = self.answerable.out(torch.tanh(self.answerable.dense(hidden[:, 0])))[:, 0]
        return answerable.float(), self.span(hidden).float(), self.sentence(hidden)[..., 0].float()

    def own(self) -> dict[str, Tensor]:
        """What is the reader's: all but the word embeddings."""
        return {name: tensor for name, tensor in self.state_dict().items() if name != WORDS}

    def load_own(self, state: dict[str, Tensor]) -> None:
        missing = self.load_state_dict(state, strict=False)
        if missing.missing_keys != [WORDS] or missing.unexpected_keys:
            raise ValueError(f"not this reader's parameters: {missing}")


def begin(encoder: Path, layers: list[int], matching: dict, dropout: float) -> Reader:
    """A reader whose layers are some of the encoder's; all token types begin as the encoder's one."""
    config = folder.config_of(encoder)
    types = 2 * (len(matching["edges"]) + 1)
    shape = Shape.of({**config, "num_hidden_layers": len(layers), "type_vocab_size": types})
    reader, state = Reader(shape, matching, dropout), {}
    for name, tensor in folder.tensors(encoder).items():
        if not name.startswith("encoder.layer."):
            state[name] = tensor
            continue
        number, rest = name.removeprefix("encoder.layer.").split(".", 1)
        state.update({f"encoder.layer.{place}.{rest}": tensor for place, layer in enumerate(layers) if layer == int(number)})
    state[TYPES] = state[TYPES][:1].repeat(types, 1)
    missing = reader.load_state_dict(state, strict=False)
    if missing.unexpected_keys or any(name.split(".")[0] not in (*HEADS, "matching") for name in missing.missing_keys):
        raise SystemExit(f"`{encoder}` is no encoder of this kind: {missing}")
    reader.matching.begin(state[WORDS])
    return reader


def load(model: Path, dropout: float = 0.0) -> Reader:
    """The reader of an exported folder, 8-bit weights multiplied out; for use, unless it is trained on."""
    config = folder.config_of(model / "reader")
    reader = Reader(Shape.of(config), config["matching"], dropout)
    words = folder.tensors(model)[WORDS]
    reader.load_state_dict({**folder.tensors(model / "reader"), WORDS: words})
    return reader.eval()


def half(device: torch.device) -> torch.autocast:
    """Products in 16 bits, where the device has them: a processor that has not is ten times slower with them."""
    able = device.type != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return torch.autocast(device.type, torch.bfloat16, enabled=able)
