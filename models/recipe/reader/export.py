"""The trained reader as `reader/` in the model folder: its own parameters in 8 bits, without word embeddings."""

from pathlib import Path

from safetensors.torch import save_file

from encoder.folder import QUANTIZATION, config, packed, write_json

from .network import Reader


def write(reader: Reader, limits: dict, model: Path) -> None:
    folder = model / "reader"
    folder.mkdir(parents=True, exist_ok=True)
    save_file(packed(reader.own()), folder / "model.safetensors", {"format": "pt"})
    of_reader = {"architectures": ["Reader"], "matching": reader.settings, "quantization_config": QUANTIZATION}
    write_json(folder / "config.json", config(reader.shape, **of_reader, **limits))
