"""Learn parameters.json from the features that `ibid eval --features` writes.

    ibid eval SET… --features features.jsonl
    python3 calibrate.py features.jsonl --out parameters.json [--base parameters.json]

Four small models, each convex or nearly so, fitted one after the other by Newton's method:

    fusion      softmax over a question's candidates: the relevant ones
    reading     softmax over those that were read: the relevant ones
    sentence    softmax over the sentences of those: the ones that hold a gold answer
    confidence  logistic regression over questions: whether the documents answer

Every set weighs the same. Figures are printed by set, fitted on all sets and with the set left out.
The classifiers of questions and the number of passages that are read are taken from --base. Only development
sets belong here: what is measured on them afterwards is no test.
"""

import argparse
import json
import pathlib

import numpy as np

RIDGE = 1e-3
FUSION = ("meaning", "sentence", "words", "foreign_words")
READING = ("fused", "answerable", "foreign_answerable", "span", "sentence", "coverage", "foreign_coverage")
SENTENCE = ("logit", "span", "passage", "meaning", "coverage")
CONFIDENCE = ("bias", "fused", "answerable", "span", "sentence", "coverage", "sentence_coverage", "lead", "foreign")


class Question:
    """One line of features: arrays over candidates, and over the sentences of those that were read."""

    def __init__(self, line):
        row = json.loads(line)
        self.set, self.answerable = row["set"], bool(row["answerable"])
        same = row["same_language"]
        self.foreign = 1.0 - same
        candidates = row["candidates"]
        self.relevant = np.array([c["relevant"] for c in candidates], bool)
        self.fusion = np.array(
            [[c["meaning"], c["sentence"], c["words"] * same, c["words"] * (1 - same)] for c in candidates], float
        ).reshape(-1, 4)
        # A model without a reader has sentences of the best passages, and no readings.
        self.read = np.array([i for i, c in enumerate(candidates) if c.get("sentences")], int)
        self.has_reader = any("answerable" in c for c in candidates)
        reading, sentences, owner, gold = [], [], [], []
        for place, i in enumerate(self.read):
            c = candidates[i]
            no_span = c.get("no_span", 0.0)
            rows = [
                (s.get("logit", 0.0), s.get("span_logit", no_span) - no_span, s["meaning"], s.get("coverage", 0.0), s["gold"])
                for s in c["sentences"]
            ]
            sentences += [row[:4] for row in rows]
            owner += [place] * len(rows)
            gold += [row[4] and (c["relevant"] or not self.relevant.any()) for row in rows]
            best = [max(row[k] for row in rows) for k in (0, 1)] if self.has_reader else [0.0, 0.0]
            answers, covered = c.get("answerable", 0.0), c.get("coverage", 0.0)
            own = (answers * same, answers * (1 - same), best[1], best[0], covered * same, covered * (1 - same))
            reading.append((*own, answers, covered))
        self.reading = np.array(reading, float).reshape(-1, 8)
        self.sentences = np.array(sentences, float).reshape(-1, 4)
        self.owner, self.gold = np.array(owner, int), np.array(gold, bool)


def softmax(scores):
    e = np.exp(scores - scores.max())
    return e / e.sum()


def weights_by_set(questions):
    """One over the number of questions of the same set."""
    names, counts = np.unique([q.set for q in questions], return_counts=True)
    of = dict(zip(names, counts))
    return np.array([1.0 / (of[q.set] * len(names)) for q in questions])


def fit_choice(groups, weights, columns):
    """Weights of a softmax that chooses the marked rows of each group; `columns` marks the features to fit."""
    groups = [(x, y, w) for (x, y), w in zip(groups, weights) if y.any() and not y.all()]
    size = len(columns)
    fitted = np.zeros(size)
    on = np.flatnonzero(columns)
    if not groups or not len(on):
        return fitted
    total = sum(w for *_, w in groups)
    beta = np.zeros(len(on))

    def loss(beta):
        value = RIDGE * beta @ beta / 2
        for x, y, w in groups:
            s = x[:, on] @ beta
            m = s.max()
            value -= w / total * (np.log(np.exp(s[y] - m).sum()) - np.log(np.exp(s - m).sum()))
        return value

    for _ in range(100):
        gradient, hessian = RIDGE * beta, RIDGE * np.eye(len(on))
        for x, y, w in groups:
            x = x[:, on]
            s = x @ beta
            p, q = softmax(s), softmax(s[y])
            mean = p @ x
            gradient = gradient + w / total * (mean - q @ x[y])
            hessian = hessian + w / total * ((x * p[:, None]).T @ x - np.outer(mean, mean))
        beta, moved = step(loss, beta, gradient, hessian)
        if moved < 1e-6:
            break
    fitted[on] = beta
    return fitted


def fit_logistic(x, y, w):
    """Logistic regression; the first column is the bias. Features are scaled for the ridge only."""
    scale = np.maximum(x.std(0), 1e-6)
    scale[0] = 1.0
    on = np.flatnonzero((x.std(0) > 1e-9) | (np.arange(x.shape[1]) == 0))
    z = (x / scale)[:, on]
    beta = np.zeros(len(on))
    ridge = RIDGE * np.eye(len(on))
    ridge[0, 0] = 0.0

    def loss(beta):
        s = z @ beta
        return w @ (np.logaddexp(0, s) - y * s) + beta @ ridge @ beta / 2

    for _ in range(100):
        p = 1 / (1 + np.exp(-(z @ beta)))
        gradient = z.T @ (w * (p - y)) + ridge @ beta
        hessian = (z * (w * p * (1 - p))[:, None]).T @ z + ridge + 1e-9 * np.eye(len(on))
        beta, moved = step(loss, beta, gradient, hessian)
        if moved < 1e-8:
            break
    fitted = np.zeros(x.shape[1])
    fitted[on] = beta / scale[on]
    return fitted


def step(loss, beta, gradient, hessian):
    """One step of Newton's method, halved until the loss falls."""
    direction = np.linalg.solve(hessian, gradient)
    before = loss(beta)
    for halving in range(30):
        moved = direction * 0.5**halving
        if loss(beta - moved) <= before:
            return beta - moved, np.abs(moved).max()
    return beta, 0.0


class Fit:
    """All weights, and what they make of a question."""

    def __init__(self, questions, sentences, further=None):
        w = weights_by_set(questions)
        reader = any(q.has_reader for q in questions)
        self.reader = reader
        self.fusion = fit_choice([(q.fusion, q.relevant) for q in questions], w, np.ones(4, bool))
        if reader:
            groups = [(self.read_features(q), q.relevant[q.read]) for q in questions]
            self.reading = fit_choice(groups, w, np.ones(len(READING), bool))
            groups = [(self.sentence_features(q), q.gold) for q in questions]
            self.sentence = fit_choice(groups, w, np.ones(len(SENTENCE), bool))
        else:
            self.reading, self.sentence = np.eye(len(READING))[0], np.eye(len(SENTENCE))[3]
        both = with_both(questions)
        if both:
            x = np.array([self.measures(q) for q in both])
            y = np.array([q.answerable for q in both], float)
            self.confidence = fit_logistic(x, y, weights_by_set(both))
        else:
            self.confidence = np.zeros(len(CONFIDENCE))
        self.further = further if further is not None else self.choose_further(questions, sentences)

    def fused(self, q):
        return q.fusion @ self.fusion

    def read_features(self, q):
        return np.column_stack([self.fused(q)[q.read], q.reading[:, :6]])

    def totals(self, q):
        return self.read_features(q) @ self.reading if self.reader else self.fused(q)[q.read]

    def sentence_features(self, q):
        logit, span, meaning, coverage = q.sentences.T
        return np.column_stack([logit, span, self.totals(q)[q.owner], meaning, coverage])

    def sentence_scores(self, q):
        return self.sentence_features(q) @ self.sentence

    def measures(self, q):
        if not len(q.read) or not len(q.sentences):
            return np.eye(len(CONFIDENCE))[0]
        totals = self.totals(q)
        best = int(totals.argmax())
        chosen = int(self.sentence_scores(q).argmax())
        others = np.delete(totals, best)
        lead = totals[best] - others.mean() if len(others) else 0.0
        sentence = q.sentences[chosen, 0 if self.reader else 2]
        answerable = q.reading[:, 6].max() if self.reader else 0.0
        span = q.reading[:, 2].max() if self.reader else 0.0
        covered = q.reading[best, 7], q.sentences[chosen, 3]
        return np.array([1.0, self.fused(q)[q.read][best], answerable, span, sentence, *covered, lead, q.foreign])

    def probability(self, q):
        return float(1 / (1 + np.exp(-(self.measures(q) @ self.confidence))))

    def choose_further(self, questions, mean):
        """The least ratio to the best sentence at which answers have no more than `mean` sentences of three on average."""
        ratios = []
        for q in questions if self.reader else []:
            if q.gold.any():
                scores = self.sentence_scores(q)
                ratios.append(np.exp(np.sort(scores)[-3:] - scores.max()))
        for ratio in np.arange(0.05, 0.9, 0.01) if ratios else []:
            if np.mean([(one >= ratio).sum() for one in ratios]) <= mean:
                return round(float(ratio), 2)
        return 0.9


def with_both(questions):
    """Questions of the sets that have answerable and unanswerable ones."""
    kinds = {}
    for q in questions:
        kinds.setdefault(q.set, set()).add(q.answerable)
    return [q for q in questions if len(kinds[q.set]) == 2]


def auroc(p, y):
    order = np.argsort(p, kind="stable")
    ranks = np.empty(len(p))
    values, start = p[order], 0
    while start < len(p):
        end = start + np.searchsorted(values[start:], values[start], side="right")
        ranks[order[start:end]] = (start + end + 1) / 2
        start = end
    positive = y.sum()
    return (ranks[y].sum() - positive * (positive + 1) / 2) / max(positive * (len(y) - positive), 1)


def threshold_for(fit, questions, answered, each):
    """The probability that the given share of answerable questions reaches: of each set, or of all, sets weighing the same."""
    both = with_both(questions)
    if not both:
        return 0.5
    if each:
        names = {q.set for q in both}
        return min(threshold_for(fit, [q for q in both if q.set == name], answered, False) for name in names)
    p, w = np.array([fit.probability(q) for q in both]), weights_by_set(both)
    y = np.array([q.answerable for q in both])
    order = np.argsort(-p[y])
    share = np.cumsum(w[y][order]) / w[y].sum()
    return float(p[y][order][min(np.searchsorted(share, answered), y.sum() - 1)])


def figures(fit, questions, threshold):
    row = {"questions": len(questions)}
    found = [q for q in questions if q.relevant.any()]
    if found:
        row["cheap@1"] = np.mean([q.relevant[fit.fused(q).argmax()] for q in found])
        read = [q for q in found if len(q.read)]
        row["recall@1"] = np.mean([q.relevant[q.read[fit.totals(q).argmax()]] for q in read])
    gold = [q for q in questions if q.gold.any()]
    if gold:
        row["evidence@1"] = np.mean([q.gold[fit.sentence_scores(q).argmax()] for q in gold])
    y = np.array([q.answerable for q in questions])
    if y.any() and not y.all():
        p = np.clip([fit.probability(q) for q in questions], 1e-6, 1 - 1e-6)
        row["log loss"] = -np.mean(np.where(y, np.log(p), np.log(1 - p)))
        row["auroc"] = auroc(p, y)
        row["refused"], row["answered"] = np.mean(p[~y] < threshold), np.mean(p[y] >= threshold)
    return row


def table(title, rows):
    names = ["questions", "cheap@1", "recall@1", "evidence@1", "log loss", "auroc", "refused", "answered"]
    print(f"\n{title}\n{'set':<28}" + "".join(f"{name:>12}" for name in names))
    for name, row in rows:
        cells = (row.get(key) for key in names)
        print(f"{name:<28}" + "".join(f"{c if c is not None else '':>12.4}" if isinstance(c, float) else f"{'' if c is None else c:>12}" for c in cells))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("features", nargs="+", type=pathlib.Path, help="files that `ibid eval --features` wrote")
    parser.add_argument("--out", type=pathlib.Path, help="where to write parameters.json")
    parser.add_argument("--base", type=pathlib.Path, default=pathlib.Path(__file__).parents[2] / "config/parameters.json")
    parser.add_argument("--answered", type=float, default=0.93, help="share of answerable questions to be answered")
    parser.add_argument("--each", action="store_true", help="of each set, not only of all together")
    parser.add_argument("--sentences", type=float, default=1.5, help="mean number of sentences of an answer, at most")
    parser.add_argument("--most", type=int, default=2000, help="questions of a set that are looked at")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    by_set = {}
    for file in arguments.features:
        for line in file.open(encoding="utf-8"):
            q = Question(line)
            by_set.setdefault(q.set, []).append(q)
    random = np.random.default_rng(arguments.seed)
    for name, questions in by_set.items():
        if len(questions) > arguments.most:
            chosen = np.sort(random.choice(len(questions), arguments.most, replace=False))
            by_set[name] = [questions[i] for i in chosen]
    everything = [q for questions in by_set.values() for q in questions]
    fit = Fit(everything, arguments.sentences)
    threshold = threshold_for(fit, everything, arguments.answered, arguments.each)
    table("Fitted on all sets", [(name, figures(fit, questions, threshold)) for name, questions in by_set.items()])
    if len(by_set) > 1:
        rows = []
        for name, questions in by_set.items():
            rest = [q for q in everything if q.set != name]
            without = Fit(rest, arguments.sentences, further=fit.further)
            rows.append((name, figures(without, questions, threshold_for(without, rest, arguments.answered, arguments.each))))
        table("With the set left out", rows)

    base = json.loads(arguments.base.read_text(encoding="utf-8"))
    number = lambda value: round(float(value), 4)
    named = lambda keys, values: {key: number(value) for key, value in zip(keys, values)}
    sets = ", ".join(sorted(by_set))
    parameters = {
        "version": 1,
        "learnt": f"by models/recipe/calibrate.py, seed {arguments.seed}, on {len(everything)} questions of {sets}",
        "fusion": named(FUSION, fit.fusion),
        "reading": {"passages": base["reading"]["passages"], **named(READING, fit.reading)},
        "sentence": {**named(SENTENCE, fit.sentence), "further": fit.further},
        "confidence": {**named(CONFIDENCE, fit.confidence), "threshold": number(threshold)},
        "question": base["question"],
        # What other scripts have learnt stays as it is.
        **{part: base[part] for part in ("collection", "writing") if part in base},
    }
    text = json.dumps(parameters, ensure_ascii=False, indent=1)
    print(f"\nthreshold {threshold:.4f}\n{json.dumps({**parameters, 'question': '…', 'collection': '…'}, ensure_ascii=False, indent=1)}")
    if arguments.out:
        arguments.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
