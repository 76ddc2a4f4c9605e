"""Which test images the prediction panel shows: those of a cell, the surest mistakes first, or all in order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp_core.training.state import Evaluation
from pages.ui.run.predictions import SHOWN, choose_images
from tests.support.pages.visit import visit


def evaluation(labels: list[int], predicted: list[int], sureness: list[float]) -> Evaluation:
    """An evaluation in which the network gives the class it predicts the probability `sureness`, and the rest to its neighbor."""
    n = len(labels)
    probabilities = np.zeros((n, 3), dtype=np.float16)
    probabilities[np.arange(n), predicted] = sureness
    probabilities[np.arange(n), (np.array(predicted) + 1) % 3] = 1 - np.array(sureness)
    accuracy = float(np.mean(np.array(labels) == np.array(predicted)))
    return Evaluation(7, np.array(labels, np.uint8), np.array(predicted, np.uint8), probabilities, 1.0, accuracy)


SMALL = evaluation([0, 1, 2, 0, 1, 2], [0, 2, 2, 1, 0, 2], [0.9, 0.6, 0.8, 0.75, 0.6, 1.0])


@pytest.mark.parametrize(
    ("cell", "mistakes_first", "indices"),
    [
        (None, False, (0, 1, 2, 3, 4, 5)),
        (None, True, (3, 1, 4)),
        ((2, 2), False, (2, 5)),
        ((0, 1), True, (3,)),
        ((1, 1), False, ()),
    ],
)
def test_what_is_shown(cell: tuple[int, int] | None, mistakes_first: bool, indices: tuple[int, ...]) -> None:
    shown = choose_images(SMALL, cell, mistakes_first=mistakes_first)
    assert (shown.indices, shown.total) == (indices, len(indices))


tenths = st.integers(4, 10).map(lambda tenth: tenth / 10)
outcomes = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), tenths), min_size=1, max_size=90)


@given(outcomes)
def test_mistakes_come_by_falling_sureness_and_are_all_counted(images: list[tuple[int, int, float]]) -> None:
    labels, predicted, sureness = map(list, zip(*images, strict=True))
    shown = choose_images(evaluation(labels, predicted, sureness), None, mistakes_first=True)
    mistakes = [index for index in range(len(images)) if labels[index] != predicted[index]]
    assert shown.total == len(mistakes)
    assert len(shown.indices) == min(SHOWN, len(mistakes))
    assert set(shown.indices) <= set(mistakes)
    falling = [sureness[index] for index in shown.indices]
    assert falling == sorted((sureness[index] for index in mistakes), reverse=True)[:SHOWN]


@given(outcomes)
def test_the_cells_share_out_the_images(images: list[tuple[int, int, float]]) -> None:
    labels, predicted, sureness = map(list, zip(*images, strict=True))
    made = evaluation(labels, predicted, sureness)
    totals = np.array([[choose_images(made, (row, column), mistakes_first=False).total for column in range(3)] for row in range(3)])
    assert np.array_equal(totals, made.confusion())
    assert totals.sum() == len(images)


def test_before_a_test_the_panel_says_when_it_comes_also_of_a_branch_from_a_later_epoch() -> None:
    with visit("tests/pages/apps/predictions_page.py") as page:
        page.run()
        assert [one.value for one in page.caption] == ["They come with the next test: at the end of this epoch, or as soon as you pause."]
