"""What a language model wrote in a run of `ibid eval --answerer written`: figures, and sentences to be read by eye.

    python tests/peers/written_sentences.py REPORT [SENTENCES]

REPORT is the run's --out. SENTENCES of those that were shown (60), drawn evenly from all, are printed with their quotes:
whether the quotes hold them is for a reader to judge.
"""

import json
import statistics
import sys
from collections import Counter
from pathlib import Path


def main() -> None:
    report, wanted = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 60
    rows = [json.loads(line) for file in sorted(report.rglob("per_query.jsonl")) for line in file.read_text().splitlines()]
    given = [(row, row["given"]["writing"]) for row in rows if row.get("given") and row["given"].get("writing")]
    sent = [(row, writing) for row, writing in given if writing["outcome"] not in ("not_sent", "not_configured")]
    shown, faults = sum(writing["shown"] for _, writing in sent), Counter(fault for _, writing in sent for fault in writing["faults"])
    print(f"questions {len(given)}, sent {len(sent)}; outcomes {dict(Counter(writing['outcome'] for _, writing in given))}")
    print(f"sentences shown {shown} of {shown + faults.total()}; sources found for {sum(w['attributed'] for _, w in sent)}; faults {dict(faults)}")
    times = [writing["first_token_ms"] for _, writing in sent if writing["first_token_ms"]]
    print(f"marks hold in {sum(w['marks_hold'] for _, w in sent)} of {len(sent)}; first token {statistics.median(times or [0])} ms (median)")
    sentences = [(row["question"], *sentence) for row, writing in sent for sentence in writing["sentences"] if sentence[1]]
    for number in range(min(wanted, len(sentences))):
        question, text, quotes = sentences[number * len(sentences) // min(wanted, len(sentences))]
        print(f"\n{number + 1}. {question}\n   {text}")
        print("\n".join(f"   | {quote}" for quote in quotes))


if __name__ == "__main__":
    main()
