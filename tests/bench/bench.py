"""Speed of ibid against its peers on this machine, in one run whose rounds take turns.

Usage: bench.py [--out DIR] [--rounds N] [--texts FILE.jsonl] [--questions FILE.json] TASK…

  encoder    a BERT of public weights: ibid, ONNX Runtime, PyTorch, candle-transformers
  search     vectors of the bundled model: ibid, usearch, hnswlib, at recall@10 of 0.99
  scale      10,000, 100,000 and 1,000,000 vectors: building, memory, recall, time, and how each grows
  question   whole questions over HTTP to `ibid serve`, and where their time goes

TEXTS has one article a line with a `text`; `search`, `scale` and `question` want 110,000 or more.
QUESTIONS is a list of texts. Needs requirements.txt, and builds ibid first. Writes DIR/TASK.md and
DIR/TASK.svg (DIR is `bench-results`).
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import tasks

ROOT = Path(__file__).resolve().parents[2]


def built():
    """The paths of the worker and of ibid."""
    command = ["cargo", "build", "--release", "--bench", "worker", "--bin", "ibid", "--message-format=json"]
    lines = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    made = [one for one in map(json.loads, lines) if one.get("executable")]
    return [next(one["executable"] for one in made if one["target"]["name"] == name) for name in ("worker", "ibid")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("bench-results"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--questions", type=Path)
    parser.add_argument("tasks", nargs="+", choices=["encoder", "search", "scale", "question"], metavar="TASK")
    asked = parser.parse_args()
    if asked.texts is None:
        parser.error("--texts is needed")
    if "question" in asked.tasks and asked.questions is None:
        parser.error("`question` needs --questions")
    asked.out.mkdir(parents=True, exist_ok=True)
    asked.worker, asked.ibid = built()
    for name in asked.tasks:
        print(f"{name} …", file=sys.stderr)
        table = getattr(tasks, name)(asked)
        (asked.out / f"{name}.md").write_text(table)
        print(table)


if __name__ == "__main__":
    main()
