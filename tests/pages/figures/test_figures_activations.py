"""The pictures of activations show the arrays they are given, gaps as gaps, and tangents that never decide the scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from pages.figures import activations
from pages.figures.activations import TANGENT_RISE, TANGENT_SHARE, FunctionSeries
from pages.figures.palette import GRADIENT, SERIES
from tests.support.figures.soundness import drawn, sound

function_curves = drawn(activations.function_curves)
pushed_distribution = drawn(activations.pushed_distribution)

X = np.arange(-80, 81) / 10
TANH = FunctionSeries("Tanh", X, np.tanh(X), 1 - np.tanh(X) ** 2)
RELU = FunctionSeries("ReLU", X, np.maximum(X, 0), np.where(X > 0, 1.0, 0.0))


@dataclass(frozen=True)
class Mark:
    x: float
    value: float
    gradient: float
    left_slope: float
    right_slope: float
    kink: bool


@dataclass(frozen=True)
class Shares:
    edges: np.ndarray[Any, np.dtype[np.float64]]
    active: np.ndarray[Any, np.dtype[np.float64]]
    saturated: np.ndarray[Any, np.dtype[np.float64]]
    dead: np.ndarray[Any, np.dtype[np.float64]]


SMOOTH = Mark(1.0, float(np.tanh(1)), 0.42, 0.42, 0.42, kink=False)
KINK = Mark(0.0, 0.0, 0.0, 0.0, 1.0, kink=True)
SHARES = Shares(np.array([0.0, 1.0, 3.0]), np.array([0.5, 0.2]), np.array([0.0, 0.2]), np.array([0.1, 0.0]))


def lines(figure: go.Figure, name: str) -> list[Any]:
    return [trace for trace in figure.data if trace.name == name]


def test_values_above_gradients_over_one_x() -> None:
    figure = function_curves([TANH, RELU])
    (value,), (gradient,) = lines(figure, "ReLU"), lines(figure, "ReLU ′")
    np.testing.assert_array_equal(value.y, RELU.value)
    np.testing.assert_array_equal(gradient.y, RELU.gradient)
    np.testing.assert_array_equal(gradient.x, X)
    assert (value.yaxis, gradient.yaxis) == ("y", "y2")
    assert value.xaxis is gradient.xaxis is None  # both on the one x axis, so that zoom and hover are shared
    assert figure.layout.hoversubplots == "axis"
    assert figure.layout.yaxis.domain[0] > figure.layout.yaxis2.domain[1]


def test_an_activation_has_one_color_and_one_entry_in_the_legend() -> None:
    figure = function_curves([TANH, RELU])
    for name, color in (("Tanh", SERIES[0]), ("ReLU", SERIES[1])):
        (value,), (gradient,) = lines(figure, name), lines(figure, f"{name} ′")
        assert value.line.color == gradient.line.color == color
        assert value.legendgroup == gradient.legendgroup
        assert (value.showlegend, gradient.showlegend) == (True, False)


def test_what_is_not_finite_is_a_gap() -> None:
    with np.errstate(divide="ignore"):
        figure = function_curves([FunctionSeries("1/x", X, 1 / X, -1 / X**2)])
    (value,) = lines(figure, "1/x")
    assert np.flatnonzero(np.isnan(value.y)).tolist() == [80]
    assert not np.isinf(value.y).any()
    assert value.connectgaps is False


def test_a_label_with_comparisons_is_no_tag() -> None:
    """Plotly drops what stands between < and >."""
    names = [trace.name for trace in function_curves([FunctionSeries("where(x<1, x, 2*(x>3))", X, X, X)]).data]
    assert names == ["where(x&lt;1, x, 2*(x&gt;3))", "where(x&lt;1, x, 2*(x&gt;3)) ′"]


def test_a_long_grid_is_thinned() -> None:
    x = np.linspace(-20, 20, 4001)
    (value,) = lines(function_curves([FunctionSeries("Sine", x, np.sin(50 * x), 50 * np.cos(50 * x))]), "Sine")
    assert len(value.x) <= 500
    assert np.ptp(value.y) > 1.99


def test_the_tangent_passes_through_the_point_with_its_slope() -> None:
    figure = function_curves([TANH, RELU], SMOOTH)
    (tangent,) = lines(figure, "tangent")
    assert np.mean(tangent.x) == pytest.approx(SMOOTH.x)
    assert np.mean(tangent.y) == pytest.approx(SMOOTH.value)
    assert np.ptp(tangent.y) / np.ptp(tangent.x) == pytest.approx(SMOOTH.gradient)
    assert np.ptp(tangent.x) == pytest.approx(2 * TANGENT_SHARE * 16)
    assert tangent.line.color == GRADIENT
    points = {point.yaxis: (point.x[0], point.y[0]) for point in lines(figure, "point")}
    assert points == {"y": (SMOOTH.x, SMOOTH.value), "y2": (SMOOTH.x, SMOOTH.gradient)}


def test_a_kink_shows_the_convention_and_both_slopes() -> None:
    tangents = lines(function_curves([RELU], KINK), "tangent")
    assert [tangent.line.dash for tangent in tangents] == ["solid", "dot", "dot"]
    _, left, right = tangents
    assert max(left.x) == min(right.x) == 0
    assert list(left.y) == [0, 0]
    assert list(right.x) == pytest.approx(list(right.y))


def test_a_steep_tangent_is_short() -> None:
    (tangent,) = lines(function_curves([TANH], Mark(0.0, 0.0, 1e9, 1e9, 1e9, kink=False)), "tangent")
    assert np.ptp(tangent.y) == pytest.approx(2 * TANGENT_RISE * np.ptp(TANH.value))


def test_there_is_no_tangent_where_there_is_no_number() -> None:
    nan = float("nan")
    figure = function_curves([RELU], Mark(0.0, nan, nan, 0.0, float("inf"), kink=True))
    assert lines(figure, "tangent") == []
    assert lines(figure, "point") == []
    sound(figure, 12_000)


def test_curves_that_are_nowhere_finite_still_draw() -> None:
    nothing = FunctionSeries("None", X, np.full_like(X, np.nan), np.full_like(X, np.nan))
    sound(function_curves([nothing], SMOOTH), 12_000)


def test_inputs_below_and_outputs_beside_the_curve() -> None:
    figure = pushed_distribution(TANH, SHARES, SHARES)
    below = [bar for bar in figure.data if bar.type == "bar" and bar.orientation != "h"]
    beside = [bar for bar in figure.data if bar.orientation == "h"]
    assert [bar.name for bar in below] == [bar.name for bar in beside] == ["active", "saturated", "gradient 0"]
    for bars, along, across in ((below, "x", "y"), (beside, "y", "x")):
        for bar, shares in zip(bars, (SHARES.active, SHARES.saturated, SHARES.dead), strict=True):
            np.testing.assert_array_equal(getattr(bar, along), [0.5, 2.0])  # the middles of the bins
            np.testing.assert_array_equal(getattr(bar, across), shares)
            np.testing.assert_array_equal(bar.width, [1.0, 2.0])
    assert {bar.xaxis for bar in below} == {"x"}  # the curve's x
    assert {bar.yaxis for bar in beside} == {"y"}  # the curve's y


def test_the_legend_names_what_there_is() -> None:
    nothing_dead = Shares(SHARES.edges, SHARES.active, SHARES.saturated, np.zeros(2))
    figure = pushed_distribution(TANH, nothing_dead, nothing_dead)
    assert [trace.name for trace in figure.data if trace.showlegend] == ["active", "saturated"]


def test_the_figures_are_sound() -> None:
    sound(function_curves([TANH, RELU], SMOOTH), 30_000)
    sound(pushed_distribution(TANH, SHARES, SHARES), 12_000)
