"""The pictures of dropout drop what the mask drops, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.figures import dropout
from tests.support.figures.soundness import drawn, sound

masked_network = drawn(dropout.masked_network)
mean_of_masks = drawn(dropout.mean_of_masks)
masked_matrix = drawn(dropout.masked_matrix)
vote_strips = drawn(dropout.vote_strips)

VALUES = np.array([[0.0, 2.0, 0.0], [6.0, 8.0, 10.0]])
KEPT = np.array([[False, True, False], [True, True, True]])


def test_every_cell_carries_its_number_and_dropped_ones_are_empty() -> None:
    figure = masked_matrix(VALUES, KEPT)
    sound(figure, 10_000)
    assert [note.text for note in figure.layout.annotations] == ["0", "2", "0", "6", "8", "10"]
    assert [shape.line.dash == "dot" for shape in figure.layout.shapes] == [True, False, True, False, False, False]


def test_without_a_mask_all_cells_are_full() -> None:
    assert {shape.line.dash for shape in masked_matrix(VALUES).layout.shapes} == {"solid"}


@given(st.lists(st.booleans(), min_size=1, max_size=10), st.integers(1, 5), st.integers(1, 5))
def test_edges_join_kept_units_only(mask: list[bool], inputs: int, outputs: int) -> None:
    figure = masked_network(inputs, np.array(mask), outputs)
    sound(figure, 30_000)
    into, out, _, hidden, _ = figure.data
    heights = {y for y, symbol in zip(hidden.y, hidden.marker.symbol, strict=True) if symbol == "circle"}
    assert [symbol == "circle" for symbol in hidden.marker.symbol] == mask
    assert len(into.y) == 3 * inputs * sum(mask)
    assert len(out.y) == 3 * outputs * sum(mask)
    assert set(into.y[1::3]) == heights
    assert set(out.y[::3]) == heights


def test_the_band_is_two_standard_errors_and_the_thick_line_the_mean_of_all() -> None:
    ratios = np.column_stack([np.full(100, 1.2), np.full(100, 0.9)])
    figure = mean_of_masks(ratios, 0.2)
    sound(figure, 30_000)
    band, *units, mean = figure.data
    assert band.y[0] == pytest.approx(1 + 2 * np.sqrt(0.25 / 1))
    assert band.y[len(band.y) // 2] == pytest.approx(1 - 2 * np.sqrt(0.25 / 100))
    assert len(units) == 2
    np.testing.assert_allclose(mean.y, 1.05)


@pytest.mark.parametrize("masks", [1, 2, 10_000])
def test_any_number_of_masks_is_drawn_with_few_points(masks: int) -> None:
    figure = mean_of_masks(np.ones((masks, 15)), 0.5)
    sound(figure, 100_000)
    assert max(len(trace.x) for trace in figure.data) <= 300
    assert figure.data[-1].x[-1] == masks


def test_votes_are_counted_and_the_true_class_is_bold() -> None:
    masked = np.array([[0.7, 0.3], [0.6, 0.4], [0.1, 0.9], [0.8, 0.2]])
    figure = vote_strips(masked, np.array([0.9, 0.1]), ("cat", "dog"), 1)
    sound(figure, 8000)
    votes, copies, off = figure.data
    assert list(votes.y) == [0.75, 0.25]
    assert list(copies.y) == [0.7, 0.6, 0.1, 0.8, 0.3, 0.4, 0.9, 0.2]
    assert list(off.y) == [0.9, 0.1]
    assert list(figure.layout.xaxis.ticktext) == ["cat", "<b>dog</b>"]
