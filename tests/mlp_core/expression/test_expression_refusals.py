"""What an expression may not say: refused at the character to blame, and nothing but arithmetic is ever run."""

from __future__ import annotations

import pickle

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlp_core.activations import evaluate
from mlp_core.expression import ExpressionError, compile_expression
from mlp_core.expression.operations import functions
from mlp_core.expression.parser import MAX_DEPTH
from mlp_core.spec import MAX_EXPRESSION_LENGTH

X = torch.arange(-80, 81, dtype=torch.float64) / 10

# What a person may try who wants more than arithmetic. The position is that of the character to blame.
HOSTILE: dict[str, int | None] = {
    "x.__class__": 1,
    "().__class__.__bases__[0].__subclasses__()": 2,
    "__import__('os').system('true')": 11,
    "__import__": 0,
    "eval(x)": 0,
    "open(x)": 0,
    "lambda: x": 6,
    "lambda x: x": 8,
    "lambda": 0,
    "[x for x in x]": 0,
    "{x: x}": 0,
    "(x for x in x)": 3,
    "x if x else x": 2,
    "x := 1": 2,
    "x; x": 1,
    "x\0": 1,
    "'x'": 0,
    "f'{x}'": 1,
    "x @ x": 2,
    "x // 2": 3,
    "x % 2": 2,
    "x & 1": 2,
    "~x": 0,
    "not x": 0,
    "x or x": 2,
    "x == 1": 2,
    "x != 1": 2,
    "x[0]": 1,
    "print(x)": 0,
    "x.T": 1,
    "*x": 0,
    "max(*x)": 4,
    "sin(x=1)": 5,
    "nan*x": 0,
    "inf": 0,
    "1_000*x": 1,
    "0x10*x": 1,
    "1j*x": 1,
    "2x": 1,
    "x x": 2,
    "x(2)": 1,
    "sin x": 4,
    "sin": 3,
    "sin()": 4,
    "sin(x, x)": 0,
    "where(x, 1)": 0,
    "max(x)": 0,
    "(x": 2,
    "x)": 1,
    "x +": 3,
    "x + * x": 4,
    ",": 0,
    "": 0,
    "   ": 0,
    "1 < x < 2": 6,
    "3": 0,
    "pi + e": 0,
    "9**9**9**9*x": 6,
    "x**17": 3,
    "x**x": 3,
    "2**x": 3,
    "x**-(16.5)": 3,
    "x**(1/0)": 3,
    "x**(0/0)": 3,
    "1e999*x": 0,
    "х": 0,  # a Cyrillic letter
    "ｘ": 0,  # a full-width letter, which Python itself would read as x
    "ｅｘｐ(x)": 0,
    "x−1": 1,  # a minus sign that is not ASCII's
    "x×2": 1,
    "x²": 1,
    "٣*x": 0,  # an Arabic-Indic digit
    "\u202ex": 0,  # right-to-left override
    "x\u200b": 1,  # a space without width
    "🤖": 0,
    "(" * 100: MAX_DEPTH,
    "(" * 100 + "x" + ")" * 99: MAX_DEPTH,
    "-" * 199 + "x": MAX_DEPTH,
    "x**1" * 49: None,
    "x" + "+x" * 99: None,
    "sin(" * 49: None,
    "x" * 1_000_000: MAX_EXPRESSION_LENGTH,
    "(" * 1_000_000: MAX_EXPRESSION_LENGTH,
    " " * 1_000_000 + "x": MAX_EXPRESSION_LENGTH,
}


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:24]))
def test_what_is_refused_and_where(text: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        compile_expression(text)
    error = refused.value
    assert error.rule in str(error)
    assert f"character {error.position + 1}:" in str(error)
    assert len(str(error)) < 200
    expected = HOSTILE[text]
    if expected is not None:
        assert error.position == expected


def test_the_error_says_what_it_found() -> None:
    with pytest.raises(ExpressionError, match=r"character 1: 'х' \(cyrillic small letter ha\) is not allowed"):
        compile_expression("х")
    with pytest.raises(ExpressionError, match=r"character 2: '.' is allowed in numbers only"):
        compile_expression("x.real")
    with pytest.raises(ExpressionError, match="character 1: 'os' is not x, pi, e or a known function"):
        compile_expression("os")


def test_the_error_travels_between_processes() -> None:
    error = pickle.loads(pickle.dumps(ExpressionError("is not allowed", 3)))
    assert (error.rule, error.position, str(error)) == ("is not allowed", 3, "character 4: is not allowed")


def compiles_or_is_refused_in(text: str) -> bool:
    try:
        activation = compile_expression(text)
    except ExpressionError as error:
        return 0 <= error.position <= len(text)
    return evaluate(activation, X).value.shape == X.shape


@settings(deadline=None)
@given(st.text(max_size=300))
@example("x" * (MAX_EXPRESSION_LENGTH + 1))
def test_any_text_compiles_or_is_refused_at_one_of_its_characters(text: str) -> None:
    assert compiles_or_is_refused_in(text)


SYMBOLS = ["x", "1", "2.5", "pi", "(", ")", ",", "+", "-", "*", "/", "**", "^", "<", ">=", " ", "where", *sorted(functions())]


@settings(deadline=None)
@given(st.lists(st.sampled_from(SYMBOLS), max_size=40).map("".join))
def test_any_sequence_of_allowed_symbols_compiles_or_is_refused(text: str) -> None:
    assert compiles_or_is_refused_in(text)


@pytest.mark.parametrize(
    ("text", "position", "named"),
    [("max(x, 1e39)", 7, "'1e39' is beyond"), ("x+1e300", 2, "'1e300' is beyond"), ("x*1e999", 2, "'1e999' is beyond"),
     ("where(x>0, 1e30*1e30, x)", 0, "a part without x comes to 1e+60"), ("min(x, -10^16*10^16*10^16)", 0, "comes to 1e+48")],
)  # fmt: skip
def test_a_number_that_float32_cannot_hold_is_refused(text: str, position: int, named: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        compile_expression(text)
    assert refused.value.position == position
    assert named in refused.value.rule
    assert refused.value.rule.endswith("beyond the largest number of float32, 3.4 × 10³⁸")


@pytest.mark.parametrize("text", ["max(x, 3.4e38)", "min(x, -3.4e38)", "where(x>0, 3.4e38, x)", "x+3.4e38", "min(x, 1/0)", "3.4e38*x^16"])
def test_all_others_are_computed_in_float32_too(text: str) -> None:
    for dtype in (torch.float32, torch.float64):
        value = compile_expression(text)(torch.linspace(-3, 3, 7, dtype=dtype))
        assert value.dtype == dtype
