"""Every measured number of every layer is drawn where it belongs: 0 and what is not finite too; each panel shows its healthy range."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp_core.records import LayerStats
from pages.figures import layers
from pages.figures.layers import MOST_LINES, MOST_POINTS, MeasuredLayers, statistics_px
from pages.figures.palette import OUTPUT, depth_colors
from tests.support.figures.soundness import drawn, sound

HEALTHY = {"mean": (-0.5, 2.0), "std": (0.1, 2.0), "flat": (0.0, 20.0), "gradient": (1e-2, 10.0), "update": (1e-4, 0.1)}
LAYER = LayerStats(1, 64, 0.5, 0.7, 0.0, 0, 64, 5.0, 0.3)


def moments(count: int, hidden: int = 2, **measured: float) -> list[MeasuredLayers]:
    layers = [replace(LAYER, layer=i + 1, **measured) for i in range(hidden + 1)]  # type: ignore[arg-type]
    return [MeasuredLayers(10 * step, layers, [1e-3 * (i + 1) for i in range(hidden + 1)]) for step in range(count)]


def over_time(shown: list[MeasuredLayers]) -> go.Figure:
    return drawn(layers.layer_statistics)(shown, 10, 5.0, HEALTHY, 1e-3)


def lines(figure: go.Figure, row: int) -> dict[str, Any]:
    """Name -> curve of the panel in this row, the first being 1."""
    axis = "y" if row == 1 else f"y{row}"
    return {trace.name: trace for trace in figure.data if trace.yaxis == axis and trace.mode != "markers" and trace.x[0] is not None}


def axis(figure: go.Figure, row: int) -> Any:
    return figure.layout["yaxis" if row == 1 else f"yaxis{row}"]


def test_five_panels_show_what_was_measured_by_epoch() -> None:
    figure = over_time(moments(4, saturated_fraction=0.25))
    expected = [0.5, math.log10(0.7), 25.0, math.log10(0.3), -3.0]
    for row, value in enumerate(expected, start=1):
        curve = next(iter(lines(figure, row).values()))
        assert list(curve.x) == [0, 1, 2, 3]
        np.testing.assert_allclose(curve.y, value)
    assert [list(lines(figure, row)) for row in (1, 4)] == [["layer 1", "layer 2"], ["layer 1", "layer 2", "output"]]
    assert [trace.y[0] for trace in lines(figure, 5).values()] == pytest.approx([-3, math.log10(2e-3), math.log10(3e-3)])
    sound(figure, 12_000)


def test_a_layer_has_one_color_and_the_output_is_grey_and_dashed() -> None:
    figure = over_time(moments(2))
    for row in (1, 2, 4, 5):
        colors = {name: trace.line.color for name, trace in lines(figure, row).items()}
        assert (colors["layer 1"], colors["layer 2"]) == tuple(depth_colors(2))
    output = lines(figure, 4)["output"]
    assert (output.line.color, output.line.dash) == (OUTPUT, "dash")
    named = [trace.name for trace in figure.data if trace.showlegend is not False]
    assert named == ["layer 1", "layer 2", "output"]


def test_each_panel_marks_its_healthy_range_and_keeps_it_in_view() -> None:
    figure = over_time(moments(3, gradient_norm=1e-9, activation_mean=30.0))
    bands = {shape.yref: (shape.y0, shape.y1) for shape in figure.layout.shapes if shape.type == "rect"}
    assert bands["y"] == HEALTHY["mean"]
    assert bands["y2"] == pytest.approx(np.log10(HEALTHY["std"]))
    assert bands["y3"] == HEALTHY["flat"]
    assert bands["y4"] == pytest.approx(np.log10(HEALTHY["gradient"]))
    assert bands["y5"] == pytest.approx(np.log10(HEALTHY["update"]))
    for row in range(1, 6):
        low, high = axis(figure, row).range
        edges = bands["y" if row == 1 else f"y{row}"]
        assert low < edges[0] < edges[1] < high
        for trace in lines(figure, row).values():
            assert low < min(trace.y) <= max(trace.y) < high
    (rule,) = [shape for shape in figure.layout.shapes if shape.type == "line"]
    assert (rule.yref, rule.y0) == ("y5", pytest.approx(-3))
    assert [shape.name for shape in figure.layout.shapes if shape.showlegend] == ["usual while learning"]


@given(st.lists(st.sampled_from([0.0, math.inf, math.nan, 5e-324, 1e22]) | st.floats(0, 1e3), min_size=1, max_size=MOST_POINTS))
def test_no_gradient_norm_is_lost(norms: list[float]) -> None:
    shown = [MeasuredLayers(step, [replace(LAYER, gradient_norm=norm)], [None]) for step, norm in enumerate(norms, start=1)]
    figure = over_time(shown)
    places: dict[float, float | str] = {}
    for trace in figure.data:
        if trace.yaxis == "y" and trace.x[0] is not None:
            for i, (x, y) in enumerate(zip(trace.x, trace.y, strict=True)):
                if not math.isnan(y):
                    places[round(10 * float(x))] = trace.text[i] if trace.mode == "markers" else float(y)
    for step, norm in enumerate(norms, start=1):
        expected = "exactly 0" if norm == 0 else math.log10(norm) if math.isfinite(norm) else "not finite"
        assert places[step] == (expected if isinstance(expected, str) else pytest.approx(expected))
    words = list(axis(figure, 1).ticktext)
    assert ("exactly 0" in words) == (0.0 in norms)
    assert ("∞ or NaN" in words) == any(not math.isfinite(norm) for norm in norms)


def test_an_update_that_nobody_watched_is_left_out() -> None:
    shown = moments(4)
    shown[1] = replace(shown[1], update_ratios=[None, 2e-3, None])
    curves = lines(over_time(shown), 5)
    assert [list(curve.x) for curve in curves.values()] == [[0, 2, 3], [0, 1, 2, 3], [0, 2, 3]]


@pytest.mark.parametrize(
    ("measured", "names"),
    [
        ({}, {"layer 1, dead units"}),
        ({"dead_units": 16}, {"layer 1, dead units"}),
        ({"saturated_fraction": 0.1}, {"layer 1, saturated outputs"}),
        ({"dead_units": 16, "saturated_fraction": 0.1}, {"layer 1, dead units", "layer 1, saturated outputs"}),
    ],
)
def test_flat_is_what_the_units_are(measured: dict[str, float], names: set[str]) -> None:
    curves = lines(over_time(moments(2, hidden=1, **measured)), 3)
    assert set(curves) == names
    if "dead_units" in measured:
        assert list(curves["layer 1, dead units"].y) == [25, 25]
    assert len({curve.line.dash for curve in curves.values()}) == len(curves)


def test_without_hidden_layers_two_panels_are_left() -> None:
    figure = over_time(moments(3, hidden=0))
    assert list(lines(figure, 1)) == ["output"]
    assert [annotation.text for annotation in figure.layout.annotations] == [
        "<b>Gradient norm |∂L/∂W|</b>",
        "<b>Update-to-weight ratio; dotted: 0.001</b>",
    ]
    assert figure.layout.height == statistics_px(0) < statistics_px(1)


def test_a_deep_network_over_a_long_time_stays_light() -> None:
    rng = np.random.default_rng(0)
    norms = rng.random((400, 101)).tolist()
    shown = [MeasuredLayers(step, [replace(LAYER, gradient_norm=norm) for norm in row], [0.01] * 101) for step, row in enumerate(norms)]
    figure = over_time(shown)
    names = list(lines(figure, 4))
    assert len(names) == MOST_LINES + 1
    assert (names[0], names[-2], names[-1]) == ("layer 1", "layer 100", "output")
    assert all(len(trace.x) <= MOST_POINTS for trace in figure.data)
    sound(figure, 400_000)


def test_nothing_measured_is_no_error() -> None:
    sound(over_time([]), 4_000)
