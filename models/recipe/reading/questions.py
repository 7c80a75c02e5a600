"""Questions made of statements: a part is taken out, a question word put in, and what is left is thinned.

There are real questions in a few languages only. Made ones are clumsy, but they ask for a number where a
number answers, in every language that has text.
"""

import re
from random import Random

WORDS = {
    "zh": {"number": ["多少", "几"], "time": ["哪一年", "何时", "什么时候"], "name": ["什么", "谁", "哪个", "哪里", "哪位"], "reason": ["为什么"], "any": ["什么", "哪些", "怎样", "如何"]},
    "ja": {"number": ["いくつ", "何"], "time": ["何年", "いつ"], "name": ["何", "誰", "どこ", "どれ"], "reason": ["なぜ"], "any": ["何", "どのような", "どう"]},
    "en": {"number": ["how many", "how much"], "time": ["when", "in what year", "what year"], "name": ["who", "what", "which", "where"], "reason": ["why"], "any": ["what", "how", "what kind of"]},
    "es": {"number": ["cuántos", "cuánto"], "time": ["cuándo", "en qué año"], "name": ["quién", "qué", "cuál", "dónde"], "reason": ["por qué"], "any": ["qué", "cómo", "cuál es"]},
    "ru": {"number": ["сколько"], "time": ["когда", "в каком году"], "name": ["кто", "что", "какой", "где"], "reason": ["почему"], "any": ["что", "как", "какие"]},
    "fr": {"number": ["combien de"], "time": ["quand", "en quelle année"], "name": ["qui", "quel", "où"], "reason": ["pourquoi"], "any": ["que", "comment", "quel"]},
    "de": {"number": ["wie viele"], "time": ["wann", "in welchem jahr"], "name": ["wer", "was", "welche", "wo"], "reason": ["warum"], "any": ["was", "wie"]},
    "pt": {"number": ["quantos"], "time": ["quando", "em que ano"], "name": ["quem", "qual", "onde"], "reason": ["por que"], "any": ["o que", "como"]},
    "ko": {"number": ["몇", "얼마"], "time": ["언제", "몇 년"], "name": ["누구", "무엇", "어디"], "reason": ["왜"], "any": ["무엇", "어떻게"]},
    "vi": {"number": ["bao nhiêu"], "time": ["khi nào", "năm nào"], "name": ["ai", "gì", "ở đâu"], "reason": ["tại sao"], "any": ["gì", "như thế nào"]},
    "tr": {"number": ["kaç"], "time": ["ne zaman", "hangi yıl"], "name": ["kim", "ne", "nerede", "hangi"], "reason": ["neden"], "any": ["ne", "nasıl"]},
    "th": {"number": ["เท่าไร", "กี่"], "time": ["เมื่อไร", "ปีใด"], "name": ["ใคร", "อะไร", "ที่ไหน"], "reason": ["ทำไม"], "any": ["อะไร", "อย่างไร"]},
}
UNSPACED = ("zh", "ja")

CJK = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
SENTENCE = re.compile(r"[^。！？!?\n]*[。！？!?]+[”」』\"]?|[^。！？!?\n]+")
SPACED_SENTENCE = re.compile(r".+?(?:[.!?]+[\"»”)]?(?=\s|$)|$)", re.S)

TIME = re.compile(r"(?:\b(?:in|en|em|im jahr|в|năm)\s+)?\b(?:1\d{3}|20\d\d)\b(?:\s?(?:年(?:\d+月)?(?:\d+日)?|년|année|году|года))?")
NUMBER = re.compile(r"\d[\d,.]*\d|\d")
UNSPACED_NUMBER = re.compile(r"\d[\d,.]*(?:多|余)?(?:万|亿)?(?:个|年|名|人|次|种|座|元|吨|家|项|公里|米|%|岁|周年|亩|天|小时)?|[一二三四五六七八九十百千]{2,}(?:个|名|人|次|种|座|项|年)")
QUOTED = re.compile(r"《[^》]{2,20}》|“[^”]{2,16}”|「[^」]{2,16}」|『[^』]{2,16}』|\"[^\"]{2,30}\"|«[^»]{2,30}»")
NAME = re.compile(r"(?<=[\w,;:)]\s)(?:[A-ZÁÉÍÓÚÑА-ЯÀ-Þ][\w'’-]+)(?:\s(?:of|de|la|du|von|the|[A-ZÁÉÍÓÚÑА-ЯÀ-Þ][\w'’-]+))*")
REASON = re.compile(r"\b(?:because|due to|porque|debido a|потому что|из-за|weil|parce que)\b.{8,}|因为.{4,}?[，。]|由于.{4,}?[，。]")


def is_cjk(text: str) -> bool:
    return len(CJK.findall(text)) > len(text) * 0.2


def sentences(text: str) -> list[tuple[int, int]]:
    """Where each sentence begins and ends, in characters."""
    pattern = SENTENCE if is_cjk(text) else SPACED_SENTENCE
    return [match.span() for match in pattern.finditer(text) if match.group().strip()]


def parts(text: str, longest: int) -> list[str]:
    """The text in pieces of about `longest` characters, cut between sentences."""
    found, piece = [], ""
    for start, end in sentences(text):
        if piece and len(piece) + end - start > longest:
            found.append(piece.strip())
            piece = ""
        piece += text[start:end] + ("" if is_cjk(text) else " ")
    return found + [piece.strip()] if piece.strip() else found


def answers(sentence: str, language: str, words: list[tuple[int, int]], random: Random) -> list[tuple[tuple[int, int], str]]:
    """What could be asked for: spans with what they are."""
    found = [(match.span(), "time") for match in TIME.finditer(sentence)]
    for match in (UNSPACED_NUMBER if language in UNSPACED else NUMBER).finditer(sentence):
        if not any(start <= match.start() < end for (start, end), _ in found):
            found.append((match.span(), "number"))
    found += [(match.span(), "name") for match in QUOTED.finditer(sentence)]
    if language not in UNSPACED:
        found += [(match.span(), "name") for match in NAME.finditer(sentence)]
    found += [(match.span(), "reason") for match in REASON.finditer(sentence)]
    for _ in range(2):
        first = random.randrange(len(words))
        last = min(len(words) - 1, first + random.randrange(3))
        found.append(((words[first][0], words[last][1]), "any"))
    return found


def made(sentence: str, words: list[tuple[int, int]], language: str, title: str, random: Random) -> str | None:
    """A question that `sentence` answers; `words` are its words' places. `None` where too little is left."""
    unspaced = language in UNSPACED
    if len(words) < 5:
        return None
    (start, end), kind = random.choice(answers(sentence, language, words, random))
    left = [word for word in words if word[1] <= start or word[0] >= end]
    if not left:
        return None
    # Some words about what is asked for, not all of them.
    count = min(len(left), random.randint(3, 11))
    nearest = min(range(len(left)), key=lambda at: abs(left[at][0] - (start + end) / 2))
    first = max(0, min(len(left) - count, nearest - random.randint(0, count)))
    kept = [word for word in left[first : first + count] if random.random() > 0.18]
    if len(kept) < 2:
        return None
    # Most languages ask at the beginning; Chinese and Japanese where the answer stands.
    at_front = random.random() < (0.3 if unspaced else 0.75)
    asked = random.choice(WORDS.get(language, WORDS["en"])[kind])
    placed = [(at, sentence[at:to].strip(".,;:。，")) for at, to in kept] + [(-1 if at_front else start, asked)]
    text = ("" if unspaced else " ").join(word for _, word in sorted(placed))
    if title and len(title) < 40 and random.random() < 0.45:
        between = {"zh": "的", "ja": "の"}.get(language, " ")
        text = f"{title}{between}{text}" if random.random() < 0.7 else f"{text} {title}"
    return text + ("？" if unspaced else "?")
