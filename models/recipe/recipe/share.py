"""What tokens share: the letters that they are made of.

A token's row is its own part plus the parts of its letter n-grams (in Latin transcription, so
that a name meets itself across alphabets) or, in Chinese, of its characters. Rare tokens and
inflected words thus learn from their relatives. The sum is what is exported.
"""

import zlib

import numpy as np
import scipy.sparse
from unidecode import unidecode

from .fold import is_han

SHORTEST, LONGEST = 3, 5


def features(piece: str) -> list[str]:
    word = piece.removeprefix("▁")
    han = [f"han:{char}" for char in word if is_han(char)]
    if han:
        return han
    letters = unidecode(word).lower().strip()
    if len(letters) < SHORTEST:
        return [f"piece:{piece}"]
    marked = ("▁" if piece.startswith("▁") else "") + letters
    grams = {marked[at : at + size] for size in range(SHORTEST, LONGEST + 1) for at in range(len(marked) - size + 1)}
    return sorted(grams) + [f"whole:{letters}"]


def matrix(pieces: list[str], buckets: int) -> scipy.sparse.csr_matrix:
    """Rows are tokens, columns hashed features; each row has length one."""
    rows, columns, values = [], [], []
    for row, piece in enumerate(pieces):
        found = features(piece) if row > 1 and not piece.startswith("<0x") else []
        for feature in found:
            rows.append(row)
            columns.append(zlib.crc32(feature.encode()) % buckets)
            values.append(len(found) ** -0.5)
    shape = (len(pieces), buckets)
    return scipy.sparse.csr_matrix((np.array(values, np.float32), (rows, columns)), shape)
