"""The same vectors from every library: `python check.py MODEL [GOLDEN.json]`.

Loads the folder with Model2Vec and with sentence-transformers, compares them, and writes the
vectors of a few texts in many scripts, which ibid's own tests are held to.
"""

import json
import sys

import numpy as np
from model2vec import StaticModel
from sentence_transformers import SentenceTransformer

TEXTS = [
    "强省会的关键在于什么？", "強省會的關鍵在於產業有根、人才有家。", "Ｗｈｏ ｒｕｎｓ the Night Market?", "who runs the night market",
    "Сколько молока дают козы на хуторе?", "¿Cuántos aljibes construyeron los vecinos?", "青石駅の待合室には本棚が並んでいる。",
    "작은 도서관은 밤 열 시까지 문을 연다.", "ตลาดเปิดหกโมงเย็น", "افتُتح الجسر عام 2019", "पुल 2019 में खुला", "Η γέφυρα άνοιξε το 2019.",
    "𠮷野家 🙂 — C++ & 50% off", "a", "数" * 3000,
]


def main() -> None:
    folder = sys.argv[1]
    first = StaticModel.from_pretrained(folder).encode(TEXTS, max_length=None)
    second = SentenceTransformer(folder, device="cpu").encode(TEXTS)
    cosines = (first * second).sum(1) / np.linalg.norm(first, axis=1) / np.linalg.norm(second, axis=1)
    print(f"Model2Vec against sentence-transformers: lowest cosine {cosines.min():.6f}")
    if len(sys.argv) > 2:
        rows = [{"text": text, "vector": [round(float(value), 6) for value in vector]} for text, vector in zip(TEXTS, first, strict=True)]
        with open(sys.argv[2], "w", encoding="utf-8") as golden:
            json.dump(rows, golden, ensure_ascii=False)
    if cosines.min() < 0.9999:
        sys.exit("the two libraries do not agree")


if __name__ == "__main__":
    main()
