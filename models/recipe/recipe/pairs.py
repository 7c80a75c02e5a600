"""Pair files: `<source>.jsonl.zst`, one object a line with `a`, `b`, `la`, `lb`, `kind`."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import zstandard


@dataclass(frozen=True, slots=True)
class Pair:
    a: str
    b: str
    la: str
    lb: str
    kind: str


def sources(folder: Path, left_out: list[str]) -> list[Path]:
    """The pair files in the order of their names."""
    found = sorted(path for path in folder.glob("*.jsonl.zst") if name_of(path) not in left_out)
    if not found:
        raise SystemExit(f"no `*.jsonl.zst` in `{folder}`")
    return found


def name_of(path: Path) -> str:
    return path.name.removesuffix(".jsonl.zst")


def read(path: Path) -> Iterator[Pair]:
    """Every pair of one file; a line that is no pair stops the run and is named."""
    with path.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as stream:
        for number, line in enumerate(io.TextIOWrapper(stream, encoding="utf-8"), 1):
            try:
                record = json.loads(line)
                yield Pair(record["a"], record["b"], record["la"], record["lb"], record["kind"])
            except (KeyError, TypeError, ValueError) as error:
                raise SystemExit(f"{path}:{number}: no pair: {error!r}") from error
