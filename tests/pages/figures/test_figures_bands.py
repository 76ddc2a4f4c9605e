"""Curves and their bands show the numbers they are given, and what cannot be drawn goes to the edge."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pages.figures import bands
from pages.figures.axes import axis, log_axis
from pages.figures.bands import LEAST, MOST, BandSeries
from pages.figures.marks import Marks
from pages.figures.palette import TEST, TRAIN
from tests.support.figures.soundness import drawn, sound

band_chart = drawn(bands.band_chart)

X = [1, 2, 3]


def test_a_band_is_an_outline_there_and_back_under_its_line() -> None:
    figure = band_chart([BandSeries("a", X, [5, 6, 7], TRAIN, [4, 5, 6], [9, 9, 9])], xaxis=axis("x"), yaxis=axis("y"))
    sound(figure, 8000)
    band, line = figure.data
    assert (list(line.x), list(line.y), line.name) == (X, [5, 6, 7], "a")
    assert list(band.x) == [1, 2, 3, 3, 2, 1]
    assert list(band.y) == [9, 9, 9, 6, 5, 4]
    assert (band.fill, band.showlegend) == ("toself", False)


def test_a_single_run_has_no_band() -> None:
    figure = band_chart([BandSeries("a", X, [5, 6, 7], TRAIN), BandSeries("b", X, [1, 2, 3], TEST)], xaxis=axis("x"), yaxis=axis("y"))
    assert [trace.name for trace in figure.data] == ["a", "b"]


@pytest.mark.parametrize(("yaxis", "lowest"), [(log_axis("y"), LEAST), (axis("y"), -MOST)])
def test_what_is_beyond_the_axis_lies_on_its_edge_and_nan_is_a_gap(yaxis: dict[str, object], lowest: float) -> None:
    figure = band_chart([BandSeries("a", [1, 2, 3, 4], [-math.inf, 1.0, math.inf, math.nan], TRAIN)], xaxis=axis("x"), yaxis=yaxis)
    sound(figure, 8000)
    drawn = list(figure.data[0].y)
    assert drawn[:3] == [lowest, 1.0, MOST]
    assert math.isnan(drawn[3])


def test_long_curves_are_thinned_and_keep_their_spike() -> None:
    values = np.zeros(5000)
    values[1234] = 9.0
    figure = band_chart([BandSeries("a", np.arange(5000), values, TRAIN, values, values + 1)], xaxis=axis("x"), yaxis=axis("y"))
    sound(figure, 60_000)
    line = figure.data[1]
    assert len(line.x) <= 500
    assert line.y[list(line.x).index(1234)] == 9.0


def test_the_place_of_the_controls_and_levels_are_marked() -> None:
    marks = Marks(log=True)
    marks.level(0.01, "noise")
    figure = band_chart([], xaxis=axis("x"), yaxis=log_axis("y"), marks=marks, here=3.0)
    level, here = figure.layout.shapes
    assert (here.x0, here.x1, level.y0) == (3.0, 3.0, 0.01)
    assert figure.layout.annotations[0].text == "noise"
