"""What a condition says, against Python's own arithmetic; and which character is to blame where it says nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlp_core.labs.lessons.condition import ConditionError, Reference, parse_condition, parse_sum

VALUES: Mapping[str, float] = {"a": 0.5, "b": -3.0, "c": 1e-12, "d": math.nan, "e": math.inf}
numbers = st.floats(0, 1e6).map(lambda value: f"{value!r}")
terms = st.one_of(numbers, st.sampled_from("abc"), st.tuples(numbers, st.sampled_from("abcde")).map(" * ".join))
sums = st.tuples(st.sampled_from(["", "-", "+"]), terms, st.lists(st.tuples(st.sampled_from([" + ", " - ", "+", "-"]), terms))).map(
    lambda parts: parts[0] + parts[1] + "".join(sign + term for sign, term in parts[2])
)
comparisons = st.tuples(sums, st.sampled_from([" < ", "<=", ">", " >= ", " == ", "!="]), sums).map("".join)
conditions = st.lists(comparisons, min_size=1, max_size=3).map(" and ".join).filter(lambda text: len(text) <= 300)


def known(reference: Reference) -> float | None:
    assert reference == Reference(reference.name)
    return VALUES.get(reference.name)


@given(conditions)
def test_a_condition_holds_where_python_says_so(text: str) -> None:
    assert parse_condition(text).holds(known) is eval(text, {}, dict(VALUES))


@given(sums.filter(lambda text: len(text) <= 300))
def test_a_sum_comes_to_what_python_says(text: str) -> None:
    value = parse_sum(text).value(known)
    assert value is not None
    assert value == eval(text, {}, dict(VALUES)) or math.isnan(value)


@example("\x1f")  # a blank to Python, and to no token
@given(st.text(max_size=40) | st.text('ab01 .<>=+-*"andofstepinafter', max_size=40))
def test_any_text_is_a_condition_or_an_error_at_one_of_its_characters(text: str) -> None:
    with suppress(ConditionError):
        parse_condition(text)
        return
    with pytest.raises(ConditionError, match=r"^character \d+: ") as refused:
        parse_condition(text)
    assert 0 <= refused.value.position <= len(text)


def test_a_measure_says_of_which_run_when_and_in_which_step() -> None:
    condition = parse_condition('10 * loss of "ReLU, He" after 5 epochs in step 2 - loss<accuracy after 1 epoch and gradient in step 1 > 0')
    assert condition.references == (
        Reference("loss", "ReLU, He", 5, 2),
        Reference("loss"),
        Reference("accuracy", after=1),
        Reference("gradient", step=1),
    )
    ((_, factors), *_) = [[left.terms, [factor for factor, _ in left.terms]] for left, _, _ in condition.comparisons]
    assert factors == [10, -1]


def test_only_a_measure_alone_is_single() -> None:
    assert parse_sum("loss after 3 epochs").single == Reference("loss", after=3)
    assert [parse_sum(text).single for text in ("2 * loss", "-loss", "loss - loss", "3")] == [None] * 4


def test_a_missing_value_leaves_it_open() -> None:
    assert parse_condition("missing < 1").holds(known) is None
    assert parse_condition("a > 1 and missing < 1").holds(known) is None
    assert parse_sum("a + missing").value(known) is None


def test_what_is_no_number_is_neither_below_nor_above() -> None:
    assert parse_condition("d < 1").holds(known) is False
    assert parse_condition("d >= 1").holds(known) is False
    assert parse_condition("d != d").holds(known) is True


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("", 0, "expected a measure or a number, found the end"),
        ("a <", 3, "expected a measure or a number, found the end"),
        ("a", 1, "expected one of < <= > >= == !=, found the end"),
        ("a < 1 < 2", 6, "expected the end, found '<'"),
        ("a < 1 or b < 1", 6, "expected the end, found 'or'"),
        ("a < 1 and", 9, "expected a measure or a number"),
        ("a = 1", 2, "'=' is not allowed here"),
        ("a * 2 < 1", 2, "expected one of"),
        ("2 * 3 < 1", 4, "expected a measure or a number, found '3'"),
        ("a < --1", 5, "expected a measure"),
        ("(a) < 1", 0, "'(' is not allowed"),
        ("a of b < 1", 5, "expected the label of a run in \"quotation marks\", found 'b'"),
        ('a of "b < 1', 5, "is not allowed"),
        ("a after 0 epochs < 1", 8, "whole number from 1 to 2,000, found '0'"),
        ("a after 1.5 epochs < 1", 8, "whole number"),
        ("a after 9999 epochs < 1", 8, "whole number"),
        ("a after five epochs < 1", 8, "expected a number of epochs, found 'five'"),
        ("a after 5 < 1", 10, "expected 'epochs', found '<'"),
        ("a in 2 < 1", 5, "expected 'step', found '2'"),
        ("a in step 99 < 1", 10, "whole number from 1 to 15"),
        ("after < 1", 0, "expected a measure or a number, found 'after'"),
        ("a < 1e999", 4, "beyond the largest number"),
        ("a < 1" + " " * 300, 300, "must have at most 300 characters, this one has 305"),
    ],
)
def test_a_text_that_is_no_condition_names_its_character(text: str, position: int, said: str) -> None:
    with pytest.raises(ConditionError) as refused:
        parse_condition(text)
    assert refused.value.position == position
    assert said in str(refused.value)
