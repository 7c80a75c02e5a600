"""Which tokens translate each other, counted from the pairs; and rows drawn towards such tokens.

IBM's first model, in both directions, on parallel sentences and dictionary entries; a link is as
strong as the geometric mean of its two probabilities. Links of all languages make one graph. After
training, each row takes a share of its neighbours' rows, and of theirs, and keeps its own length.
"""

from collections import defaultdict

import numpy as np
import scipy.sparse
from tqdm import tqdm

from .encode import Source

Texts = list[np.ndarray]


def drawn_together(table: np.ndarray, near: scipy.sparse.csr_matrix, settings: dict) -> np.ndarray:
    """The table after `steps` steps over the links, each of them `walk` times as heavy as the last."""
    degree = np.asarray(near.sum(1)).ravel()
    scale = scipy.sparse.diags(np.where(degree > 0, np.maximum(degree, 1e-9) ** -0.5, 0))
    near = (scale @ near @ scale).tocsr().astype(np.float32)
    step, total = table, table.copy()
    for _ in range(settings["steps"]):
        step = settings["walk"] * (near @ step)
        total += step
    length = np.linalg.norm(table, axis=1, keepdims=True)
    return total * (length / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-9))


def links(sources: list[Source], pieces: int, settings: dict) -> scipy.sparse.csr_matrix:
    """How sure it is that two tokens translate each other: symmetric, no token with itself."""
    total = scipy.sparse.csr_matrix((pieces, pieces))
    for a, b in tqdm(by_languages(sources, settings).values(), desc="align", unit="languages"):
        if len(a) >= settings["fewest_pairs"]:
            total = total + aligned(a, b, pieces, settings)
    total = (total + total.T).tolil()
    total.setdiag(0)
    return total.tocsr()


def by_languages(sources: list[Source], settings: dict) -> dict[tuple[str, str], tuple[Texts, Texts]]:
    """Short pairs in two languages, evenly from each source, as sets of tokens."""
    found: dict[tuple[str, str], tuple[Texts, Texts]] = defaultdict(lambda: ([], []))
    longest, most = settings["longest"], settings["most_pairs"]
    for source in sources:
        for row in range(0, len(source), max(1, len(source) // most)):
            sides = [(str(source.la[row]), source.a.get(row)), (str(source.lb[row]), source.b.get(row))]
            (one, a), (other, b) = sorted(sides, key=lambda side: side[0])
            if one != other and 0 < len(a) <= longest and 0 < len(b) <= longest:
                found[one, other][0].append(np.unique(a).astype(np.int64))
                found[one, other][1].append(np.unique(b).astype(np.int64))
    return found


def aligned(a: Texts, b: Texts, pieces: int, settings: dict) -> scipy.sparse.csr_matrix:
    """Expectation maximisation over every link of a token of `a` with one of its pair in `b`."""
    size_a, size_b = np.array([len(text) for text in a]), np.array([len(text) for text in b])
    flat_a, flat_b = np.concatenate(a), np.concatenate(b)
    count = size_a * size_b
    pair = np.repeat(np.arange(len(a)), count)
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    place_a = (np.cumsum(size_a) - size_a)[pair] + within // size_b[pair]
    place_b = (np.cumsum(size_b) - size_b)[pair] + within % size_b[pair]
    kinds, kind = np.unique(flat_a[place_a] * pieces + flat_b[place_b], return_inverse=True)
    token_a, token_b = kinds // pieces, kinds % pieces

    def chances(given: np.ndarray, told: np.ndarray, tellings: int) -> np.ndarray:
        chance = np.ones(len(kinds))
        for _ in range(settings["rounds"]):
            weight = chance[kind]
            share = weight / np.bincount(told, weights=weight, minlength=tellings)[told]
            expected = np.bincount(kind, weights=share, minlength=len(kinds))
            # What was seen once or twice is not believed whole.
            chance = expected / (np.bincount(given, weights=expected, minlength=pieces)[given] + settings["doubt"])
        return chance

    sure = np.sqrt(chances(token_a, place_b, len(flat_b)) * chances(token_b, place_a, len(flat_a)))
    kept = sure > settings["least_sure"]
    return scipy.sparse.csr_matrix((sure[kept], (token_a[kept], token_b[kept])), (pieces, pieces))
