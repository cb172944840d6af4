"""Plausible English out of a small word list of our own: default answers, thoughts and filler for generated JSON.

The words are few and common on purpose: they stay the same from release to release, and counting them as tokens needs only the
quickest part of the vocabulary.
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
_EXAMINED = 2_000
_LONGEST_ECHO = 24
_MOST_ECHOES = 2
_COMMON = frozenset(_FUNCTION_WORDS.split())


def words(count: int, chance: Chance) -> str:
    """`count` lower-case words, separated by spaces."""
    return " ".join([chance.choice(WORDS) for _ in range(count)])


def sentence(chance: Chance) -> str:
    """One sentence, with a capital and a full stop."""
    return f"The {_clause(chance)}."


def answer(prompt_text: str, chance: Chance) -> str:
    """One to three sentences that take up a few telling words of the prompt where it has any."""
    sentences = [sentence(chance) for _ in range(chance.below(3))]
    echoes = _telling_words(prompt_text)
    if not echoes:
        return " ".join([sentence(chance), *sentences])
    opening = chance.choice(OPENINGS).format(" and ".join(echoes))
    return " ".join([f"{opening}the {_clause(chance)}.", *sentences])


def _clause(chance: Chance) -> str:
    pick = chance.choice
    return f"{pick(ADJECTIVES)} {pick(NOUNS)} {pick(VERBS)} {pick(_DETERMINERS)} {pick(NOUNS)}{pick(ENDINGS)}"


def _telling_words(text: str) -> list[str]:
    """The longest of the words that say what the text is about, in the order of the text."""
    seen: dict[str, str] = {}
    for word in re.findall(r"[^\W\d_][\w'’-]*[^\W_]", text[:_EXAMINED]):
        if 4 <= len(word) <= _LONGEST_ECHO and word.lower() not in _COMMON:
            seen.setdefault(word.lower(), word)
    longest = sorted(seen.values(), key=len, reverse=True)[:_MOST_ECHOES]
    return [word for word in seen.values() if word in longest]
