"""A classifier on the question's vector: which kind of question about the collection is it, if any?

Softmax regression with a ridge (L-BFGS). The kinds are taught with the questions of questions.toml, whose places are
filled with its words; ordinary questions are those of its part `none` and real ones of --qa and --pairs. Every fifth
wording of each kind and language is held out, so that no wording is known that is measured. The vectors are those of a
running `ibid serve`.

    python -m collection.kinds --service http://127.0.0.1:8080 --qa QA --pairs PAIRS \
        --out ../contextual-multilingual/parameters.json
"""

import argparse
import json
import re
import tomllib
from pathlib import Path
from random import Random
from urllib.request import Request, urlopen

import numpy as np
import torch

from encoder.folder import write_json
from recipe.pairs import read

QUESTIONS = Path(__file__).with_name("questions.toml")
LANGUAGES = ("zh", "en", "es", "de", "ja", "ru")
AT_ONCE = 256
FILLED = 8  # questions made of each wording
HELD_OUT = 5  # every fifth wording
RIDGE = 1e-6
TAKEN = 0.006  # of ordinary questions that are not known: share that may be taken for one about the collection
TAKEN_NEAR = 0.03  # of those that come near
SEED = 1


def filled(wording: str, words: dict, language: str, random: Random) -> str:
    """A question: its places are filled; names of authors are often Chinese, whatever the language."""

    def word(match: re.Match) -> str:
        name = match.group(1)
        chosen = language if random.random() < 0.8 or name not in "abtw" else random.choice(LANGUAGES)
        source = "a" if name == "b" else name
        return random.choice(words[source][chosen])

    return re.sub(r"\{(\w)\}", word, wording)


def made(data: dict, random: Random) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Questions with their kinds: those that teach, those that are held out."""
    teach, test = [], []
    for kind in sorted(data.keys() - {"words"}):
        for language, wordings in data[kind].items():
            for number, wording in enumerate(wordings):
                into = test if number % HELD_OUT == HELD_OUT - 1 else teach
                count = FILLED if "{" in wording else 2
                texts = {filled(wording, data["words"], language, random) for _ in range(count)}
                # Also without the mark at the end, as many are typed.
                texts |= {text.rstrip("?？。") for text in list(texts)[: max(1, count // 3)]}
                into += [(text, kind) for text in sorted(texts)]
    return teach, test


def ordinary(qa: Path, pairs: Path, each: int, random: Random) -> list[str]:
    """Real questions about what texts say."""
    import zstandard

    found = []
    for path in sorted(qa.glob("*.jsonl.zst")):
        with zstandard.open(path, "rt") as lines:
            rows = [json.loads(line)["question"] for line, _ in zip(lines, range(20_000))]
        found += random.sample(rows, min(each, len(rows)))
    for path in sorted(pairs.glob("*.jsonl.zst")):
        texts = []
        for pair in read(path):
            if pair.kind == "qa" and len(pair.a) < 120:
                texts.append(pair.a)
            if len(texts) >= 20_000:
                break
        found += random.sample(texts, min(each, len(texts)))
    return list(dict.fromkeys(found))


def vectors(service: str, texts: list[str]) -> np.ndarray:
    """Of questions, as ibid makes them."""
    found = []
    for start in range(0, len(texts), AT_ONCE):
        body = json.dumps({"input": texts[start : start + AT_ONCE], "input_type": "query"}).encode()
        request = Request(f"{service}/v1/embeddings", body, {"content-type": "application/json"})
        with urlopen(request) as response:
            found += [row["embedding"] for row in json.load(response)["data"]]
    return np.array(found)


def fit(inputs: np.ndarray, kinds: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights `[kinds, numbers]` and biases; ordinary questions weigh as much as all others together."""
    x, y = torch.tensor(inputs), torch.tensor(kinds)
    share = torch.bincount(y, minlength=count).double()
    wanted = torch.full((count,), 0.5 / (count - 1)).double()
    wanted[0] = 0.5
    balance = (wanted / share.clamp(min=1))[y]
    weights = torch.zeros(count, x.shape[1], dtype=torch.double, requires_grad=True)
    bias = torch.zeros(count, dtype=torch.double, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=400, line_search_fn="strong_wolfe", tolerance_grad=1e-7)

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        each = torch.nn.functional.cross_entropy(x @ weights.T + bias, y, reduction="none")
        total = (each * balance).sum() + RIDGE * (weights**2).sum()
        total.backward()
        return total

    optimiser.step(loss)
    return weights.detach().numpy(), bias.detach().numpy()


def probabilities(inputs: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
    logits = inputs @ weights.T + bias
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--service", required=True)
    for name in ("qa", "pairs", "out"):
        arguments.add_argument(f"--{name}", type=Path, required=True)
    arguments.add_argument("--each", type=int, default=700, help="real questions of each file")
    arguments.add_argument("--topic", type=float, default=0.88, help="cosine from which on a passage is about a topic")
    given = arguments.parse_args()
    random, data = Random(SEED), tomllib.loads(QUESTIONS.read_text())
    names = ["none", *sorted(data.keys() - {"words", "none"})]
    teach, test = made(data, random)
    real = ordinary(given.qa, given.pairs, given.each, random)
    random.shuffle(real)
    cut = len(real) * 2 // 3
    teach += [(text, "none") for text in real[:cut]]
    both = teach + test + [(text, "none") for text in real[cut:]]
    inputs = vectors(given.service, [text for text, _ in both])
    kinds = np.array([names.index(kind) for _, kind in both])
    weights, bias = fit(inputs[: len(teach)], kinds[: len(teach)], len(names))
    of_test = slice(len(teach), len(teach) + len(test))
    held, unknown = probabilities(inputs[of_test], weights, bias), probabilities(inputs[len(teach) + len(test) :], weights, bias)
    # It is about the collection by the sum of all kinds, and of the likeliest of them.
    near = 1 - held[kinds[of_test] == 0, 0]
    threshold = float(max(np.quantile(1 - unknown[:, 0], 1 - TAKEN), np.quantile(near, 1 - TAKEN_NEAR)))
    threshold = round(min(max(threshold, 0.5), 0.99), 3)
    chosen = np.where(1 - held[:, 0] >= threshold, held[:, 1:].argmax(1) + 1, 0)
    about = kinds[of_test] > 0
    print(f"{len(teach)} questions teach; held out: {about.sum()} about the collection, {(~about).sum()} near ones, {len(unknown)} real ones")
    print(f"threshold {threshold}: kind right {(chosen == kinds[of_test])[about].mean():.4f}; near ones taken {(chosen > 0)[~about].mean():.4f};")
    print(f"real ones taken {(1 - unknown[:, 0] >= threshold).mean():.4f}")
    for number, name in enumerate(names):
        own = kinds[of_test] == number
        wrong = [(both[len(teach) + at][0], names[chosen[at]]) for at in np.flatnonzero(own & (chosen != number))]
        print(f"  {name}: {own.sum()}, right {(chosen[own] == number).mean():.3f}; such as {wrong[:3]}")
    # What is kept has learnt from all of them.
    weights, bias = fit(inputs, kinds, len(names))
    part = {
        "threshold": threshold, "topic": given.topic, "kinds": names, "bias": [round(float(number), 4) for number in bias],
        "weights": [[round(float(number), 4) for number in row] for row in weights],
    }
    begun = json.loads(given.out.read_text()) if given.out.exists() else {"version": 1, "learnt": ""}
    write_json(given.out, begun | {"collection": part})


if __name__ == "__main__":
    main()
