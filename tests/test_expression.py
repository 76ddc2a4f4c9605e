"""A visitor's own activation: what it computes, what is refused and where, and that nothing hostile runs or hangs."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlp_core.activations import ACTIVATIONS, evaluate
from mlp_core.expression import ExpressionError, compile_expression, resolve
from mlp_core.expression_parser import MAX_DEPTH
from mlp_core.operations import FUNCTIONS
from mlp_core.spec import MAX_EXPRESSION_LENGTH, RunSpec, SpecError

X = torch.arange(-80, 81, dtype=torch.float64) / 10


def heaviside(condition: torch.Tensor) -> torch.Tensor:
    return condition.to(torch.float64)


MEANINGS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "x": lambda x: x,
    " x ": lambda x: x,
    "x*sigmoid(1.702*x)": lambda x: x / (1 + torch.exp(-1.702 * x)),
    "where(x>0, x, 0.1*x)": lambda x: torch.maximum(x, 0.1 * x),
    "where(x >= 2, 1, 0.1)": lambda x: 0.1 + 0.9 * heaviside(x >= 2),
    "where(x, 1, 2)": lambda x: 2 - heaviside(x != 0),
    "where(1 < 2, x, 7)": lambda x: x,
    "sin(x)": torch.sin,
    "-x**2": lambda x: -(x * x),
    "(-x)^2": lambda x: x * x,
    "x**2**3": lambda x: x**8,
    "x**-1": lambda x: 1 / x,
    "2**-1*x": lambda x: 0.5 * x,
    "10 - 2 - x": lambda x: 8 - x,
    "16/4/x": lambda x: 4 / x,
    "2*x + 3*x*x": lambda x: 2 * x + 3 * x * x,
    "2*(x + 3)": lambda x: 2 * x + 6,
    "x*(x > 0) - (x < 0)": lambda x: x.clamp(min=0) - heaviside(x < 0),
    "-(x > 0)": lambda x: -heaviside(x > 0),
    "exp(x <= 1)": lambda x: torch.exp(heaviside(x <= 1)),
    "max(x, 0) + min(0, x)/10": lambda x: x.clamp(min=0) + x.clamp(max=0) / 10,
    "max(x, -x)": torch.abs,
    "min(x, -x)": lambda x: -torch.abs(x),
    "pi*x + e": lambda x: math.pi * x + math.e,
    "x*exp(1)": lambda x: math.e * x,
    "1e-3*x + .5 + 2.": lambda x: 0.001 * x + 2.5,
    "+-+x": lambda x: -x,
    "floor(x) + sign(x)": lambda x: torch.floor(x) + torch.sign(x),
    "0.5*x*(1 + erf(x/sqrt(2)))": torch.nn.functional.gelu,
    "log(1 + exp(x)) - softplus(x)": torch.zeros_like,
    "abs(x) - sqrt(x^2)": torch.zeros_like,
    "sinh(x)/cosh(x)": torch.tanh,
    "atan(cos(x))": lambda x: torch.atan(torch.cos(x)),
    "where(x > 0, 1, 0) + 0*x": lambda x: heaviside(x > 0),
}


@pytest.mark.parametrize("text", MEANINGS)
def test_what_an_expression_computes(text: str) -> None:
    curve = evaluate(compile_expression(text), X)
    leaf = X.clone().requires_grad_()
    expected = MEANINGS[text](leaf)
    torch.testing.assert_close(curve.value, expected.detach(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_of_the_registry_is_a_function_of_expressions(name: str) -> None:
    mine, theirs = evaluate(compile_expression(f"{name}(x)"), X), evaluate(name, X)
    assert torch.equal(mine.value, theirs.value)
    assert torch.equal(mine.gradient, theirs.gradient)


@pytest.mark.parametrize(
    ("text", "gradient"),
    [
        ("x*sigmoid(1.702*x)", lambda x: torch.sigmoid(1.702 * x) * (1 + 1.702 * x * (1 - torch.sigmoid(1.702 * x)))),
        ("sin(x)", torch.cos),
        ("x^3", lambda x: 3 * x**2),
        ("where(x > 0.05, x, 0.1*x)", lambda x: 0.1 + 0.9 * heaviside(x > 0.05)),
        ("where(x > 0, 1, 0)", torch.zeros_like),
        ("where(x > 0, 1, 0) + floor(x)", torch.zeros_like),
    ],
)
def test_the_gradient_of_an_expression(text: str, gradient: Callable[[torch.Tensor], torch.Tensor]) -> None:
    torch.testing.assert_close(evaluate(compile_expression(text), X).gradient, gradient(X), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("text", MEANINGS)
def test_an_expression_keeps_shape_and_dtype_and_stays_in_the_graph(text: str) -> None:
    weight = torch.ones(3, 4, requires_grad=True)
    value = compile_expression(text)(torch.full((2, 3), 0.7) @ weight)
    assert value.shape == (2, 4)
    assert value.dtype == torch.float32
    (gradient,) = torch.autograd.grad(value.sum(), weight)
    assert torch.isfinite(gradient).all()


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


def test_a_power_that_overflows_is_a_float_that_overflows() -> None:
    assert evaluate(compile_expression("9" * 190 + "**16*x"), torch.ones(1)).value.tolist() == [math.inf]


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


SYMBOLS = ["x", "1", "2.5", "pi", "(", ")", ",", "+", "-", "*", "/", "**", "^", "<", ">=", " ", "where", *sorted(FUNCTIONS)]


@settings(deadline=None)
@given(st.lists(st.sampled_from(SYMBOLS), max_size=40).map("".join))
def test_any_sequence_of_allowed_symbols_compiles_or_is_refused(text: str) -> None:
    assert compiles_or_is_refused_in(text)


def python_value(text: str, x: float) -> float:
    """The oracle: Python's own grammar and arithmetic, on expressions that this file generates."""
    return float(eval(text, {"__builtins__": {}, "sin": math.sin, "tanh": math.tanh, "max": max, "abs": abs}, {"x": x}))


LEAVES = st.sampled_from(["x", "2", "0.5", "3"])
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" + ", " - ", "*"]), inner).map("".join),
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"-{text}"),
        inner.map(lambda text: f"sin({text})"),
        inner.map(lambda text: f"tanh({text})"),
        inner.map(lambda text: f"({text})**2"),
        st.tuples(inner, inner).map(lambda pair: f"max({pair[0]}, {pair[1]})"),
        inner.map(lambda text: f"abs({text})/2"),
    ),
    max_leaves=6,
)


@settings(deadline=None)
@given(EXPRESSIONS.filter(lambda text: "x" in text.replace("max", "")), st.floats(-3, 3))
def test_grammar_and_arithmetic_are_those_of_python(text: str, x: float) -> None:
    if len(text) > MAX_EXPRESSION_LENGTH:
        return
    value = compile_expression(text)(torch.tensor([x], dtype=torch.float64)).item()
    assert value == pytest.approx(python_value(text, x), rel=1e-9, abs=1e-9)


def test_the_longest_sum_that_fits_the_depth() -> None:
    fits = "x" + "+x" * (MAX_DEPTH - 1)
    assert compile_expression(fits)(torch.ones(1)).item() == MAX_DEPTH
    with pytest.raises(ExpressionError, match=f"nested more than {MAX_DEPTH} deep"):
        compile_expression(fits + "+x")


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("x*sigmoid(1.702*x)", r"x \cdot \sigma\left(1.702 \cdot x\right)"),
        ("where(x>0, x, 0.1*x)", r"\begin{cases}x & x > 0\\ 0.1 \cdot x & \text{otherwise}\end{cases}"),
        ("(x+1)*(x-1)/2", r"\frac{\left(x + 1\right) \cdot \left(x - 1\right)}{2}"),
        ("x-(1-x)", r"x - \left(1 - x\right)"),
        ("(-x)^2", r"\left(-x\right)^{2}"),
        ("-x**2", "-x^{2}"),
        ("1e-5*x", r"1 \cdot 10^{-5} \cdot x"),
        ("hard_tanh(x)", r"\operatorname{hard\_tanh}\left(x\right)"),
        ("pi*x", r"\pi \cdot x"),
    ],
)
def test_the_formula_of_an_expression(text: str, latex: str) -> None:
    assert compile_expression(text).latex == latex


def test_a_condition_that_is_known_chooses_once_and_for_all() -> None:
    with pytest.raises(ExpressionError, match="must contain x"):
        compile_expression("exp(where(1, 3, x))")
    assert torch.equal(compile_expression("exp(where(1, x, 3))")(X), X.exp())
    assert torch.equal(compile_expression("where(0, 3, x)*2")(X), 2 * X)


def test_an_expression_is_an_activation_like_any_other() -> None:
    spec = RunSpec(activation="=x*sigmoid(1.702*x)")
    activation = resolve(spec.activation)
    assert activation.name == spec.activation
    assert activation.label == spec.expression
    assert activation.range() is None
    assert not activation.saturated(X).any()


def test_resolve_finds_the_registry_and_refuses_the_rest() -> None:
    assert resolve("relu") is ACTIVATIONS["relu"]
    with pytest.raises(SpecError, match="activation: must be one of"):
        resolve("rely")
    with pytest.raises(ExpressionError):
        resolve("=")
