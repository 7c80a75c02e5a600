"""Windows of passages: runs of whole sentences of some length."""

from random import Random

import numpy as np

from .texts import Passage


def window(passage: Passage, around: int | None, dropped: set[int], budget: int, random: Random) -> np.ndarray | None:
    """The tokens of a run of whole sentences of some length, around one of them or anywhere."""
    kept = [number for number in range(passage.sentences) if number not in dropped]
    if not kept:
        return None
    centre = around if around is not None else random.choice(kept)
    first = last = kept.index(centre) if centre in kept else random.randrange(len(kept))
    total = len(passage.tokens_of(kept[first]))
    while total < budget:
        sides = ([-1] if first > 0 else []) + ([1] if last + 1 < len(kept) else [])
        if not sides:
            break
        side = random.choice(sides)
        length = len(passage.tokens_of(kept[first - 1 if side < 0 else last + 1]))
        if total + length > budget * 1.3 and total > 12:
            break
        total += length
        first, last = (first - 1, last) if side < 0 else (first, last + 1)
    places = np.concatenate([passage.tokens_of(number) for number in kept[first : last + 1]])
    return places if len(places) else None
