"""Sentences of training text: where they begin and end, in characters."""

import re

# Written without spaces between words, with full-width punctuation.
UNSPACED = ("zh", "ja")

CJK = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
CJK_SENTENCE = re.compile(r"[^。！？!?\n]*[。！？!?]+[”」』）\"]*|[^。！？!?\n]+")
SPACED_SENTENCE = re.compile(r".+?(?:[.!?؟।]+[\"»”)\]]*(?=\s|$)|\n|$)", re.S)
THAI_PIECE = 90  # characters

Span = tuple[int, int]


def is_cjk(text: str) -> bool:
    return len(CJK.findall(text)) > len(text) * 0.15


def sentences(text: str, language: str = "") -> list[Span]:
    """Start and end of each sentence, without the white space around it."""
    pattern = CJK_SENTENCE if is_cjk(text) else SPACED_SENTENCE
    found = []
    for match in pattern.finditer(text):
        inner = match.group().strip()
        if inner:
            start = match.start() + match.group().index(inner)
            found.append((start, start + len(inner)))
    if language == "th":
        return [piece for span in found for piece in thai_pieces(text, span)]
    return found


def thai_pieces(text: str, span: Span) -> list[Span]:
    """Thai has no full stop: pieces of some length, cut at spaces."""
    begin, end = span
    pieces, start = [], begin
    for space in re.finditer(r"\s+", text[begin:end]):
        if begin + space.start() - start > THAI_PIECE:
            pieces.append((start, begin + space.start()))
            start = begin + space.end()
    if end > start:
        pieces.append((start, end))
    return pieces


def sentence_at(spans: list[Span], character: int) -> int | None:
    return next((number for number, (start, end) in enumerate(spans) if start <= character < end), None)
