"""What can be asked for in a sentence, by language: times, numbers, places, names; and the question words."""

import re

from .sentences import UNSPACED

QUESTION_WORDS = {
    "zh": {
        "number": ["多少", "几"], "time": ["哪一年", "何时", "什么时候", "哪年"], "name": ["什么", "哪个", "谁"],
        "place": ["哪里", "什么地方", "哪儿"],
    },
    "ja": {"number": ["いくつ", "どれくらい", "何"], "time": ["いつ", "何年"], "name": ["何", "誰", "どれ"], "place": ["どこ"]},
    "ko": {"number": ["몇", "얼마"], "time": ["언제", "몇 년"], "name": ["무엇", "누구"], "place": ["어디"]},
    "vi": {"number": ["bao nhiêu", "mấy"], "time": ["khi nào", "năm nào"], "name": ["ai", "gì"], "place": ["đâu"]},
    "en": {
        "number": ["how many", "how much", "what number of"], "time": ["when", "in what year", "in which year", "on what date"],
        "name": ["who", "what", "which", "who or what"], "place": ["where", "in which place"],
    },
    "es": {"number": ["cuántos", "cuántas", "cuánto"], "time": ["cuándo", "en qué año"], "name": ["quién", "qué", "cuál"], "place": ["dónde"]},
    "ru": {"number": ["сколько"], "time": ["когда", "в каком году"], "name": ["кто", "что", "какой"], "place": ["где"]},
    "fr": {"number": ["combien de", "combien"], "time": ["quand", "en quelle année"], "name": ["qui", "quoi", "quel"], "place": ["où"]},
    "de": {"number": ["wie viele", "wie viel"], "time": ["wann", "in welchem Jahr"], "name": ["wer", "was", "welche"], "place": ["wo"]},
    "pt": {"number": ["quantos", "quanto"], "time": ["quando", "em que ano"], "name": ["quem", "qual", "o que"], "place": ["onde"]},
    "ar": {"number": ["كم"], "time": ["متى", "في أي عام"], "name": ["من", "ما"], "place": ["أين"]},
}

YEAR = r"(?:1\d{3}|20\d\d)"
MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
TIME = {
    "zh": re.compile(r"(?:公元前?|西元)?\d{2,4}年(?:\d{1,2}月)?(?:\d{1,2}[日号])?|\d{1,2}月\d{1,2}[日号]|(?<!\d)\d{1,2}日"),
    "ja": re.compile(r"(?:紀元前|西暦)?\d{2,4}年(?:\([^)]{2,8}\))?(?:\d{1,2}月)?(?:\d{1,2}日)?|\d{1,2}月\d{1,2}日"),
    "en": re.compile(
        rf"(?:\b(?:on|in|since|by)\s+)?(?:\b{MONTH}\s+\d{{1,2}},?\s+{YEAR}|\b\d{{1,2}}\s+{MONTH}\s+{YEAR}|\b{MONTH}\s+{YEAR}|\b{YEAR}\b)"
    ),
}
TIME_ELSEWHERE = re.compile(rf"(?:\b(?:en|em|im Jahr|im|in|в|năm|desde|depuis)\s+)?\b{YEAR}\b(?:\s?(?:년|г\.|году|года|год))?")
NUMBER = {
    "zh": re.compile(
        r"\d[\d,.]*(?:多|余)?(?:万|亿|千|百)*(?=个|名|人|次|种|座|元|吨|家|项|公里|米|岁|亩|天|小时|美元|人民币|辆|户|场|处|条|所|台|件|分钟|公斤|千克|倍)"
        r"|\d[\d,.]*%|[一二三四五六七八九十百]{1,4}(?=个|名|种|座|家|项|所|条|大|次)"
    ),
    "ja": re.compile(
        r"\d[\d,.]*(?:万|億|千|百)*(?=人|個|年間|回|歳|枚|本|台|件|m|km|メートル|キロ|円|名|社|校|か月|時間|分|日間|位|点|機|隻|門|巻|冊)"
        r"|\d[\d,.]*%"
    ),
}
NUMBER_ELSEWHERE = re.compile(r"(?<![\w.,])\d[\d.,]*\d(?![\w])|(?<![\w.,])\d(?![\w.,])")
QUOTED = re.compile(r"《[^》]{2,20}》|“[^”]{2,16}”|「[^」]{2,16}」|『[^』]{2,16}』|\"[^\"]{2,30}\"|«[^»]{2,30}»")
CAPITAL = "A-ZÁÉÍÓÚÑÀ-ÞА-ЯЁ"
NAME = re.compile(
    rf"(?<![\w-])[{CAPITAL}][\w'’-]+(?:\s(?:of|de|la|del|du|von|van|the|[{CAPITAL}][\w'’.-]*))*(?<!of)(?<!the)(?<!de)"
)
# Capitals do not mark names in these, or mark every noun.
NO_NAMES = (*UNSPACED, "de", "ko", "ar", "vi")
PLACE = re.compile(rf"\b(?:in|at|en|em|in der|à)\s(?P<answer>[{CAPITAL}][\w'’-]+(?:,?\s[{CAPITAL}][\w'’-]+)*)")
CHINESE_PLACE = re.compile(r"(?:在|位于|于)(?P<answer>[\u4e00-\u9fff]{2,8}(?:省|市|县|区|镇|村|国|州|岛|山|路|街))")


def answers(sentence: str, language: str) -> list[tuple[int, int, str]]:
    """Start, end and kind of each phrase that can be asked for; none overlaps one found before it."""
    found: list[tuple[int, int, str]] = []

    def add(start: int, end: int, kind: str) -> None:
        if end > start and not any(other < end and start < other_end for other, other_end, _ in found):
            found.append((start, end, kind))

    for match in TIME.get(language, TIME_ELSEWHERE).finditer(sentence):
        add(*match.span(), "time")
    for match in NUMBER.get(language, NUMBER_ELSEWHERE).finditer(sentence):
        add(*match.span(), "number")
    for match in (CHINESE_PLACE if language == "zh" else PLACE).finditer(sentence):
        add(*match.span("answer"), "place")
    for match in QUOTED.finditer(sentence):
        add(*match.span(), "name")
    if language not in NO_NAMES:
        for match in NAME.finditer(sentence):
            # A short word at the beginning may be capitalised for its place.
            if match.start() > 0 or len(match.group()) > 7:
                add(*match.span(), "name")
    return found
