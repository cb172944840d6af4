"""The words of texts and of queries, in the form in which they are compared.

A form has no accents, no capitals and no English ending. Identifiers count as a whole and by their parts, scripts without spaces
by pairs of characters, and long words also by their endings, with `~` in front: so compounds are found by their last part.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

# Marks belong to the letter before them, but are no letters: those of all scripts, and the vowels of Indic ones.
_MARKS = "\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0711\u0730-\u074a"
_VOWELS = "\u0900-\u0963\u0966-\u0dff\u0e00-\u109f\u1780-\u17d3\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u3099\u309a\ufe20-\ufe2f"
_ASCII_WORD, _WORD = re.compile(r"\w+", re.ASCII), re.compile(rf"[\w{_MARKS}{_VOWELS}]+")
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[^A-Z\d_]+|[A-Z]+|\d+")
# Han, kana, Hangul, Thai, Lao, Burmese, Khmer: written without spaces, or with endings that no rule here takes away.
_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]+)"
)
_KEPT_WHOLE = range(0x3040, 0x3100)  # kana: a mark makes another letter of one, and no accent
_LONGEST = 64  # characters of a word; what is longer is cut, since it is none
_COMPOUND = 10  # characters that a compound has at least
_MEMBER = 4  # and its parts
_FUNCTION_TEXT = """
a about all also am an and any are as at be been being but by can could did do does doing for from had has have having he her
him his how i if in into is it its just let may me might must my no nor not of on or our shall she should so some such t s
re ve ll than that the their them then there these they this those to too us was we were what when where which while who whom
whose why will with would you your
"""
_FUNCTION_WORDS = frozenset(_FUNCTION_TEXT.split())
# What questions begin with. In a text they mean something, so that they count where a query has nothing else.
_ASKING_TEXT = "describe explain find give know like list look need please search show tell want"
_ASKING = frozenset(_ASKING_TEXT.split())
_IRREGULAR = {
    "children": "child",
    "men": "man",
    "women": "woman",
    "people": "person",
    "feet": "foot",
    "teeth": "tooth",
    "mice": "mouse",
    "geese": "goose",
    "indices": "index",
    "vertices": "vertex",
    "matrices": "matrix",
    "criteria": "criterion",
    "leaves": "leaf",
    "knives": "knife",
    "lives": "life",
    "wolves": "wolf",
    "halves": "half",
    "shelves": "shelf",
    "analyses": "analysis",
    "sent": "send",
    "paid": "pay",
    "bought": "buy",
    "kept": "keep",
    "held": "hold",
    "ran": "run",
}
# What makes a noun, a verb or an adjective of a word; what is left in front is looked for as well.
_DERIVED = re.compile(r"(?<=\w{4})(?:ational|ation|ition|ments?|ness|able|ible|ance|ence|ions?|ors?|ers?|als?|ive|iti|ung|li)$")
_UMLAUT = re.compile("([aou])e")  # as umlauts are written where there are none; accents are gone here anyway
_STEM = 6  # characters of a word whose first two thirds are likely to be its stem


@dataclass(frozen=True, slots=True)
class Term:
    """A word of a query: its form, and how else it may stand in a text, each way with its weight below 1.

    A way that ends with `*` stands for all words that begin so.
    """

    form: str
    variants: tuple[tuple[str, float], ...] = ()


def index(text: str) -> str:
    """The forms of all words of `text`, in their order, with spaces between."""
    return " ".join(map(_forms, _find(text)))


def query(text: str) -> list[Term]:
    """The words of a query, each once. Those that only hold a sentence together are left out."""
    found = _find(text)
    return _distinct([word for word in found if word.lower() not in _ASKING]) or _distinct(found)


def _distinct(found: Sequence[str]) -> list[Term]:
    terms: dict[str, Term] = {}
    for word in found:
        for term in _terms(fold(word)):
            terms.setdefault(term.form, term)
    return list(terms.values())


def _find(text: str) -> list[str]:
    return (_ASCII_WORD if text.isascii() else _WORD).findall(text)


def content_words(text: str) -> list[str]:
    """The words of `text` as they stand there, without those that only hold a sentence together."""
    found = [word for word in re.findall(r"[\w+#.'’-]*\w[\w+#]*", text) if word.lower().split("'")[0] not in _FUNCTION_WORDS]
    return [word for word in found if word.lower() not in _ASKING] or found


def fold(text: str) -> str:
    """`text` without accents and marks, and with one character for those that look alike. Capitals stay."""
    return text if text.isascii() else text.translate(_FOLDED)


class _Folded(dict[int, str]):
    """A table for `str.translate` from every character to its plain form; it fills with the characters that texts have."""

    def __missing__(self, code: int) -> str:
        from unicodedata import category, normalize

        character = chr(code)
        plain = character if code in _KEPT_WHOLE or code < 128 else normalize("NFKD", character)
        if code not in _KEPT_WHOLE:
            plain = "".join([one for one in plain if not category(one).startswith("M")])
        folded = self[code] = normalize("NFC", plain).replace("ß", "ss").replace("ſ", "s").replace("ø", "o").replace("æ", "ae")
        return folded


_FOLDED = _Folded()


@lru_cache(maxsize=65_536)  # by word: texts differ, but consist of the same words
def _forms(word: str) -> str:
    return " ".join([form for piece in _pieces(fold(word)) for form in _indexed(piece)])


def _pieces(word: str) -> Iterator[str]:
    """A run of letters and digits, cut where a script without spaces begins or ends."""
    return (piece for piece in (_UNSPACED.split(word) if not word.isascii() else (word,)) if piece)


def _indexed(piece: str) -> Iterator[str]:
    if _UNSPACED.match(piece):
        yield from _pairs(piece)
        yield piece[-1]
        return
    parts = _parts(piece)
    for part in parts:
        form = _form(part)
        if not form or form in _FUNCTION_WORDS or (len(parts) > 1 and len(form) == 1 and form.isalpha()):
            continue
        yield form
        if len(parts) == 1 and len(form) >= _COMPOUND and form.isalpha():
            yield from (f"~{form[at:]}" for at in range(_MEMBER - 1, len(form) - _MEMBER + 1))
    if len(parts) > 1:
        yield _whole(piece)


def _terms(word: str) -> Iterator[Term]:
    for piece in _pieces(word):
        if _UNSPACED.match(piece):
            yield from [Term(pair) for pair in _pairs(piece)] or [Term(piece, ((f"{piece}*", 0.9),))]
            continue
        parts = _parts(piece)
        forms = [form for part in parts if (form := _form(part)) and form not in _FUNCTION_WORDS]
        if len(parts) > 1:
            yield Term(_whole(piece))
            forms = [form for form in forms if len(form) > 1 or form.isdigit()]
        yield from [Term(form, tuple(_variants(form).items())) for form in forms]


def _variants(form: str) -> dict[str, float]:
    """How else a word may stand in a text, each way with its weight."""
    if len(form) < _MEMBER or not form.isalpha():
        return {}
    variants = {f"{form}*": 0.7, f"~{form}": 0.7}
    for variant, weight in (*_spellings(form), *_members(form)):
        if variant != form:
            variants.setdefault(variant, weight)
    return variants


def _spellings(form: str) -> Iterator[tuple[str, float]]:
    """A word without umlauts, those that are made of the same one, and those that only begin like it."""
    yield _UMLAUT.sub(r"\1", form), 0.8
    root = _DERIVED.sub("", form)
    if root != form:
        yield from ((root, 0.6), (f"{root}*", 0.5))
    if len(form) >= _STEM:
        yield f"{form[: max(_MEMBER, len(form) * 2 // 3)]}*", 0.3


def _members(form: str) -> Iterator[tuple[str, float]]:
    """What a long word may be composed of."""
    if len(form) >= _COMPOUND:
        for at in range(_MEMBER, len(form) - _MEMBER + 1):
            yield from ((form[at:], 0.5), (f"~{form[at:]}", 0.4), (form[:at], 0.5))


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)]


def _parts(piece: str) -> list[str]:
    return _PART.findall(piece) or [piece]


def _whole(piece: str) -> str:
    return piece.replace("_", "").lower()[:_LONGEST]


def _form(word: str) -> str:
    word = word.lower()[:_LONGEST].strip("_")
    return word if word in _FUNCTION_WORDS else stem(word)


def stem(word: str) -> str:
    """A word in small letters without the ending of an English plural or verb, or of a German plural."""
    if len(word) < 4 or not word.isalpha():
        return word
    word = _IRREGULAR.get(word, word)
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending, shortest in (("ing", 6), ("ed", 5), ("en", 7)):
        if len(word) >= shortest and word.endswith(ending) and re.search("[aeiouy]", word[: -len(ending)]):
            word = _single(word[: -len(ending)])
            break
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    return word[:-1] + "i" if len(word) > 3 and word[-1] == "y" and word[-2] not in "aeiou" else word


def _single(word: str) -> str:
    """`stopp` as `stop`: an ending has doubled the last letter; not so in `call` and `pass`."""
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lszaeiou" else word
