"""The exported reader against the trained one, and golden outputs for ibid's tests.

    python -m reader.check --out MODEL --golden reader.golden.json
"""

import argparse
import json
from pathlib import Path

import torch

from .network import Reader
from .reading import Reading
from .sentences import Span

# Question, context, sentences of the passage: in Chinese, English, Spanish, and across languages.
TEXTS: list[tuple[str, str, list[str]]] = [
    (
        "青石渡口每天最后一班船几点开？", "青石渡口",
        ["青石渡口在柳湾村东面，冬天也不停航。", "头班船早上六点半开，末班船晚上九点一刻开。", "船票三元，学生半价。"],
    ),
    (
        "Who repaired the clock of the Harrow mill?", "Harrow mill",
        [
            "The mill stood idle for eleven years. ", "In 2014 a retired baker, Ines Calder, repaired its clock with parts from a tractor. ",
            "It has been slow by two minutes ever since.",
        ],
    ),
    (
        "¿Cuántas colmenas hay en el huerto de la escuela?", "",
        [
            "El huerto de la escuela ocupa media hectárea junto al río. ", "Los alumnos cuidan catorce colmenas y venden la miel en otoño. ",
            "El dinero paga las excursiones.",
        ],
    ),
    (
        "图书馆的屋顶花园什么时候开放？", "Rooftop garden of the Alder Street library",
        ["The garden was planted by volunteers. ", "It is open from April to October, on dry days only. ", "Dogs must stay downstairs."],
    ),
]
LARGEST = 1.0  # a logit that differs more is no matter of rounding to 8 bits


def ranges(sentences: list[str]) -> list[Span]:
    """The bytes of sentences that stand one after another."""
    found, begin = [], 0
    for sentence in sentences:
        end = begin + len(sentence.encode())
        found.append((begin, end))
        begin = end
    return found


def golden(reading: Reading) -> list[dict]:
    rows = []
    for question, context, sentences in TEXTS:
        text, spans = "".join(sentences), ranges(sentences)
        given = {"question": question, "context": context, "text": text, "ranges": spans}
        rows.append(given | reading.read(question, context, text, spans))
    return rows


def difference(one: Reading, other: Reading) -> float:
    """The largest difference of any logit."""
    found = []
    for question, context, sentences in TEXTS:
        text = "".join(sentences)
        pairs = zip(one.logits(question, context, text)[:3], other.logits(question, context, text)[:3], strict=True)
        found += [(a - b).abs().max() for a, b in pairs]
    return torch.stack(found).max().item()


def check(model: Path, trained: Reader | None, written: Path | None) -> None:
    exported = Reading(model)
    if trained is not None:
        largest = difference(exported, Reading(model, trained.cpu().eval()))
        print(f"exported against trained: logits differ by {largest:.4f} at most")
        if largest > LARGEST:
            raise SystemExit("the exported reader is not the trained one")
    if written is not None:
        rows = json.loads(json.dumps(golden(exported)), parse_float=lambda number: round(float(number), 6))
        written.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m reader.check", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the model folder")
    parser.add_argument("--golden", type=Path, required=True, help="a file to write golden outputs to")
    arguments = parser.parse_args()
    check(arguments.out, None, arguments.golden)


if __name__ == "__main__":
    main()
