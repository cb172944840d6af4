"""Formulas of multi graders: what they are worth, and that no text whatever does more than fail."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.model.grade.formula import DEEPEST, FUNCTIONS, LONGEST, FormulaError, read

VALUES = {"a": 0.5, "b": 2.0, "long_name2": 3.0, "min": 7.0}


def value(text: str) -> float:
    return read(text, VALUES).value(VALUES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 1),
        (" .5 ", 0.5),
        ("1.5e2", 150),
        ("2.", 2),
        ("a", 0.5),
        ("0.5 * a + 0.5 * b", 1.25),
        ("(a + b) / 2", 1.25),
        ("1 - 2 - 3", -4),
        ("8 / 4 / 2", 1),
        ("2 ^ 3 ^ 2", 512),
        ("2 ** 3", 8),
        ("-2 ^ 2", -4),
        ("2 ^ -1", 0.5),
        ("2 * -3", -6),
        ("- - 3", 3),
        ("+3", 3),
        ("2 + 3 * 4", 14),
        ("(2 + 3) * 4", 20),
        ("min(a, b, 0.1)", 0.1),
        ("max(a)", 0.5),
        ("abs(-3) + floor(1.9) + ceil(1.1)", 6),
        ("exp(0) + sqrt(16) + log(1)", 5),
        ("min + min(1, 2)", 8),
        ("long_name2*(a+b)^2", 18.75),
    ],
)
def test_formulas_have_the_value_of_mathematics(text: str, expected: float) -> None:
    assert value(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "expected a number, a name or '('"),
        ("a +", "expected a number, a name or '('"),
        ("a b", "expected an operator, but got 'b'"),
        ("a)", "expected an operator, but got ')'"),
        ("(a", r"expected '\)'"),
        ("* a", "expected a number, a name or '(', but got '*'"),
        ("c", "'c' is not the name of a grader; there are 'a', 'b', 'long_name2', 'min'"),
        ("tan(a)", "'tan' is not a function; there are min, max, abs, floor, ceil, exp, sqrt, log"),
        ("abs(a, b)", "'abs' takes one argument"),
        ("max()", "expected a number, a name or '('"),
        ("a.b", "unexpected '.'"),
        ("a[0]", r"unexpected '\['"),
        ("__import__('os')", "unexpected '''"),
        ("a = 1", "unexpected '='"),
        ("a // b", "expected a number, a name or '(', but got '/'"),
        ("1_000", "expected an operator, but got '_000'"),
        ("💥", "unexpected '💥'"),
        ("(" * 4_000, f"at most {DEEPEST} levels deep"),
        ("-" * 4_000 + "1", f"at most {DEEPEST} levels deep"),
        ("2^" * 2_000 + "1", f"at most {DEEPEST} levels deep"),
        ("1+" * LONGEST + "1", f"at most {LONGEST:,} characters"),
    ],
)
def test_what_is_no_formula_is_said_to_be_none(text: str, problem: str) -> None:
    with pytest.raises(FormulaError) as caught:
        read(text, VALUES)
    assert problem.replace("\\", "") in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "1 / 0",
            "0 ^ -1",
            "(-8) ^ (1 / 3)",
            "sqrt(-1)",
            "log(0)",
            "exp(exp(exp(9)))",
            "9" * 4_000,
            "1e999",
            "1e308 * 10",
            "9^9^9^9",
        ),
        *("floor(1e308 * 10)", "1e999 - 1e999", "abs((-1) ^ 0.5)", "min((-1) ^ 0.5, 1)"),
    ],
)
def test_a_formula_without_a_finite_value_says_so(text: str) -> None:
    formula = read(text, VALUES)
    with pytest.raises(FormulaError, match=r"has no (finite )?value"):
        formula.value(VALUES)


def test_a_long_chain_takes_no_depth() -> None:
    assert value("1+" * 2_000 + "1") == 2_001
    assert value("1*" * 2_000 + "1") == 1


def _outcome(text: str) -> float | None:
    try:
        return value(text)
    except FormulaError:
        return None


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=80), st.text(alphabet="ab01.e+-*/^(), minmaxlogsqrt", max_size=120)))
def test_any_text_gives_a_number_or_an_error(text: str) -> None:
    found = _outcome(text)
    assert found is None or math.isfinite(found)


NUMBERS = st.one_of(st.sampled_from(["a", "b"]), st.integers(0, 9).map(str), st.floats(0, 99).map(lambda one: f"{one:.3f}"))


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, st.sampled_from("+-*/^"), inner).map(lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"),
        st.tuples(inner, st.sampled_from("+-*"), inner).map(" ".join),
        inner.map(lambda one: f"-{one}"),
        st.tuples(st.sampled_from(FUNCTIONS), inner).map(lambda parts: f"{parts[0]}({parts[1]})"),
        st.tuples(inner, inner).map(lambda parts: f"max({parts[0]}, {parts[1]})"),
    )


@settings(max_examples=200, deadline=None)
@given(st.recursive(NUMBERS, _grow, max_leaves=12))
def test_formulas_are_worth_what_python_makes_of_them(text: str) -> None:
    functions = {"min": lambda *all_: min(all_), "max": lambda *all_: max(all_), "abs": abs}
    functions |= {name: getattr(math, name) for name in FUNCTIONS if name not in functions}
    floats = text.replace("^", "**")
    try:
        expected = eval(floats, {"__builtins__": {}}, {**functions, "a": 0.5, "b": 2.0})
        expected = float(expected) if math.isfinite(expected) else None
    except (ArithmeticError, ValueError, TypeError):
        expected = None
    found = _outcome(text)
    if expected is None or found is None:
        assert found is None or expected is None or len(text) > 60  # whole numbers of Python do not overflow where floats do
    else:
        assert found == pytest.approx(expected, rel=1e-9)
