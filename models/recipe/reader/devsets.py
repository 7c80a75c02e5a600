"""Development sets of near misses: `python -m reader.devsets --config reader.toml --qa QA --pairs PAIRS --out SETS`.

BEIR folders: every other passage loses the sentences that answer one of its questions, and whether a
question is still answerable is written beside it. Fusion and confidence are learnt on them.

Training holds out the passages of written questions and the articles of real questions that are asked here. Other texts it has seen in part, and a
reader looks better there than it is: plain texts stand after those that made questions are drawn from, but
further questions (`relations.py`) are drawn from whole sources; the parallel news of the sets across languages
were trained on with other cuts. Across languages no question holds a digit: digits are the same in both.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path
from random import Random

from encoder.settings import load
from .parallel import by_languages
from .questions import made
from .sentences import UNSPACED, sentences
from .sources import plain_texts, read_answered, title_of
from .written import passages as written_passages

Asked = tuple[str, str | None]         # a question and its answer, if there is one
Told = tuple[str, str, list[Asked]]    # title, text, questions


def without(text: str, answer: str, language: str) -> str:
    """The sentences that do not have the answer's words."""
    kept = [text[start:end] for start, end in sentences(text, language) if answer not in text[start:end]]
    return ("" if language in UNSPACED else " ").join(kept)


def write(folder: Path, language: str, told: list[Told], random: Random, settings: dict, asked_in: str = "") -> None:
    documents, queries, relevant = [], [], []
    for number, (title, text, asked) in enumerate(told, 1):
        kept, answers = text, [answer for _, answer in asked if answer]
        if number % 2 and answers:
            kept = without(text, random.choice(answers), language)
            kept = kept if len(kept) >= settings["shortest"] else text
        document = f"d{len(documents)}"
        documents.append({"_id": document, "title": title, "text": kept})
        for question, answer in asked:
            answerable, query = answer is not None and answer in kept, f"q{len(queries)}"
            answers = [answer] if answerable else []
            queries.append({"_id": query, "text": question, "lang": asked_in or language, "answers": answers, "answerable": answerable})
            if answerable:
                relevant.append(f"{query}\t{document}\t1\n")
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("corpus", documents), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(relevant))
    (folder / "dataset.json").write_text(json.dumps({"name": folder.name, "licence": "development only"}) + "\n")
    print(f"{folder.name}: {len(documents)} passages, {len(queries)} questions, {len(relevant)} answerable", flush=True)


def answered(qa: Path, out: Path, settings: dict, random: Random) -> None:
    """Real questions of the articles that training holds out."""
    groups = 0
    for source in settings["texts"]["answered"]:
        titles: dict[str, int] = {}
        contexts: dict[str, tuple[str, int, list[Asked]]] = {}
        for row in read_answered(qa / f"{source['name']}.jsonl.zst"):
            if row["context"] not in contexts:
                contexts[row["context"]] = (row["title"], titles.setdefault(row["title"], groups + len(titles)), [])
            contexts[row["context"]][2].append((row["question"], row["answers"][0]["text"]))
        groups += len(titles)
        by_group: dict[int, list[Told]] = defaultdict(list)
        for context, (title, group, asked) in contexts.items():
            if group % settings["examples"]["hold_out_one_in"] == 0:
                by_group[group].append((title, context, asked[: settings["devsets"]["questions"]]))
        told = [one for group in by_group.values() for one in group]
        write(out / f"near-{source['name']}", source["language"], told, random, settings["devsets"])


def asked_of(text: str, title: str, language: str, random: Random) -> list[Asked]:
    """A question for each sentence, where its answer's words stand once in the passage."""
    found = []
    for start, end in sentences(text, language):
        if end - start <= (12 if language in UNSPACED else 40):
            continue
        question = made(text[start:end], language, title, random)
        if question:
            answer = text[start + question[1] : start + question[2]]
            if len(answer) > 1 and text.count(answer) == 1:
                found.append((question[0], answer))
    return found


def plain(pairs: Path, out: Path, settings: dict, source: dict, random: Random) -> None:
    rows = [(title_of(pair), pair.b[: source["longest"]]) for pair in plain_texts(pairs, source)][source["skipped"] :]
    random.shuffle(rows)
    told: list[Told] = []
    for title, text in rows:
        if len(told) >= source["passages"]:
            break
        asked = asked_of(text, title, source["language"], random)
        if asked:
            told.append((title, text, random.sample(asked, min(settings["made"], len(asked)))))
    write(out / f"near-made-{source['language']}", source["language"], told, random, settings)


def written(pairs: Path, out: Path, settings: dict, random: Random) -> None:
    """Written questions of the passages that are held out, among all passages of the language."""
    told = list(written_passages(pairs))
    for asked_in, language in map(tuple, settings["devsets"]["written"]):
        rows = []
        for passage in (passage for passage in told if passage.language == language):
            asked = []
            if passage.held_out(settings["written"]["hold_out_one_in"]):
                for question in passage.questions:
                    if question.language == asked_in:
                        asked.append((question.text, question.answer and passage.text[slice(*question.answer)]))
            rows.append((passage.title, passage.text, asked))
        random.shuffle(rows)
        name = language if asked_in == language else f"{asked_in}-{language}"
        write(out / f"near-written-{name}", language, rows, random, settings["devsets"], asked_in)


def asked_across(part: list[tuple[str, str]], asked_in: str, random: Random) -> list[Asked]:
    """A question for each sentence, without digits; its answer is the sentence's translation."""
    found = []
    for here, there in part:
        question = made(here.strip(), asked_in, "", random)
        if question and len(question[0]) < 160 and len(there) > 15 and not any(map(str.isdigit, question[0])):
            found.append((question[0], there.strip()))
    return found


def parallel(pairs: Path, out: Path, settings: dict, random: Random) -> None:
    given = settings["parallel"]
    wanted, count = set(map(tuple, given["languages"])), given["sentences"]
    for (asked_in, language), rows in by_languages(pairs, given["source"]).items():
        if (asked_in, language) not in wanted:
            continue
        told: list[Told] = []
        for begin in range(0, len(rows) - count, count):
            if len(told) >= given["passages"]:
                break
            part = rows[begin : begin + count]
            asked = asked_across(part, asked_in, random)
            if asked:
                text = ("" if language in UNSPACED else " ").join(there.strip() for _, there in part)
                told.append(("", text, random.sample(asked, min(given["questions"], len(asked)))))
        write(out / f"near-news-{asked_in}-{language}", language, told, random, settings, asked_in)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m reader.devsets", description=__doc__)
    for name, what in (("config", "settings, as reader.toml"), ("qa", "real questions"), ("pairs", "text pairs"), ("out", "where the sets go")):
        parser.add_argument(f"--{name}", type=Path, required=True, help=what)
    parser.add_argument("--set", action="append", default=[], metavar="TABLE.KEY=VALUE", help="another value for a setting")
    arguments = parser.parse_args()
    settings = load(arguments.config, arguments.set)
    random = Random(settings["devsets"]["seed"])
    written(arguments.pairs, arguments.out, settings, random)
    answered(arguments.qa, arguments.out, settings, random)
    for source in settings["devsets"]["plain"]:
        plain(arguments.pairs, arguments.out, settings["devsets"], source, random)
    parallel(arguments.pairs, arguments.out, settings["devsets"], random)


if __name__ == "__main__":
    main()
