"""Plausible English from a small word list of our own: default answers, and the texts of generated JSON.

The words are few and common on purpose: they stay the same from release to release, and counting their tokens reads little of
the vocabulary.
"""

from __future__ import annotations

import re

from mockserver.state.chance import Chance

_ADJECTIVES = """
bright clear common deep early fair fresh gentle hidden light local modern narrow open patient plain quick quiet ready shared
short simple slow small soft stable strong sudden warm wide young
"""
_NOUNS = """
answer balance beginning bridge change choice circle corner detail effort example field garden idea island journey kitchen
lesson letter market method minute morning mountain number pattern picture place plan point problem project promise question
reason result river season signal station step story street summer surface table theory thread village voice window winter
"""
_VERBS = """
adds becomes brings changes contains covers describes explains follows gives helps holds keeps leads leaves marks meets needs
offers opens serves shows suggests supports takes turns
"""
_FUNCTION_WORDS = """
about above after again also answer anything because been before being below between both briefly could does doing down during
each else every everything explain find from give good have having hello help here into itself just know like list make many
more most much must need only other over please provide really return same say sentence sentences should show some something
such summarize summary tell test than thank thanks that their them then there these they thing things this those through under
until using very want well were what when where which while whom will with within without word words would write your yours
"""
ADJECTIVES, NOUNS, VERBS = _ADJECTIVES.split(), _NOUNS.split(), _VERBS.split()
ENDINGS = (
    "",
    "",
    " over time",
    " at first",
    " in the end",
    " without much effort",
    " for a while",
    " as expected",
    " step by step",
    " on most days",
    " in a simple way",
    " more than once",
)
OPENINGS = (
    "About {}: ",
    "As for {}: ",
    "On {}: ",
    "A note on {}: ",
)
WORDS = tuple(ADJECTIVES + NOUNS)
_DETERMINERS = ("the", "this", "each", "every", "another")
_EXAMINED = 2_000  # characters
_ARTICLES = frozenset(["the", "a", "an", "some"])
_QUESTION_WORDS = """
why how when which who whose where what are is was were am can could should shall do does did will would has have had may
might must isn't aren't don't
"""
_ASKING = frozenset(_QUESTION_WORDS.split())
_SPEAKING = frozenset(["i", "i'm", "i'd", "i've", "we", "we're", "my", "our", "you", "your", "it"])
_LONGEST_ECHO = 24
_MOST_ECHOES = 2
_MOST_WORDS = 9  # of a clause that is taken up
_SENTENCE = re.compile(r"[^.!?\n]{1,200}(\?)?")
# What a question or a request begins with, before what it is about.
_LEAD = re.compile(
    r"(?:hello|hi|hey|please|kindly|now|and|so|ok|okay|"
    r"(?:can|could|would|will) (?:you|we|i)(?: please)?|i(?: would|'d) like(?: you)? to|i (?:want|need)(?: you)? to|"
    r"(?:tell|give|show|teach|write|help) (?:me|us)(?: (?:about|on|more|something))*|"
    r"tell|write|say|explain(?: to me)?|describe|summari[sz]e|discuss|"
    r"(?:what|who|where)(?:'s| is| are| was| were)|(?:do|does|did|is|are) (?=the |a )|do you know|about)[ ,]+",
    re.IGNORECASE,
)
_COMMON = frozenset(_FUNCTION_WORDS.split())


def write_words(count: int, chance: Chance) -> str:
    """`count` lower-case words, separated by spaces."""
    return " ".join([chance.choice(WORDS) for _ in range(count)])


def write_sentence(chance: Chance) -> str:
    """One sentence, with a capital and a full stop."""
    return f"The {_clause(chance)}."


def write_answer(prompt_text: str, chance: Chance) -> str:
    """One to three sentences, which take up what the prompt is about: a clause of its question, else some of its keywords."""
    sentences = [write_sentence(chance) for _ in range(chance.below(3))]
    about = _topic(prompt_text[:_EXAMINED]) or " and ".join(_keywords(prompt_text))
    if not about:
        return " ".join([write_sentence(chance), *sentences])
    return " ".join([f"{chance.choice(OPENINGS).format(about)}the {_clause(chance)}.", *sentences])


def _topic(text: str) -> str:
    """What the first question of a text is about, else its first sentence; "" where that is too long, or says nothing."""
    sentence = None
    for match in _SENTENCE.finditer(text):
        sentence = match if sentence is None or match[1] else sentence
        if match[1]:
            break
    clause = sentence[0].strip(" ?\t,;:") if sentence else ""
    while lead := _LEAD.match(clause):
        clause = clause[lead.end() :]
    words = clause.partition(",")[0].split()
    telling = any(len(word) > 3 and word.lower() not in _COMMON for word in words)
    if not telling or not 1 < len(words) <= _MOST_WORDS or ":" in clause:
        return ""
    first, rest = words[0].lower(), words[1:]
    if first in _ASKING:
        return f'"{" ".join(words)}?"' if sentence and sentence[1] else ""
    return "" if first in _SPEAKING else " ".join([first if first in _ARTICLES else words[0], *rest])


def _clause(chance: Chance) -> str:
    pick = chance.choice
    return f"{pick(ADJECTIVES)} {pick(NOUNS)} {pick(VERBS)} {pick(_DETERMINERS)} {pick(NOUNS)}{pick(ENDINGS)}"


def _keywords(text: str) -> list[str]:
    """The longest words of a text that are no function words, in the order of the text."""
    words: dict[str, str] = {}  # by their lower case, in the spelling that comes first
    for word in re.findall(r"[^\W\d_][\w'’-]*[^\W_]", text[:_EXAMINED]):
        if 4 <= len(word) <= _LONGEST_ECHO and word.lower() not in _COMMON:
            words.setdefault(word.lower(), word)
    longest = sorted(words.values(), key=len, reverse=True)[:_MOST_ECHOES]
    return [word for word in words.values() if word in longest]
