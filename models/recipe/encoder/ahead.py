"""Numbered batches, made by other processes while the caller trains on the ones before.

A batch depends on its number alone, so any number of processes gives the same batches, and a run
that is resumed begins with the number it stopped at.
"""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

_make: Callable[[int], Any]


def _made(number: int) -> Any:
    return _make(number)


def ahead(make: Callable[[int], Any], first: int, workers: int) -> Iterator[Any]:
    """`make(first)`, `make(first + 1)` and so on, in order. Without workers they are made here."""
    if workers == 0:
        while True:
            yield make(first)
            first += 1
    # The processes are forked, and so have `make` with all its data.
    global _make
    _make = make
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("fork"))
    try:
        coming = deque(pool.submit(_made, number) for number in range(first, first + 2 * workers))
        following = first + 2 * workers
        while True:
            coming.append(pool.submit(_made, following))
            following += 1
            yield coming.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
