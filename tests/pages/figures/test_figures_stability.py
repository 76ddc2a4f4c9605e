"""Pictures of random products, of a chain, of deep networks and of symmetric units show the numbers they are given."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from pages.figures import depth, stability
from pages.figures.depth import DepthSeries, GradientBound
from pages.figures.stability import CURVE_POINTS, Growth, NumberRange
from tests.support.figures.soundness import drawn, sound

activation_ridges = drawn(depth.activation_ridges)
critical_scales = drawn(stability.critical_scales)
distinct_unit_counts = drawn(depth.distinct_unit_counts)
gradient_chain = drawn(depth.gradient_chain)
gradient_map = drawn(depth.gradient_map)
matrix_picture = drawn(stability.matrix_picture)
product_growth = drawn(stability.product_growth)
shares_by_layer = drawn(depth.shares_by_layer)
sigmoid_and_gradient = drawn(depth.sigmoid_and_gradient)
singular_values = drawn(stability.singular_values)
sizes_by_layer = drawn(depth.sizes_by_layer)
survivors = drawn(stability.survivors)

FLOAT32 = NumberRange("float32", -44.85, 38.53)
NEVER = np.full(50, math.nan)


def named(figure: go.Figure, name: str) -> Any:
    (trace,) = [trace for trace in figure.data if trace.name == name]
    return trace


def walks(trials: int = 50, factors: int = 300, rate: float = 0.24) -> np.ndarray[Any, Any]:
    return np.cumsum(rate + 0.1 * np.random.default_rng(0).standard_normal((trials, factors)), axis=1)


def growth(sizes: np.ndarray[Any, Any], rate: float = 0.24, crossings: np.ndarray[Any, Any] = NEVER, literal: bool = False) -> go.Figure:
    return product_growth(sizes, 7, Growth(rate, 0.1), FLOAT32, crossings, literal=literal)


def test_growth_shows_median_band_and_theory() -> None:
    sizes = walks()
    figure = growth(sizes)
    median = named(figure, "median")
    kept = np.asarray(median.x) - 1
    assert len(kept) == CURVE_POINTS
    assert (kept[0], kept[-1]) == (0, 299)
    ordered = np.sort(sizes[:, kept], axis=0)
    np.testing.assert_allclose(median.y, (ordered[24] + ordered[25]) / 2)  # of 50
    band = named(figure, "5–95 % of the trials").y
    np.testing.assert_array_equal(band[:CURVE_POINTS], ordered[2])
    np.testing.assert_array_equal(band[CURVE_POINTS:], ordered[47][::-1])
    np.testing.assert_allclose(named(figure, "theory").y, 0.24 * median.x)
    edges = named(figure, "theory, 5–95 %")
    np.testing.assert_allclose(edges.y[CURVE_POINTS - 1], 0.24 * 300 - 1.6449 * 0.1 * math.sqrt(300))
    assert named(figure, "the matrix shown").y[0] == sizes[0, 6]


def test_growth_draws_single_trials_as_one_trace_with_gaps() -> None:
    trace = named(growth(walks()), "single trials")
    assert np.isnan(trace.y).sum() == 12
    assert len(trace.x) <= 500


def test_the_end_of_the_number_format_is_drawn_when_the_data_come_near_it() -> None:
    crossings = np.append(np.arange(150.0, 199.0), math.nan)
    figure = growth(walks(), crossings=crossings)
    ticks = named(figure, "a trial leaves float32")
    np.testing.assert_array_equal(ticks.x, crossings[:-1])
    assert set(ticks.y) == {38.53}
    assert "float32 overflows to ∞" in figure.layout.annotations[0].text
    assert not growth(walks(factors=40)).layout.annotations
    assert "underflows to 0" in growth(walks(rate=-0.24), rate=-0.24).layout.annotations[0].text


def test_literal_growth_stands_on_the_rails_for_what_is_no_number() -> None:
    sizes = walks(factors=200)
    sizes[sizes > 38.53] = math.inf
    sizes[:, 190:] = math.nan
    figure = growth(sizes, literal=True)
    axis = figure.layout.yaxis
    infinity = axis.tickvals[axis.ticktext.index("∞ or NaN")]
    assert named(figure, "median").y[-1] == infinity > 38.53
    assert named(figure, "the trial shown").y[-1] == infinity
    theory = np.asarray(named(figure, "theory").y)
    assert np.nanmax(theory) <= 38.53


def test_a_product_of_one_factor_and_one_trial_can_be_drawn() -> None:
    sound(product_growth(np.zeros((1, 1)), 1, Growth(0.1, 0.0), FLOAT32, np.array([math.nan])), 10_000)
    sound(singular_values([1], np.zeros((1, 1)), np.zeros(1), 1), 10_000)


def test_survivors_count_every_trial_once() -> None:
    sizes = np.array([[0.0, -math.inf, -math.inf], [1.0, 2.0, math.inf], [0.0, 1.0, math.nan], [0.0, 0.0, 0.0]])
    figure = survivors(sizes, "float16")
    np.testing.assert_array_equal(named(figure, "a number").y, [100, 75, 25])
    np.testing.assert_array_equal(named(figure, "exactly 0").y, [0, 25, 25])
    np.testing.assert_array_equal(named(figure, "∞ or NaN").y, [0, 0, 50])
    sound(figure, 10_000)


def test_singular_values_come_with_their_exponents_and_at_most_eight() -> None:
    at = [1, 50, 100]
    path = np.outer(at, -np.arange(20.0))
    figure = singular_values(at, path, -np.arange(20.0) - 0.5, 50)
    labels = {trace.name for trace in figure.data if trace.name.startswith("σ")}
    assert len(labels) == 8
    assert {"σ<sub>1</sub>", "σ<sub>20</sub>"} <= labels
    measured, predicted = [trace for trace in figure.data if trace.name == "σ<sub>20</sub>"]
    np.testing.assert_array_equal(measured.y, path[:, 19])
    np.testing.assert_allclose(predicted.y, [0, -1950])
    assert figure.layout.shapes[0].x0 == 50


def test_a_singular_value_without_a_prediction_has_no_line() -> None:
    figure = singular_values([1, 50, 100], np.zeros((3, 3)), np.array([0.5, math.nan, math.nan]), 50, "estimate")
    assert [sum(trace.name == f"σ<sub>{index}</sub>" for trace in figure.data) for index in (1, 2, 3)] == [2, 1, 1]
    assert named(figure, "estimate") is not None
    sound(figure, 10_000)


def test_a_matrix_shows_its_entries_and_marks_what_is_not_finite() -> None:
    figure = matrix_picture(np.array([[1.5, -math.inf], [math.nan, -2e-7]]))
    colors, faults = figure.data
    assert (colors.zmin, colors.zmax) == (-1.5, 1.5)
    np.testing.assert_array_equal(np.isnan(colors.z), [[False, True], [True, False]])
    np.testing.assert_array_equal(np.isnan(faults.z), [[True, False], [False, True]])
    assert colors.text.tolist() == [["1.50", "−∞"], ["NaN", "−2 × 10⁻⁷"]]
    assert matrix_picture(np.eye(7)).data[0].text is None
    sound(matrix_picture(np.eye(64)), 200_000)
    sound(matrix_picture(np.zeros((2, 2))), 10_000)


def test_critical_scales_show_the_mean_square_rule_and_where_one_stands() -> None:
    figure = critical_scales(np.array([1.9, 0.94, 0.7]), np.array([1, 0.71, 0.58]), 2, 0.5)
    np.testing.assert_allclose(named(figure, "keeps the mean square").y, [1, 0.71, 0.58])
    here = named(figure, "here")
    assert (here.x[0], here.y[0]) == (2, 0.5)
    sound(figure, 10_000)


def test_the_chain_numbers_its_layers_and_multiplies() -> None:
    x = np.linspace(-8, 8, 9)
    figure = sigmoid_and_gradient(x, x, x, np.array([0.0, 3.0]), np.array([0.25, 0.045]))
    assert list(named(figure, "layers").text) == ["1", "2"]
    factors = np.log10([0.25, 0.1, 1e-300, 1e-300])
    product = gradient_chain(factors, np.log10(0.25) * np.arange(1, 5))
    np.testing.assert_allclose(named(product, "product of the gradients").y, np.cumsum(factors))
    np.testing.assert_allclose(named(product, "bound 0.25<sup>l</sup>").y[-1], 4 * math.log10(0.25))
    for one in (figure, product):
        sound(one, 15_000)


def series(**fields: Any) -> DepthSeries:
    return DepthSeries("tanh", np.arange(1.0, 4.0), np.array([-9.0, -4.0, 0.0]), **fields)


def test_float32_is_marked_only_where_it_differs_zeros_included() -> None:
    figure = sizes_by_layer([series(single=np.array([-math.inf, -4.001, 0.0]))], "|∂L/∂W|")
    crosses = named(figure, "tanh, float32")
    assert list(crosses.x) == [1.0]
    zero = figure.layout.yaxis.tickvals[figure.layout.yaxis.ticktext.index("exactly 0")]
    assert crosses.y[0] == zero < -9
    assert [trace.name for trace in sizes_by_layer([series(single=series().measured)], "").data if "tanh, float32" in trace.name] == []
    sound(figure, 10_000)


def test_theory_is_a_dashed_line_or_a_band() -> None:
    line = named(sizes_by_layer([series(predicted=np.array([-9.5, -4.5, 0.5]))], ""), "tanh, theory")
    assert line.line.dash == "dash"
    np.testing.assert_array_equal(line.y, [-9.5, -4.5, 0.5])
    band = named(sizes_by_layer([series(predicted=np.array([[-10.0, -5.0, -1.0], [-8.0, -3.0, 1.0]]))], ""), "tanh, theory")
    assert band.fill == "toself"
    np.testing.assert_array_equal(band.y, [-10, -5, -1, 1, -3, -8])


def test_a_bound_is_part_of_the_picture() -> None:
    figure = sizes_by_layer([series()], "", GradientBound("0.25 a layer", np.array([1.0, 3.0]), np.array([-30.0, 0.0])))
    np.testing.assert_array_equal(named(figure, "0.25 a layer").y, [-30, 0])
    assert figure.layout.yaxis.range[0] < -30


def test_designs_have_colors_of_their_own() -> None:
    figure = sizes_by_layer([series(), DepthSeries("relu", np.arange(2.0), np.array([math.inf, math.nan]))], "")
    assert named(figure, "tanh").line.color != named(figure, "relu").line.color
    assert "∞ or NaN" in figure.layout.yaxis.ticktext


def test_shares_leave_gaps_for_what_is_not_finite() -> None:
    figure = shares_by_layer(["a", "b"], [np.array([0.1, math.inf]), np.zeros(3)], "mean", [np.array([0.1, 0.2]), None])
    assert math.isnan(named(figure, "a").y[1])
    assert len([trace for trace in figure.data if trace.line.dash == "dash"]) == 2  # theory of a, and its entry in the legend
    sound(figure, 10_000)


def test_ridges_stand_in_order_and_name_the_largest_output() -> None:
    counts = np.zeros((30, 8))
    counts[:, 5] = 9.0
    figure = activation_ridges(counts, np.full(30, 0.028))
    assert figure.layout.yaxis.ticktext[-1] == "1"
    assert len(figure.layout.yaxis.tickvals) == 10
    assert "0.028" in [annotation.text for annotation in figure.layout.annotations]
    ridge = named(figure, "layer 1")
    assert ridge.x[int(np.argmax(ridge.y))] == pytest.approx(0.375)  # the sixth of eight bins from -1 to 1
    sound(activation_ridges(np.zeros((2, 8)), np.zeros(2)), 10_000)


def test_the_map_is_symmetric_about_no_change_and_carries_the_critical_line() -> None:
    x, y = np.array([1.0, 2.0, 3.0]), np.array([1.0, 5.0])
    change = np.array([[-3.0, 0.0, 4.0], [-math.inf, -80.0, 1.0]])
    line = (np.array([1.4, 1.4]), y, np.array([False, True]))
    figure = gradient_map(x, y, change, line, yname="layers", ytitle="layers back", here=(2.0, 5.0))
    heat = figure.data[0]
    assert heat.zmin == -heat.zmax
    assert heat.z[1][0] == heat.zmin
    assert heat.customdata[1][0] == "× 0"
    np.testing.assert_array_equal(named(figure, "theory: χ = 1").x, [1.4, math.nan])
    np.testing.assert_array_equal(named(figure, "theory: χ jumps over 1").x, [math.nan, 1.4])
    assert named(figure, "here").x[0] == 2.0
    sound(figure, 15_000)


def test_distinct_units_run_from_one_to_all() -> None:
    figure = distinct_unit_counts([("equal", [0, 10, 235], [1, 1, 1])], 256, 235, 3)
    np.testing.assert_allclose(named(figure, "equal").x, [0, 10 / 235, 1])
    ticks = figure.layout.yaxis.tickvals
    assert (ticks[0], ticks[-1]) == (1, 256)
    low, high = figure.layout.yaxis.range
    assert low < 0 < math.log10(256) < high
    sound(figure, 10_000)
