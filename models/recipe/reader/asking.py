"""A linear classifier on the question's vector: does a text ask for something?

Logistic regression, by Newton's method, both classes weighing the same. What asks: real and made
questions, titles, short questions about a name. What does not: greetings, lone words, noise.
"""

import json
import re
from pathlib import Path
from random import Random

import numpy as np
import torch
from tokenizers import Tokenizer

from encoder import folder
from encoder.folder import write_json
from encoder.network import BEGIN, END, embed
from recipe.pairs import read

from .heldout import auroc
from .sources import read_answered
from .texts import Question

CHINESE = re.compile("[\u4e00-\u9fff]")
ABOUT_CHINESE = ["{}是什么？", "{}是谁？", "{}在哪里？", "什么是{}", "{}有多长？", "{}什么时候成立？", "谁写了{}？"]
ABOUT = [
    "what is {}?", "who is {}?", "where is {}?", "when was {} founded?", "¿qué es {}?", "¿quién es {}?", "was ist {}?",
    "что такое {}?", "кто такой {}?", "qu'est-ce que {} ?", "how big is {}", "who wrote {}",
]
# The parameters of a model folder that has none.
DEFAULTS = Path(__file__).parents[3] / "config" / "parameters.json"
PROMPT, LONGEST = "query: ", 60  # tokens
SPLIT_SEED = 1


def questions(tokenizer: Tokenizer, qa: Path, pairs: Path, made: list[Question], answered: list[dict], settings: dict) -> list[str]:
    random, found = Random(settings["seed"]), []
    for source in answered:
        rows = [row["question"] for row in read_answered(qa / f"{source['name']}.jsonl.zst")]
        found += random.sample(rows, min(settings["real"], len(rows)))
    also = [pair.a for pair in read(pairs / f"{settings['also_real']}.jsonl.zst") if pair.kind == "qa" and "?" in pair.a]
    found += also[: settings["real"]]
    found += [tokenizer.decode(question.ids) for question in random.sample(made, min(settings["made"], len(made)))]
    for source in settings["titles_from"]:
        titles = [pair.a for pair in read(pairs / f"{source}.jsonl.zst") if pair.kind == "title_body"]
        for title in random.sample(titles, min(settings["titles"], len(titles))):
            chinese = CHINESE.search(title)
            if (len(title) > 7 and chinese) or len(title.split()) > 2:
                found.append(title[:80])
            elif random.random() < 0.6:
                found.append(random.choice(ABOUT_CHINESE if chinese else ABOUT).format(title))
    return distinct(found)


def distinct(texts: list[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text.strip()]


def fit(vectors: np.ndarray, asks: np.ndarray, settings: dict) -> tuple[np.ndarray, float]:
    """Weights and bias."""
    mean = vectors.mean(0)
    inputs = np.concatenate([vectors - mean, np.ones((len(vectors), 1))], 1)
    balance = np.where(asks, 0.5 / asks.mean(), 0.5 / (1 - asks.mean()))
    weights, width = np.zeros(inputs.shape[1]), vectors.shape[1]
    ridge = settings["ridge"]
    for _ in range(settings["rounds"]):
        probability = 1 / (1 + np.exp(-inputs @ weights))
        gradient = inputs.T @ ((probability - asks) * balance) / len(inputs) + ridge * np.append(weights[:width], 0)
        curvature = (inputs * (probability * (1 - probability) * balance)[:, None]).T @ inputs / len(inputs)
        weights -= np.linalg.solve(curvature + ridge * np.eye(width + 1), gradient)
    return weights[:width], float(weights[-1] - mean @ weights[:width])


def learn(model: Path, asking: list[str], other: list[str], settings: dict) -> dict:
    """The `question` part of parameters.json; prints what it is worth on texts that are held out."""
    tokenizer, network = Tokenizer.from_file(str(model / "tokenizer.json")), folder.load(model)
    network.to("cuda" if torch.cuda.is_available() else "cpu")
    prompt = tokenizer.encode(PROMPT, add_special_tokens=False).ids
    ids = [tokenizer.encode(text, add_special_tokens=False).ids[:LONGEST] for text in asking + other]
    vectors = embed(network, [[BEGIN, *prompt, *text, END] for text in ids]).double().numpy()
    asks = np.arange(len(vectors)) < len(asking)
    order = np.random.RandomState(SPLIT_SEED).permutation(len(vectors))
    kept = int((1 - settings["held_out"]) * len(order))
    train, test = order[:kept], order[kept:]
    weights, bias = fit(vectors[train], asks[train], settings)
    scores, threshold = 1 / (1 + np.exp(-(vectors[test] @ weights + bias))), settings["threshold"]
    passed, stopped = scores[asks[test]] > threshold, scores[~asks[test]] <= threshold
    print(f"{len(asking)} questions, {len(other)} others; held out: AUROC {auroc(scores[asks[test]], scores[~asks[test]]):.4f};")
    print(f"at {threshold} questions that pass {passed.mean():.4f}, others that are stopped {stopped.mean():.4f}", flush=True)
    return {"bias": round(bias, 4), "threshold": threshold, "weights": [round(float(weight), 4) for weight in weights]}


def write(question: dict, path: Path) -> None:
    """Into parameters.json, whose other parts stay as they are; a new file begins as ibid's defaults."""
    begun = next((file for file in (path, DEFAULTS) if file.exists()), None)
    parameters = json.loads(begun.read_text()) if begun else {"version": 1, "learnt": ""}
    write_json(path, parameters | {"question": question})
