"""What a text mentions: numbers, quoted texts, names, places, dates, addresses, codes, each with the words that stand around it.

All of it is found by plain expressions that take time in proportion to the text. English is read best; quotation marks, numbers,
and words in a script other than the rest's are found in any language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import islice

_MOST = 50  # mentions of a kind
_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_MONTH = "(" + "|".join(f"{month[:3]}(?:{month[3:]})?" if len(month) > 3 else month for month in _MONTHS) + r")\.?"
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?){0,8}"
_CAPITALISED = r"[A-ZÀ-ÖØ-Þ](?:[^\W\d_]|['’-](?=[A-ZÀ-ÖØ-Þ]))+"
_OTHER_SCRIPTS = (
    r"[\u0370-\u1fff\u2c00-\u2dff\u2e80-\u2fff\u3040-\ud7ff\uf900-\ufdff\ufe70-\ufefe\uff10-\uff19\uff21-\uff3a\uff41-\uffdc]"
)
# The kinds whose digits and letters are no numbers and names, before those that they could be taken for.
_SOLID = ("uri", "email", "uuid", "date-time", "date", "clock", "ipv4", "phone_number", "filename", "code")
_EXPRESSIONS = {
    "uri": rf"\bhttps?://{_HOST}(?::[0-9]{{2,4}})?(?:/(?:[\w~/?=&+@:.-]*[\w~/=+-])?)?",
    "email": rf"(?<![\w.+-])[A-Za-z0-9]{{1,64}}(?:[._+-][A-Za-z0-9]{{1,64}}){{0,8}}@{_HOST}\.[A-Za-z]{{2,20}}\b",
    "uuid": r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}\b",
    "date-time": r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]"
    r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9])?(?!\w)",
    "date": rf"\b(?:[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}|{_MONTH} [0-9]{{1,2}}(?:st|nd|rd|th)?,? [0-9]{{4}}"
    rf"|[0-9]{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH},? [0-9]{{4}})\b",
    "clock": r"(?<![\w:])(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?![\w:])",
    "ipv4": r"(?<![\w.])(?:(?:25[0-5]|2[0-4][0-9]|1?[1-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1?[1-9]?[0-9])(?!\w|\.\d)",
    "phone_number": r"(?<![\w+-])(?:\+[0-9][0-9 ()-]{6,17}[0-9]|\(?[0-9]{3}\)?[-. ]?[0-9]{3}[-.][0-9]{4}"
    r"|[0-9]{3}-[0-9]{4})(?![\w-])",
    "filename": r"(?<![\w./-])[\w/.-]{0,60}\w\.(?:[a-z]{2,4}|mp[34])\b(?!\.\w)",
    "code": r"(?<![\w-])(?=[\w-]{0,40}[0-9])(?=[\w-]{0,40}[A-Za-z_])(?![0-9]+[a-zA-Z]{1,3}\b)"
    r"[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*(?![\w-])",
    "number": r"(?<![\w.,-])-?(?:[0-9]{1,3}(?:,[0-9]{3}){1,5}|[0-9]{1,15})(?:\.[0-9]{1,9})?"
    r"(?=(?!st\b|nd\b|rd\b|th\b)[a-zA-Z]{0,3}\b)(?![.,]?[0-9])",
    "language": r"\b(?:Arabic|Chinese|Danish|Dutch|English|Finnish|French|German|Greek|Hebrew|Hindi|Italian|Japanese|Korean|Norwegian"
    r"|Polish|Portuguese|Russian|Spanish|Swedish|Turkish|Ukrainian)\b",
    "place": r"\b(?:in|at|to|from|near|of) ((?:[A-Z][\w'’-]+)(?: [A-Z][\w'’-]+){0,3})",
    "person": rf"(?<!\w){_CAPITALISED}(?: (?:(?:van|von|de|der|den|la|le|bin|da) )?(?:{_CAPITALISED}|[A-Z]\.(?= ))){{0,3}}",
    "quoted": r"\"([^\"\n]{1,300})\"|“([^”\n]{1,300})”|«([^»\n]{1,300})»|「([^」\n]{1,300})」|`([^`\n]{1,300})`"
    r"|(?<!\w)['‘]([^'’\n]{1,300}(?:['’](?=\w)[^'’\n]{0,300}){0,3})['’](?!\w)",
    "foreign": rf"{_OTHER_SCRIPTS}{{1,99}}(?:[ ·]{_OTHER_SCRIPTS}{{1,99}}){{0,8}}",
    "stated": r"[\"'`*]{0,3}\s?[:=](?![/=])"
    r"(?=\s{0,3}(?:\"([^\"\n]{1,300})\"|'([^'\n]{1,300})'|([^\s,;\"'(){}\[\]][^,;\n\"'(){}\[\]]{0,99})))",
}
# Capitalised words that are no names, and those that begin a sentence without being part of the name behind them.
_NAMELESS = """
json xml csv yaml html markdown english german french spanish italian japanese chinese celsius fahrenheit kelvin monday
tuesday wednesday thursday friday saturday sunday
"""
_FIRST_WORDS = """
a about add also an analyse analyze and answer any apply are as ask at be book build buy calculate call can check choose
classify close compare compute contact convert could count create dear define describe did do does dr draft email explain
extract fetch find for from generate get give good he hello hey hi his how i identify if in input introduce invite is it its
just let list look make meet mr mrs ms my name no notify now of on open order output parse pay person plan play please
process prof provide put read register remind remove reply return run save say schedule search send set she show sir some
start summarise summarize take tell text thank thanks that the their then there these they this those to today tomorrow
translate turn update use user using we weather welcome what when where which who why will with write yes you your
"""
_LINKING = """
is are was were be equal of the a an to with as at by for on number no id named called set
"""
_NO_NAMES = frozenset([*_NAMELESS.split(), *_MONTHS])
_BEGINNINGS = frozenset(_FIRST_WORDS.split())
_LINKS = frozenset(_LINKING.split())

_PLACED = re.compile(r"\b(?:in|at|near|from) $")  # what is before a name that is no person's
_COUNTED = re.compile(r" [^\W\d_]{3,20}s\b")
_UNIT = re.compile(r"[ -]?([^\W\d_]{2,20})")


@dataclass(frozen=True, slots=True)
class Mention:
    """One thing that a text mentions: its own text, where it starts, and by which words (lower case, singular) it is found."""

    text: str
    start: int
    labels: tuple[str, ...]
    counts: bool = False  # whether it is a number of things: "3 cities"


def find_mentions(text: str, kind: str) -> list[Mention]:
    """The first mentions of a kind, in the order of the text, the same one only once where it is a name."""
    if kind == "text":
        quoted = find_mentions(text, "quoted")
        inside = [(mention.start, mention.start + len(mention.text)) for mention in quoted]
        others = _foreign(text)
        apart = [one for one in others if not any(start <= one.start < end for start, end in inside)]
        return sorted(quoted + apart, key=lambda mention: mention.start)
    if kind == "person":  # what is quoted as a whole may as well be a title
        return sorted(
            islice(_found(text, kind), _MOST), key=lambda one: text[max(0, one.start - 1) : one.start] in tuple("\"'“‘«`")
        )
    return list(islice(_found(text, kind), _MOST))


def singular(word: str) -> str:
    """A word in lower case, and without the `s` of a plural."""
    lower = word.lower()
    if len(lower) < 4 or not lower.endswith("s"):
        return lower
    return re.sub("ie$", "y", re.sub("(?<=[osxh])e$", "", lower[:-1]))


def _found(text: str, kind: str) -> Iterator[Mention]:
    known = set[str]()
    for match in _expression(kind).finditer(_masked(text, kind)):
        mention = _mention(text, kind, match)
        again = kind in ("person", "place") and mention.text in known
        if mention.text and not again and not (kind == "person" and _PLACED.search(text[: mention.start][-6:])):
            known.add(mention.text)
            yield mention


def _mention(text: str, kind: str, match: re.Match[str]) -> Mention:
    """What a match mentions; its text is empty where that is nothing."""
    group = match.lastindex or 0 if kind in ("quoted", "stated", "place") else 0
    written = _read(kind, match[group])
    start = match.start(group) + (match[group].find(written) if kind == "person" else 0)
    behind = text[match.end() : match.end() + 24] if kind == "number" else ""
    at = match.start() if kind in ("stated", "place") else start
    return Mention(written, start, tuple(_labels(text, at, match, kind, behind)), _COUNTED.match(behind) is not None)


@lru_cache(maxsize=32)  # as many as there are kinds
def _expression(kind: str) -> re.Pattern[str]:
    return re.compile(_EXPRESSIONS[kind], re.IGNORECASE if kind == "date" else re.NOFLAG)


def _foreign(text: str) -> list[Mention]:
    """Words in another script than the Latin rest: they are as good as quoted."""
    return find_mentions(text, "foreign") if re.search("[A-Za-z]{2}", text) else []


def _masked(text: str, kind: str) -> str:
    """The text with blanks in place of what looks like a number or a name, and is part of something else."""
    if kind not in ("number", "person", "code", "clock", "date", "phone_number", "filename"):
        return text
    for solid in _SOLID[: _SOLID.index(kind)] if kind in _SOLID else _SOLID:
        text = re.sub(_expression(solid), lambda match: " " * len(match[0]), text)
    return text


def _read(kind: str, written: str) -> str:
    """What is written as a value: a date in ISO's order, a name without the verb that begins its sentence; "" for none."""
    match kind:
        case "person" | "place":
            return _name(written)
        case "date":
            return _date(written)
        case "date-time":
            day, clock = _date(written[:10]), written[11:]
            plain = re.match("[0-9:]+", clock)
            seconds = ":00" if plain and len(plain[0]) == 5 else ""
            return f"{day}T{plain[0]}{seconds}{clock[plain.end() :] or 'Z'}" if day and plain else ""
        case "stated":
            return re.split(r"[.!?](?:\s|$)", written)[0].strip()
        case "number":
            return written.replace(",", "")
    return written


def _name(written: str) -> str:
    words = written.split(" ")
    while words and words[0].lower().rstrip(".") in _BEGINNINGS:
        words = words[1:]
    while words and words[-1].lower() in _BEGINNINGS:
        words = words[:-1]
    if not words or any(word.lower() in _NO_NAMES for word in words) or (len(words) == 1 and words[0].isupper()):
        return ""
    return " ".join(words)


def _date(written: str) -> str:
    numbers = re.findall("[0-9]+", written)
    month = re.search("[a-z]{3}", re.sub("[0-9]+(?:st|nd|rd|th| of)*", "", written.lower()))
    try:
        if month is None:
            return date(*map(int, numbers)).isoformat()
        position = 1 + next(at for at, name in enumerate(_MONTHS) if name.startswith(month[0]))
        return date(int(numbers[1]), position, int(numbers[0])).isoformat()
    except (ValueError, StopIteration):
        return ""


def _labels(text: str, start: int, match: re.Match[str], kind: str, behind: str) -> Iterator[str]:
    """The words before a mention, nearest last, with and without those that link; behind a number also its unit."""
    clause = re.split(r"[,;!?\n]|\.\s", text[max(0, start - 60) : start])[-1]
    stated = kind == "stated" or clause.rstrip(" \"'`").endswith((":", "="))
    words = [singular(word) for word in re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", clause))][-6:]
    if kind == "place":
        words.append(match[0].split(" ", 1)[0])
    while words:
        yield from (" ".join(words[-size:]) for size in (3, 2, 1) if size <= len(words) and (stated or len(words[-1]) > 1))
        if words.pop() not in _LINKS or stated:
            break
    if unit := _UNIT.match(behind):
        yield singular(unit[1])
