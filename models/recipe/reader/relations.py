"""Further questions by rule, in Chinese and English: lists, definitions, means, purposes, reasons, examples.

`questions.py` asks for a time, a number, a place or a name. Here a rule finds a relation between two
parts of a sentence and asks for one of them: its pattern names the parts, `answer` is the one that is
asked for, and its questions are written with the others.
"""

import re
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Rule:
    pattern: re.Pattern[str]
    questions: tuple[str, ...]


def rule(pattern: str, *questions: str) -> Rule:
    return Rule(re.compile(pattern), questions)


WORD = "[^，。；：、“”（）\\s]"
COUNTED = set("个种项类")  # what these count is asked for with the same word
CHINESE_STOP = re.compile("[，。；：]")
LIST_VERB = re.compile("(包括|包含|分为|涵盖)$")

CHINESE = [
    rule(  # A、B和C等三个城市
        rf"(?P<answer>(?:{WORD}{{2,14}}、)+(?:{WORD}{{2,14}}(?:和|与|及|以及))?{WORD}{{2,12}}?)(?:等)?"
        rf"(?P<count>[二两三四五六七八九十\d]{{1,2}})(?P<unit>大|个|种|项|类|座|家|条|方面)(?P<noun>{WORD}{{1,8}})",
        "{count}{unit}{noun}是哪些", "{count}{unit}{noun}是哪{count}{which}", "{count}{unit}{noun}有哪些", "“{count}{unit}{noun}”指什么",
        "有哪{count}{unit}{noun}", "文章提到的{count}{unit}{noun}是什么",
    ),
    rule(  # 《A》《B》等作品
        rf"(?P<answer>(?:[“《][^”》]{{2,14}}[”》]、?){{2,}}(?:[和与及][“《][^”》]{{2,14}}[”》])?)(?:等)?(?P<noun>{WORD}{{2,8}})",
        "有哪些{noun}", "{noun}包括哪些", "哪些{noun}",
    ),
    rule(  # A（what it stands for）
        rf"[“]?(?P<name>{WORD}{{2,12}})[”]?（(?=[^（）]*[\u4e00-\u9fff]{{3}})(?P<answer>[^（）]{{4,40}})）",
        "{name}指的是什么", "“{name}”指什么", "“{name}”是什么意思", "{name}包括什么", "{name}是哪些",
    ),
    rule(
        rf"(?:所谓)?[“]?(?P<name>{WORD}{{2,12}})[”]?(?:是指|指的是|即|就是)(?P<answer>[^。；]{{5,60}})",
        "什么是{name}", "{name}是什么", "{name}指什么", "“{name}”是什么意思", "{name}是指什么",
    ),
    rule(
        "(?:通过|依托|借助|利用|以)(?P<answer>[^，。；]{5,40})，(?P<event>[^，。；：]{6,30})",
        "怎样{event}", "如何{event}", "通过什么{event}", "靠什么{event}", "怎么{event}", "应当怎样{event}",
    ),
    rule(
        "以(?P<answer>[^，。；、]{2,16})为(?P<noun>主体|核心|重点|目标|基础|抓手|契机|导向|主题|中心|依托|载体)",
        "{before}以什么为{noun}{after}",
    ),
    rule("(?:因为|由于)(?P<answer>[^，。；]{5,40})，(?P<event>[^，。；：]{6,30})", "为什么{event}", "{event}的原因是什么"),
    rule(
        "(?P<event>[^，。；]{6,30})，(?:旨在|目的是|以便|从而)(?P<answer>[^，。；]{5,40})",
        "{event}是为了什么", "{event}的目的是什么", "为什么{event}",
    ),
    rule(
        "(?P<subject>[^，。；：]{4,24})(?:包括|包含|分为|涵盖|有|为)(?:：)?(?P<answer>(?:[^，。；：、]{2,16}、){1,}[^，。；：]{2,24})",
        "{subject}有哪些", "{subject}包括什么", "{subject}包括哪些", "{subject}是哪些",
    ),
]

ENGLISH = [
    rule(
        r"\b(?P<name>[A-Z][\w'’ -]{3,40}?) (?:is|was|are|were) (?P<answer>(?:an?|the|one of the) [^.;]{8,90})[.;]",
        "What is {name}", "Who or what is {name}", "What was {name}", "How is {name} described",
    ),
    rule(
        r"(?P<event>[^.;,]{15,90}),? because (?P<answer>[^.;]{10,90})",
        "Why did {event}", "Why is it that {event}", "Why do {event}", "Why {event}",
    ),
    rule(
        r"(?P<event>[^.;,]{15,90}) (?:due to|owing to|thanks to) (?P<answer>[^.;,]{6,80})",
        "Why {event}", "For what reason {event}",
    ),
    rule(
        r"(?P<event>[^.;,]{12,80}),? (?:such as|including) (?P<answer>[^.;]{8,90})",
        "Which {event}", "What {event}", "Which {event} for example", "What {event} for example",
    ),
    rule(
        r"(?P<event>[^.;,]{15,90}) by (?P<answer>\w+ing [^.;,]{6,70})",
        "How did {event}", "How does {event}", "How can {event}", "How {event}",
    ),
    rule(r"(?P<event>[^.;,]{15,80}) in order to (?P<answer>[^.;,]{6,70})", "Why {event}"),
]
LONGEST = {"zh": 45, "en": 129}  # characters
SHORTEST = {"zh": 5, "en": 1}


def chinese_parts(match: re.Match[str]) -> dict[str, str]:
    """The parts as questions have them; `before` and `after` are the rest of the clause."""
    parts = match.groupdict()
    parts["which"] = parts["unit"] if parts.get("unit") in COUNTED else "个"
    parts["subject"] = LIST_VERB.sub("", parts.get("subject", "").rstrip("：为有"))
    parts["before"] = CHINESE_STOP.split(match.string[: match.start()])[-1][-14:]
    parts["after"] = CHINESE_STOP.split(match.string[match.end() :])[0][:16]
    return parts


def english_parts(match: re.Match[str]) -> dict[str, str]:
    parts = match.groupdict()
    event = parts.get("event", "").strip()
    return parts | {"event": event[:1].lower() + event[1:]}


def related(sentence: str, language: str, random: Random) -> list[tuple[str, int, int]]:
    """A question for each relation that is found, and where its answer stands in the sentence."""
    rules, parts, mark = (CHINESE, chinese_parts, "？") if language == "zh" else (ENGLISH, english_parts, "?")
    found = []
    for one in rules:
        for match in one.pattern.finditer(sentence):
            question = random.choice(one.questions).format(**parts(match))
            start, end = match.span("answer")
            if SHORTEST[language] <= len(question) <= LONGEST[language] and end - start >= 2:
                found.append((question.strip() + mark, start, end))
    return found
