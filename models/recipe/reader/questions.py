"""Questions made from statements by rule: an answer phrase is replaced by a question word.

Chinese, Japanese, Korean and Vietnamese keep the question word where the answer stood, so such
questions read naturally; in the other languages it is put in front of the clause.
"""

import re
from random import Random

from .patterns import QUESTION_WORDS, answers
from .sentences import UNSPACED, Span

IN_PLACE = ("ko", "vi")  # beside the unspaced ones
UNSPACED_MARKS, SPACED_MARKS = "，；：。、", ",;:"
PARTICLES = re.compile(r"[的了也还就都将已正]")


def clause(sentence: str, start: int, end: int, language: str, random: Random) -> Span:
    """The part of the sentence around the answer that is asked about."""
    unspaced = language in UNSPACED
    marks = UNSPACED_MARKS if unspaced else SPACED_MARKS
    wanted = random.randint(14, 40) if unspaced else random.randint(40, 120)
    cuts = [-1, *(at for at, mark in enumerate(sentence) if mark in marks and not start <= at < end), len(sentence)]
    lefts = [cut + 1 for cut in cuts if cut < start]
    rights = [cut for cut in cuts if cut >= end]
    while rights[0] - lefts[-1] < wanted:
        if len(lefts) > 1 and (len(rights) == 1 or random.random() < 0.6):
            lefts.pop()
        elif len(rights) > 1:
            rights.pop(0)
        else:
            break
    return lefts[-1], rights[0]


def thinned(text: str, language: str, random: Random) -> str:
    """Some words are left out: people do not ask in the words of the text."""
    if random.random() < 0.4:
        return text
    if language in UNSPACED:
        return PARTICLES.sub(lambda match: "" if random.random() < 0.5 else match.group(), text)
    words = text.split()
    return " ".join(word for word in words if random.random() > 0.12) if len(words) > 6 else text


def asked(before: str, word: str, after: str, kind: str, language: str, random: Random) -> str:
    """The clause with the question word in the place that the language gives it."""
    if language in UNSPACED:
        return f"{before}{word}{after}"
    if language in IN_PLACE:
        return f"{before} {word} {after}"
    if not before and kind == "name":
        return f"{word} {after}"
    if kind == "number":
        noun, _, rest = after.partition(" ")
        return f"{word} {noun} {before} {rest}" if random.random() < 0.7 else f"{word} {noun} {rest} {before}"
    return f"{word} {before} {after}"


def titled(text: str, title: str, language: str, random: Random) -> str:
    """Now and then the question names the article."""
    if not title or len(title) >= 40 or random.random() >= 0.3 or title.lower() in text.lower():
        return text
    if language in UNSPACED:
        return f"{title}{text}"
    return f"{text} ({title})" if random.random() < 0.5 else f"{title}: {text}"


def made(sentence: str, language: str, title: str, random: Random) -> tuple[str, int, int] | None:
    """A question, and where its answer stands in the sentence; `None` where nothing can be asked for."""
    options = answers(sentence, language)
    if not options:
        return None
    start, end, kind = random.choice(options)
    left, right = clause(sentence, start, end, language, random)
    before, after = sentence[left:start], sentence[end:right]
    if len((before + after).strip()) < (6 if language in UNSPACED else 20):
        return None
    word = random.choice(QUESTION_WORDS.get(language, QUESTION_WORDS["en"])[kind])
    before, after = thinned(before.strip(), language, random), thinned(after.strip(), language, random)
    text = asked(before, word, after, kind, language, random)
    text = re.sub(r"\s+", " ", text.strip(" ,;:，；：、。.\"“”"))
    text = titled(text, title, language, random)
    if random.random() < 0.35 and language not in UNSPACED:
        text = text.lower()
    return text + ("？" if language in UNSPACED else "?"), start, end
