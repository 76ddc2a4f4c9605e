"""Every unit has its cell, or shares one and the strip says so; a cell's color tells its sign and its size within its layer."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pages.figures import layers
from pages.figures.layers import MOST_CELLS, MOST_STRIPS, STRIP_COLORS, strips_px
from tests.support.figures.soundness import drawn, sound

Floats = npt.NDArray[np.float64]

activation_strips = drawn(layers.activation_strips)


def strip(values: Floats) -> tuple[Any, str]:
    figure = activation_strips([values], ["Layer 1"])
    return figure.data[0], figure.layout.annotations[0].text


@given(arrays.arrays(np.float64, st.integers(1, MOST_CELLS), elements=st.floats(-1e6, 1e6)))
def test_every_unit_of_a_narrow_layer_is_a_cell(values: Floats) -> None:
    trace, title = strip(values)
    np.testing.assert_array_equal(trace.z[0], values)
    assert trace.text[0][-1] == f"unit {len(values)}"
    assert trace.zmin == -trace.zmax
    assert trace.zmax == (np.abs(values).max() or 1.0)
    assert f"{len(values)} unit" in title
    assert "neighbors" not in title


@given(arrays.arrays(np.float64, st.integers(MOST_CELLS + 1, 2048), elements=st.floats(-1e6, 1e6)))
def test_a_wide_layer_shows_the_largest_of_neighbors_and_says_so(values: Floats) -> None:
    trace, title = strip(values)
    cells = trace.z[0]
    share = -(-len(values) // MOST_CELLS)
    assert len(cells) <= MOST_CELLS
    assert f"the largest of every {share} neighbors" in title
    for index in (0, len(cells) // 2, len(cells) - 1):
        neighbors = values[index * share : (index + 1) * share]
        assert abs(cells[index]) == np.abs(neighbors).max()
        assert cells[index] in neighbors or cells[index] == 0
    assert trace.text[0][-1] == f"units {(len(cells) - 1) * share + 1} to {len(values)}, the largest"


def test_zeros_are_counted_and_hardly_colored() -> None:
    trace, title = strip(np.array([0.0, 0.0, 0.0, 2.0]))
    assert title.endswith("0 to 2 · 75 % exactly 0")
    assert [place for place, _ in trace.colorscale] == [0, 0.5, 1]
    assert trace.colorscale[1][1] == STRIP_COLORS[1][1]
    assert str(trace.colorscale[1][1]).endswith(",0.15)")


def test_what_is_not_finite_is_a_hole() -> None:
    trace, title = strip(np.array([np.nan, np.inf, -3.0]))
    assert np.isnan(trace.z[0][:2]).all()
    assert trace.zmax == 3
    assert "−3 to −3" in title
    sound(activation_strips([np.full(4, np.nan)], ["Layer 1"]), 4_000)


def test_strips_stand_in_order_and_do_not_overlap() -> None:
    figure = activation_strips([np.ones(8)] * 4, [f"Layer {i}" for i in range(1, 5)])
    domains = [figure.layout[f"yaxis{suffix}"].domain for suffix in ("", "2", "3", "4")]
    assert all(0 <= low < high <= 1 for low, high in domains)
    assert all(above[0] > below[1] for above, below in pairwise(domains))
    assert [annotation.text.split("</b>")[0] for annotation in figure.layout.annotations] == [f"<b>Layer {i}" for i in range(1, 5)]
    assert [trace.showscale for trace in figure.data] == [True, False, False, False]


@pytest.mark.parametrize("layers", [1, MOST_STRIPS, 101])
def test_a_deep_and_wide_network_stays_light(layers: int) -> None:
    values = [np.random.default_rng(0).normal(size=2048)] * layers
    figure = activation_strips(values, [f"Layer {i}" for i in range(layers)])
    assert len(figure.data) == min(layers, MOST_STRIPS)
    assert figure.layout.height == strips_px(layers)
    sound(figure, 350_000)
