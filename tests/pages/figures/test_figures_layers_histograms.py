"""Ridges show the counts they were given, in order, over an axis that holds them; what is flat is shaded behind the hidden layers."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.figures import layers
from pages.figures.layers import MOST_RIDGES, RIDGE_HEIGHT, FlatRange, histograms_px
from pages.figures.palette import OUTPUT, depth_colors, translucent
from tests.support.figures.soundness import drawn, sound
from tests.support.reading import read

layer_ridges = drawn(layers.layer_histograms)


class Bins(NamedTuple):
    low: float
    high: float
    counts: tuple[int, ...]


def normal(std: float, bins: int = 40) -> Bins:
    counts, edges = np.histogram(np.random.default_rng(0).normal(0, std, 20_000), bins)
    return Bins(float(edges[0]), float(edges[-1]), tuple(map(int, counts)))


def outlines(figure: go.Figure) -> list[Any]:
    return [trace for trace in figure.data if trace.mode == "lines"]


def targets(figure: go.Figure) -> list[Any]:
    return [trace for trace in figure.data if trace.mode == "markers"]


@given(st.lists(st.lists(st.integers(0, 1000), min_size=4, max_size=40).filter(any), min_size=1, max_size=5))
def test_heights_are_roots_of_shares_and_the_hover_names_them(layers: list[list[int]]) -> None:
    bins = [Bins(-1.0, 1.0, tuple(counts)) for counts in layers]
    figure = layer_ridges(bins, "weight", hidden=len(bins))
    low, high = figure.layout.xaxis.range
    for row, (counts, outline, target) in enumerate(zip(layers, outlines(figure), targets(figure), strict=True)):
        base = len(layers) - 1 - row
        edges = np.linspace(-1, 1, len(counts) + 1)
        shown = (edges[1:] > low) & (edges[:-1] < high)
        tops = outline.y[1:-1:2][: shown.sum()] - base
        expected = np.array(counts)[shown]
        np.testing.assert_allclose(tops, RIDGE_HEIGHT * np.sqrt(expected / expected.max()))
        np.testing.assert_allclose(target.x, (edges[:-1] + 1 / len(counts))[shown], atol=1e-9)
        np.testing.assert_allclose(target.customdata, 100 * expected / sum(counts), rtol=6e-3)


def test_layers_stand_in_order_in_their_colors() -> None:
    figure = layer_ridges([normal(1), normal(2), normal(3)], "weight", hidden=2)
    assert [trace.line.color for trace in outlines(figure)] == [*depth_colors(2), OUTPUT]
    places = dict(zip(figure.layout.yaxis.ticktext, figure.layout.yaxis.tickvals, strict=True))
    assert places["layer 1"] > places["layer 2"] > places["output"]
    sound(figure, 25_000)


@pytest.mark.parametrize("std", [1e-9, 0.3, 40.0])
def test_the_axis_holds_nearly_all_of_the_widest_layer(std: float) -> None:
    figure = layer_ridges([normal(std), normal(std / 1000)], "weight", hidden=2)
    low, high = figure.layout.xaxis.range
    assert 3 * std < high < 6 * std
    assert -6 * std < low < -3 * std


def test_the_standard_deviation_is_written_beside_each_layer() -> None:
    figure = layer_ridges([normal(0.25), normal(3e-7)], "weight", hidden=2, notes=["3 dead", ""])
    first, second = (annotation.text for annotation in figure.layout.annotations)
    assert first == "std 0.25<br>3 dead"
    assert float(read(second.removeprefix("std "))) == pytest.approx(3e-7, rel=0.1)


def test_what_is_flat_is_shaded_behind_the_hidden_layers_alone() -> None:
    figure = layer_ridges([normal(0.3), normal(0.3), normal(4)], "output", hidden=2, flat=FlatRange(-0.97, 0.97))
    low, high = figure.layout.xaxis.range
    shapes = figure.layout.shapes
    assert [(shape.x0, shape.x1) for shape in shapes] == [(low, -0.97), (0.97, high)]
    assert all(shape.y0 > outlines(figure)[2].y.min() and shape.y1 >= outlines(figure)[0].y.max() for shape in shapes)
    assert [shape.showlegend for shape in shapes] == [True, False]
    one_sided = layer_ridges([normal(0.3)], "output", hidden=1, flat=FlatRange(-0.97, math.inf))
    assert len(one_sided.layout.shapes) == 1
    near = layer_ridges([normal(0.01)], "output", hidden=1, flat=FlatRange(-0.97, 0.97)).layout.xaxis.range
    assert near[0] < -0.97 < 0.97 < near[1], "so that one sees how far away it is"


def test_on_scales_of_their_own_all_layers_are_equally_wide() -> None:
    figure = layer_ridges([normal(1), normal(1e-8)], "gradient", hidden=1, flat=FlatRange(-0.97, 0.97), own_scales=True)
    wide, narrow = (trace.x for trace in outlines(figure))
    np.testing.assert_allclose(wide, narrow, atol=1e-9)
    assert np.abs(wide).max() == 1
    assert not figure.layout.shapes
    assert "1 × 10⁻⁸" in figure.layout.annotations[1].text


def test_a_deep_network_shows_some_layers_from_both_ends() -> None:
    figure = layer_ridges([normal(1)] * 101, "weight", hidden=100)
    names = list(figure.layout.yaxis.ticktext)
    assert (len(names), names[0], names[-1]) == (MOST_RIDGES, "layer 1", "output")
    assert outlines(figure)[0].fillcolor == translucent(depth_colors(100)[0], 0.35)
    assert figure.layout.height == histograms_px(101) == histograms_px(10)
    sound(figure, 60_000)


def test_no_finite_value_is_an_empty_ridge() -> None:
    figure = layer_ridges([Bins(0.0, 1.0, (0,) * 40)], "output", hidden=1)
    assert set(outlines(figure)[0].y) == {0.0}
    sound(figure, 6_000)
