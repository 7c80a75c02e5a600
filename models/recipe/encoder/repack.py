"""A folder of floats in 8 bits: `python -m encoder.repack SOURCE OUT`."""

import sys
from pathlib import Path

from . import folder
from .network import Shape


def repack(source: Path, out: Path) -> None:
    shape = Shape.of(folder.config_of(source))
    folder.write(folder.tensors(source), shape, (source / "tokenizer.json").read_text(), out)


if __name__ == "__main__":
    repack(Path(sys.argv[1]), Path(sys.argv[2]))
