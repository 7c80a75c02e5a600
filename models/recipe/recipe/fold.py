"""The normaliser's map: NFKC, case, traditional to simplified, punctuation to spaces.

Written in SentencePiece's rule format, which its trainer compiles into the character map
that `tokenizer.json` carries, so that every library folds a text the same way.
"""

import sys
import unicodedata
from functools import cache
from pathlib import Path

from opencc import OpenCC

# Punctuation that carries meaning next to a number, a name or a piece of code.
KEPT = set("%&@#°‰")
HAN = ((0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF))


def is_han(char: str) -> bool:
    return any(low <= ord(char) <= high for low, high in HAN)


@cache
def converter() -> OpenCC:
    return OpenCC("t2s")


@cache
def fold(char: str) -> str:
    """What one character, or one composed character, becomes."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", char).casefold())
    return "".join(map(fold_plain, text))


def fold_plain(char: str) -> str:
    category = unicodedata.category(char)
    if category in ("Cc", "Zs", "Zl", "Zp") or (category[0] == "P" and char not in KEPT):
        return " "
    if category == "Cf":
        return ""
    return converter().convert(char) if is_han(char) else char


def rules():
    """Every (characters, replacement) in which the two differ."""
    for code in range(1, sys.maxunicode + 1):
        char = chr(code)
        if unicodedata.category(char) in ("Cn", "Co", "Cs"):
            continue
        if (folded := fold(char)) != char:
            yield char, folded
        apart = unicodedata.normalize("NFD", char)
        if 1 < len(apart) <= 3 and apart != folded and not 0xAC00 <= code <= 0xD7A3:
            yield apart, folded


def write_rules(path: Path) -> None:
    def codes(text: str) -> str:
        return " ".join(f"{ord(char):X}" for char in text)

    unique = dict(rules())
    path.write_text("".join(f"{codes(source)}\t{codes(target)}\n" for source, target in unique.items()))
