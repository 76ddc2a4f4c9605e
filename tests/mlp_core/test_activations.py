"""The registry of activations against closed forms, central differences and published values."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from mlp_core.activations import ACTIVATIONS, SELU_ALPHA, SELU_SCALE, Activation, evaluate, substituted, trainable_activations
from mlp_core.spec import SpecError

Floats = npt.NDArray[np.float64]
Formula = Callable[[Floats, float], Floats]

GRID = torch.arange(-80, 81, dtype=torch.float64) / 10
KINKS = {"hard_sigmoid": (-3.0, 3.0), "hard_tanh": (-1.0, 1.0)}  # all others have theirs, if any, at 0


def sigmoid(x: Floats) -> Floats:
    result: Floats = 1 / (1 + np.exp(-x))
    return result


def softplus(x: Floats) -> Floats:
    result: Floats = np.log1p(np.exp(x))
    return result


def mish_gradient(x: Floats, _: float) -> Floats:
    bend = np.tanh(softplus(x))
    gradient: Floats = bend + x * (1 - bend**2) * sigmoid(x)
    return gradient


def ones(x: Floats, _: float) -> Floats:
    return np.ones_like(x)


CLOSED_FORMS: dict[str, tuple[Formula, Formula]] = {
    "identity": (lambda x, _: x, ones),
    "relu": (lambda x, _: np.maximum(x, 0), lambda x, _: np.where(x > 0, 1, 0)),
    "leaky_relu": (lambda x, a: np.maximum(x, 0) + a * np.minimum(x, 0), lambda x, a: np.where(x > 0, 1, a)),
    "prelu": (lambda x, a: np.maximum(x, 0) + a * np.minimum(x, 0), lambda x, a: np.where(x > 0, 1, a)),
    "sigmoid": (lambda x, _: sigmoid(x), lambda x, _: sigmoid(x) * (1 - sigmoid(x))),
    "tanh": (lambda x, _: (1 - np.exp(-2 * x)) / (1 + np.exp(-2 * x)), lambda x, _: 1 - np.tanh(x) ** 2),
    "elu": (lambda x, a: np.where(x > 0, x, a * np.expm1(x)), lambda x, a: np.where(x > 0, 1, a * np.exp(x))),
    "selu": (
        lambda x, _: SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(x)),
        lambda x, _: SELU_SCALE * np.where(x > 0, 1, SELU_ALPHA * np.exp(x)),
    ),
    "gelu": (lambda x, _: x * norm.cdf(x), lambda x, _: norm.cdf(x) + x * norm.pdf(x)),
    "silu": (lambda x, b: x * sigmoid(b * x), lambda x, b: sigmoid(b * x) + b * x * sigmoid(b * x) * (1 - sigmoid(b * x))),
    "softplus": (lambda x, b: softplus(b * x) / b, lambda x, b: sigmoid(b * x)),
    "mish": (lambda x, _: x * np.tanh(softplus(x)), mish_gradient),
    "hard_sigmoid": (lambda x, _: np.clip(x / 6 + 0.5, 0, 1), lambda x, _: np.where(np.abs(x) < 3, 1 / 6, 0)),
    "hard_tanh": (lambda x, _: np.clip(x, -1, 1), lambda x, _: np.where(np.abs(x) < 1, 1, 0)),
    "step": (lambda x, _: np.where(x > 0, 1.0, 0.0), lambda x, _: np.zeros_like(x)),
}


def parameters_of(activation: Activation, value: float | None = None) -> dict[str, float]:
    if activation.parameter is None:
        return {}
    return {activation.parameter.name: activation.parameter.default if value is None else value}


@st.composite
def activation_and_parameters(draw: st.DrawFn) -> tuple[str, dict[str, float]]:
    name = draw(st.sampled_from(sorted(ACTIVATIONS)))
    parameter = ACTIVATIONS[name].parameter
    if parameter is None:
        return name, {}
    return name, {parameter.name: draw(st.integers(round(100 * parameter.bounds.low), round(100 * parameter.bounds.high))) / 100}


def away_from_kinks(name: str, margin: float) -> torch.Tensor:
    distance = torch.stack([(GRID - kink).abs() for kink in KINKS.get(name, (0.0,))]).amin(0)
    return GRID[distance > margin]


def test_only_what_can_be_trained_is_offered_to_a_run() -> None:
    assert trainable_activations() == tuple(name for name in ACTIVATIONS if name != "step")
    assert all(name == entry.name for name, entry in ACTIVATIONS.items())


@pytest.mark.parametrize(("name", "largest"), [("sigmoid", 1 / 4), ("hard_sigmoid", 1 / 6), ("tanh", 1.0), ("relu", 1.0)])
def test_the_largest_slope_is_that_of_the_curve(name: str, largest: float) -> None:
    assert ACTIVATIONS[name].largest_slope == pytest.approx(evaluate(name, GRID).gradient.max().item())


def test_a_negative_slope_is_that_of_two_lines() -> None:
    for name, entry in ACTIVATIONS.items():
        value = evaluate(name, GRID).value
        if entry.negative_slope is not None:
            torch.testing.assert_close(value, torch.where(GRID > 0, GRID, entry.negative_slope * GRID))


@pytest.mark.parametrize(
    ("code", "values", "result"),
    [
        ("torch.relu(x)", {"x": "X @ W + b"}, "torch.relu(X @ W + b)"),
        ("x * torch.sigmoid(a * x)", {"x": "p + q", "a": "-0.5"}, "(p + q) * torch.sigmoid(-0.5 * (p + q))"),
        ("x", {"x": "a", "a": "b"}, "a"),
    ],
)
def test_code_keeps_its_meaning_with_other_code_put_in(code: str, values: dict[str, str], result: str) -> None:
    assert substituted(code, **values) == result


def test_every_entry_is_complete() -> None:
    for entry in ACTIVATIONS.values():
        assert entry.latex
        assert entry.derivative_latex
        assert entry.advice.endswith(".")
        assert entry.range() is not None


@settings(deadline=None)
@given(activation_and_parameters())
def test_value_and_gradient_follow_the_closed_form(drawn: tuple[str, dict[str, float]]) -> None:
    name, parameters = drawn
    x = away_from_kinks(name, 1e-9)
    value, gradient = CLOSED_FORMS[name]
    parameter = next(iter(parameters.values()), math.nan)
    curve = evaluate(name, x, **parameters)
    tolerance = 1e-7 if name == "hard_sigmoid" else 1e-12  # torch keeps its 1/6 in float32
    np.testing.assert_allclose(curve.value.numpy(), value(x.numpy(), parameter), rtol=1e-12, atol=tolerance)
    np.testing.assert_allclose(curve.gradient.numpy(), gradient(x.numpy(), parameter), rtol=1e-12, atol=tolerance)


@settings(deadline=None)
@given(activation_and_parameters())
def test_the_gradient_is_the_slope(drawn: tuple[str, dict[str, float]]) -> None:
    name, parameters = drawn
    h = 1e-5
    x = away_from_kinks(name, 2 * h)
    below, above = (evaluate(name, x + sign * h, **parameters).value for sign in (-1, 1))
    slope = (above - below) / (2 * h)
    # the error of a central difference is h²/6 times the third derivative, which the sharpest bend here (β = 10) keeps below 100
    torch.testing.assert_close(evaluate(name, x, **parameters).gradient, slope, rtol=0, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "x", "gradient"),
    [
        ("relu", 0.0, 0.0), ("leaky_relu", 0.0, 0.01), ("prelu", 0.0, 0.25), ("elu", 0.0, 1.0), ("hard_tanh", 1.0, 0.0),
        ("hard_tanh", -1.0, 0.0), ("hard_sigmoid", 3.0, 0.0), ("hard_sigmoid", -3.0, 0.0), ("selu", 0.0, SELU_SCALE * SELU_ALPHA),
        ("sigmoid", 0.0, 0.25), ("tanh", 0.0, 1.0), ("step", 0.0, 0.0),
    ],
)  # fmt: skip
def test_the_gradient_at_a_kink_or_a_peak(name: str, x: float, gradient: float) -> None:
    assert evaluate(name, torch.tensor([x], dtype=torch.float64)).gradient.item() == pytest.approx(gradient, abs=1e-15)


def test_the_grid_of_the_book() -> None:
    x = torch.arange(-8.0, 8.0, 0.1)
    curve = evaluate("prelu", x, alpha=0.5)
    assert curve.x.dtype == curve.value.dtype == curve.gradient.dtype == torch.float32
    assert torch.equal(curve.x, x)
    assert torch.equal(curve.value, torch.where(x > 0, x, 0.5 * x))
    assert not any(part.requires_grad for part in (x, curve.value, curve.gradient))


@settings(deadline=None)
@given(activation_and_parameters())
def test_values_stay_in_the_range_and_come_close_to_its_ends(drawn: tuple[str, dict[str, float]]) -> None:
    name, parameters = drawn
    interval = ACTIVATIONS[name].range(*parameters.values())
    assert interval is not None
    wide = torch.cat([torch.linspace(-3000, 3000, 6001, dtype=torch.float64), torch.linspace(-200, 200, 80_001, dtype=torch.float64)])
    value = evaluate(name, wide, **parameters).value
    assert value.min() >= interval.low - 1e-12
    assert value.max() <= interval.high + 1e-12
    for end, reached in ((interval.low, -value.min()), (interval.high, value.max())):
        if math.isinf(end):
            assert reached > 25
        else:
            assert abs(reached) == pytest.approx(abs(end), abs=1e-5 * (1 + abs(end)))


@pytest.mark.parametrize(
    ("name", "parameter", "shown"),
    [
        ("sigmoid", None, "(0, 1)"), ("relu", None, "[0, ∞)"), ("elu", 2.0, "(−2, ∞)"), ("elu", 0.0, "[0, ∞)"),
        ("identity", None, "(−∞, ∞)"),
        ("leaky_relu", 0.0, "[0, ∞)"), ("prelu", -1.0, "[0, ∞)"), ("silu", 2.0, "[−0.1392, ∞)"), ("silu", 0.0, "(−∞, ∞)"),
        ("hard_tanh", None, "[−1, 1]"),
    ],
)  # fmt: skip
def test_the_range_in_words(name: str, parameter: float | None, shown: str) -> None:
    assert str(ACTIVATIONS[name].range(parameter)) == shown


@pytest.mark.parametrize(
    ("name", "outputs", "saturated"),
    [
        ("tanh", [-0.98, -0.96, 0.0, 0.96, 0.98], [True, False, False, False, True]),
        ("sigmoid", [0.02, 0.04, 0.5, 0.96, 0.98], [True, False, False, False, True]),
        ("hard_tanh", [-1.0, -0.999, 0.0, 0.999, 1.0], [True, False, False, False, True]),
        ("elu", [-0.98, -0.96, 0.0, 0.98, 50.0], [True, False, False, False, False]),
        ("relu", [0.0, 0.0, 1.0, 2.0, 3.0], [False] * 5),
        ("step", [0.0, 1.0], [True, True]),
    ],
)
def test_saturated_outputs(name: str, outputs: list[float], saturated: list[bool]) -> None:
    assert ACTIVATIONS[name].saturated(torch.tensor(outputs)).tolist() == saturated


def test_saturation_follows_the_parameter() -> None:
    outputs = torch.tensor([-1.98, -0.98])
    assert ACTIVATIONS["elu"].saturated(outputs, 2.0).tolist() == [True, False]


@pytest.mark.parametrize("shape", [(), (1,)])
def test_prelu_learns_its_slope(shape: tuple[int, ...]) -> None:
    alpha = torch.full(shape, 0.25, dtype=torch.float64, requires_grad=True)
    x = torch.tensor([[-2.0, 3.0], [-0.5, 0.0]], dtype=torch.float64)
    (gradient,) = torch.autograd.grad(ACTIVATIONS["prelu"](x, alpha).sum(), alpha)
    assert gradient.shape == shape
    assert gradient.item() == -2.5  # the sum of min(0, x)
    parameter = ACTIVATIONS["prelu"].parameter
    assert parameter is not None
    assert parameter.learnable


def test_the_step_has_a_gradient_and_it_is_zero() -> None:
    x = torch.tensor([-math.inf, -1.0, 0.0, 1.0, math.inf], requires_grad=True)
    value = ACTIVATIONS["step"](x)
    (gradient,) = torch.autograd.grad(value.sum(), x)
    assert value.tolist() == [0, 0, 0, 1, 1]
    assert gradient.tolist() == [0] * 5


def test_selu_keeps_mean_and_variance() -> None:
    z = torch.linspace(-12, 12, 240_001, dtype=torch.float64)
    weight = torch.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) * (z[1] - z[0])
    value = ACTIVATIONS["selu"](z)
    assert float((weight * value).sum()) == pytest.approx(0, abs=1e-8)
    assert float((weight * value**2).sum()) == pytest.approx(1, abs=1e-8)


def test_a_parameter_outside_its_bounds_is_refused() -> None:
    with pytest.raises(SpecError, match="alpha: must be a number from 0 to 5, got 5"):
        evaluate("elu", GRID, alpha=5.1)


@pytest.mark.parametrize(("name", "parameters"), [("relu", {"alpha": 0.1}), ("elu", {"beta": 1.0})])
def test_a_parameter_that_does_not_exist_is_refused(name: str, parameters: dict[str, float]) -> None:
    with pytest.raises(TypeError, match="has no parameter"):
        evaluate(name, GRID, **parameters)


def test_calling_with_a_parameter_that_does_not_exist_is_refused() -> None:
    with pytest.raises(TypeError, match="relu has no parameter"):
        ACTIVATIONS["relu"](GRID, 0.1)
