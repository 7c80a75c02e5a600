"""ibid's figures against trec_eval's own, through pytrec_eval, on one run file.

Usage: trec_eval.py IBID SET...   (each SET a BEIR folder; needs pytrec-eval-terrier)
"""

import csv
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import pytrec_eval

NAMES = {
    "ndcg@10": "ndcg_cut_10", "recall@1": "recall_1", "recall@5": "recall_5", "recall@10": "recall_10",
    "recall@100": "recall_100", "map": "map",
}


def grades(folder: Path) -> dict[str, dict[str, int]]:
    found = defaultdict(dict)
    with (folder / "qrels.tsv").open(encoding="utf-8") as rows:
        for question, document, grade in list(csv.reader(rows, delimiter="\t"))[1:]:
            found[question][document] = int(grade)
    return {question: judged for question, judged in found.items() if any(grade > 0 for grade in judged.values())}


def ranking(file: Path) -> dict[str, dict[str, float]]:
    found = defaultdict(dict)
    for line in file.read_text(encoding="utf-8").splitlines():
        question, _, document, _, score, _ = line.split(" ")
        found[question][document] = float(score)
    return found


def reference(judged: dict, run: dict) -> dict[str, float]:
    measures = {"ndcg_cut.10", "recall.1,5,10,100", "map", "recip_rank"}
    scores = pytrec_eval.RelevanceEvaluator(judged, measures).evaluate({question: run.get(question, {}) for question in judged})
    mean = lambda name: sum(scores.get(question, {}).get(name, 0.0) for question in judged) / len(judged)  # noqa: E731
    figures = {ours: mean(theirs) for ours, theirs in NAMES.items()}
    # trec_eval cuts a reciprocal rank at no depth: one below a tenth came from beyond the tenth document.
    ranks = [scores.get(question, {}).get("recip_rank", 0.0) for question in judged]
    figures["mrr@10"] = sum(rank for rank in ranks if rank >= 0.1 - 1e-9) / len(judged)
    return figures


def main() -> int:
    binary, folders = sys.argv[1], [Path(name) for name in sys.argv[2:]]
    wrong = 0
    for folder in folders:
        for mode in ("hybrid", "dense", "lexical"):
            with tempfile.TemporaryDirectory() as out:
                subprocess.run([binary, "eval", str(folder), "--mode", mode, "--out", out, "--quiet"], check=True)
                (section,) = json.loads((Path(out) / "metrics.json").read_text()).values()
                theirs = reference(grades(folder), ranking(Path(out) / "run.trec"))
            for name, figure in theirs.items():
                ours = section["metrics"][name]
                same = abs(ours - figure) < 5e-5
                wrong += not same
                print(f"{'same' if same else 'WRONG'}  {folder.name} {mode} {name}: ibid {ours:.6f}, trec_eval {figure:.6f}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
