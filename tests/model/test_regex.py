"""The reader of regular expressions, by the trees that it makes, and by strings made from them, which `re` itself judges."""

from __future__ import annotations

import re

import pytest

from mockserver.model.json_schema.patterns import make_match
from mockserver.model.regex import Anchor, Character, Conditional, Group, Lookaround, Node, Reference, Repeat, children, read
from mockserver.state.chance import Chance

A, B = Character("a", literal=True), Character("b", literal=True)


@pytest.mark.parametrize(
    ("expression", "nodes"),
    [
        ("a", (A,)),
        ("^a$", (Anchor(), A, Anchor())),
        (r"\Aa\b\B\Z", (Anchor(), A, Anchor(), Anchor(), Anchor())),
        (r".[ab][]a][^]\]]\d", tuple(map(Character, (".", "[ab]", "[]a]", r"[^]\]]", r"\d")))),
        (r"[a]\.\x41\101\0", (A, Character(".", literal=True), *map(Character, (r"\x41", r"\101", r"\0")))),
        ("a*b+?", (Repeat(A, 0, None), Repeat(B, 1, None))),
        ("a?b++", (Repeat(A, 0, 1), Repeat(B, 1, None, possessive=True))),
        ("a{2}b{2,}", (Repeat(A, 2, 2), Repeat(B, 2, None))),
        ("a{,3}b{1,3}?", (Repeat(A, 0, 3), Repeat(B, 1, 3))),
        ("a{,}b{}", (Repeat(A, 0, None), B, *(Character(brace, literal=True) for brace in "{}"))),
        (r"(a)(?P<n>b)\1(?P=n)", (Group(((A,),), 1), Group(((B,),), 2), Reference(1), Reference(2))),
        ("(?:a|b|)", (Group(((A,), (B,), ())),)),
        ("(?>a)(?i:b)(?-i:a)", (Group(((A,),), atomic=True), Group(((B,),)), Group(((A,),)))),
        ("(?=a)(?<!b)", (Lookaround(((A,),), negative=False), Lookaround(((B,),), negative=True))),
        ("(a)?(?(1)a|b)", (Repeat(Group(((A,),), 1), 0, 1), Conditional(((A,), (B,))))),
        ("a(?#any (text)*b", (Repeat(A, 0, None), B)),
        (
            "(?x) a # a comment\n * [ ] (?-x: )",
            (Repeat(A, 0, None), Character(" ", literal=True), Group(((Character(" ", literal=True),),))),
        ),
        ("(?x: a )b", (Group(((A,),)), B)),
    ],
)
def test_an_expression_becomes_a_tree(expression: str, nodes: tuple[Node, ...]) -> None:
    assert read(re.compile(expression)) == (nodes,)


def test_the_alternatives_of_an_expression_and_of_its_groups_are_its_children() -> None:
    first, second = read(re.compile("(?:a|b)+|b"))
    assert second == (B,)
    (repeat,) = first
    assert children(repeat) == ((Group(((A,), (B,))),),)
    assert children(repeat.node) == ((A,), (B,))
    assert children(A) == ()


@pytest.mark.parametrize(
    "pattern",
    [
        r"^[A-Z]{2}\d{4}$",
        r"^(?=.*[A-Z])(?=.*[0-9]).{8,}$",
        r"^(?P<year>\d{4})-(?P=year)$",
        r"^[^\s@]+@[^\s@]+\.[a-z]{2,}$",
        r"^[\u4e00-\u9fa5]{2,4}$",
        r"^\N{SNOWMAN}\U0001F680\n\t\\$",
        r"^[^\x00-\x7F]+$",
        "^(?x: [a-c]{3} # three letters\n )$",
        r"^(?i:HELLO)(?s:.)$",
    ],
)
def test_a_string_made_for_an_expression_is_one_that_it_matches(pattern: str) -> None:
    for seed in range(5):
        text = make_match(pattern, 0, 100, Chance(f"{seed}"))
        assert text is not None
        assert re.search(pattern, text)
