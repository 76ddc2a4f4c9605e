"""A visitor's own activation: what it computes, what is refused and where, and that nothing hostile runs or hangs."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core.activations import ACTIVATIONS, evaluate
from mlp_core.expression import ExpressionError, compile_expression, resolve
from mlp_core.expression.parser import MAX_DEPTH
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
    "ln(x*x + e)": lambda x: torch.log10(x * x + math.e) / math.log10(math.e),
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


def test_a_power_that_overflows_is_a_float_that_overflows() -> None:
    assert evaluate(compile_expression("9" * 38 + "**16*x"), torch.ones(1)).value.tolist() == [math.inf]


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
        ("1e-5^2*x", r"\left(1 \cdot 10^{-5}\right)^{2} \cdot x"),
        ("x*1e9", r"x \cdot \left(1 \cdot 10^{9}\right)"),
        ("hard_tanh(x)", r"\operatorname{hard\_tanh}\left(x\right)"),
        ("pi*x", r"\pi \cdot x"),
        ("ln(2*x)", r"\ln\left(2 \cdot x\right)"),
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
