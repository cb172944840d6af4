"""Examples of what Lark grammars take. That Lark takes them too was tried by hand; here hand-written expressions stand in for it."""

from __future__ import annotations

import re

import pytest

from mockserver.model.grammar import GrammarError, make_sentence
from mockserver.state.chance import Chance

SQL = r"""
// a query of one table
start: "SELECT" columns "FROM" NAME [where] ";"
columns: "*" | NAME ("," NAME)*
where: "WHERE" NAME OP value -> filter
?value: NUMBER | ESCAPED_STRING | "(" value ")"
OP.2: "=" | "<" | ">"
NAME: /[a-z_]{2,8}/i
%import common.NUMBER
%import common (ESCAPED_STRING, WS)
%ignore WS
"""
CASES: list[tuple[str, str, str]] = [
    ("query", SQL, r'SELECT (\*|\w+( , \w+)*) FROM \w+( WHERE \w+ [=<>] (\( )*([\d.]+|"[^"]*")( \))*)? ;'),
    ("text", 'start: "yes"i | "no"', "yes|no"),
    ("escapes", r'start: "a\"b\n\\"', 'a"b\n\\\\'),
    ("counts", 'start: "a"~2 "b"~1..3 "c"~0', "aab{1,3}"),
    ("signs", 'start: "a"? "b"* "c"+', "a?b*c+"),
    ("option", 'start: ["x"] "y"', "x?y"),
    ("range", 'start: DIGITS\nDIGITS: "0".."9"~3', r"\d{3}"),
    ("terminals are one token", 'start: A A\nA: "a" B\nB: "b"\n%import common.WS\n%ignore WS', "ab ab"),
    ("no spaces without ignoring them", 'start: "a" "b"', "ab"),
    ("comments are not spaces", 'start: "a" "b"\n%ignore /#[a-z]+/', "ab"),
    ("alternatives on their own lines", 'start: "a"\n     | "b" -> other\n\n     | "c"', "[abc]"),
    ("recursion", 'start: "(" start ")" | "x"', r"(\()*x(\))*"),
    ("left recursion", '?start: start "+" N | N\nN: /[0-9]/', r"\d(\+\d)*"),
    ("a dead end is not taken", 'start: "a" | dead\ndead: "b" dead', "a"),
    ("regular expression with a slash", r"start: /a\/b/", "a/b"),
    ("renamed import", "start: WHOLE\n%import common.INT -> WHOLE", r"\d+"),
    ("names with marks", '!start: ?a\n?a: "x"', "x"),
    ("nothing", "start: ", ""),
]  # fmt: skip


@pytest.mark.parametrize(("grammar", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_sentence_follows_its_grammar(grammar: str, expected: str) -> None:
    sentences = {make_sentence(grammar, Chance(f"seed {seed}")) for seed in range(40)}
    assert [one for one in sentences if not re.fullmatch(expected, one)] == []


def test_sentences_differ_by_chance_and_repeat_with_it() -> None:
    grammar = CASES[0][1]
    assert len({make_sentence(grammar, Chance(str(seed))) for seed in range(20)}) > 10
    assert make_sentence(grammar, Chance("a")) == make_sentence(grammar, Chance("a"))


@pytest.mark.parametrize(
    ("grammar", "problem"),
    [
        ("", "the rule 'start' takes nothing"),
        ('begin: "a"', "the rule 'start' takes nothing"),
        ("start: missing", "the rule 'start' takes nothing"),
        ('start: start "a"', "the rule 'start' takes nothing"),
        ('start: ("a"', "'(' is not closed"),
        ('start: "a")', "')' is not expected"),
        ("start: *", "'*' is not expected"),
        ("start: $", "'$' is not read"),
        ("start: /(/", "no text is found for /(/"),
        ("%import python.NAME", "the import 'python.NAME' is not read"),
        ("%import common.NOTHING", "common has no 'NOTHING'"),
        ("%declare INDENT", "%declare is not read"),
        ('start: "a"~3000', "the grammar has no short sentence"),
        ("start: " + '"a" ' * 6_000, "the grammar is too long"),
        ("\n".join(f'r{at}: "a"' for at in range(501)), "the grammar has too many rules"),
        ("start: " + "(" * 5_000 + ")" * 5_000, "the grammar is nested too deeply"),
    ],
)
def test_what_has_no_example_is_an_error(grammar: str, problem: str) -> None:
    with pytest.raises(GrammarError) as raised:
        make_sentence(grammar, Chance("x"))
    assert problem in str(raised.value)


@pytest.mark.parametrize("last", ['""', '"a"'])
def test_a_grammar_that_doubles_at_every_rule_ends_soon(last: str) -> None:
    rules = [f"r{at}: r{at + 1} r{at + 1}" for at in range(60)]
    with pytest.raises(GrammarError, match="no short sentence"):
        make_sentence("\n".join(["start: r0", *rules, f"r60: {last}", "%ignore r0"]), Chance("x"))
