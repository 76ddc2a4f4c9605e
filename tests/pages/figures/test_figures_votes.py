"""What a class bet and measured is drawn number for number, round beside round, and no picture tells who."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pages.figures import votes
from pages.figures.votes import ClassResult
from tests.support.figures.soundness import drawn, sound

votes_chart, guesses_chart, results_chart = drawn(votes.votes_chart), drawn(votes.guesses_chart), drawn(votes.results_chart)


def test_a_bar_is_as_long_as_its_bets_and_says_their_number_and_share() -> None:
    figure = votes_chart(["falls", "stays"], [[3, 1]])
    sound(figure, 4_000)
    (bars,) = figure.data
    assert (list(bars.x), list(bars.text)) == ([3, 1], ["3 (75 %)", "1 (25 %)"])
    assert list(figure.layout.yaxis.ticktext) == ["falls", "stays"]
    assert figure.layout.yaxis.autorange == "reversed", "the first choice stands on top"


def test_a_second_vote_stands_beside_the_first() -> None:
    figure = votes_chart(["a", "b", "c"], [[3, 1, 0], [0, 4, 1]], outcome=1)
    sound(figure, 4_000)
    first, second = figure.data
    assert (figure.layout.barmode, figure.layout.showlegend) == ("group", True)
    assert (first.name, second.name) == ("First bets: 4", "Second bets: 5")
    assert list(second.x) == [0, 4, 1]
    assert first.marker.color != second.marker.color
    assert list(figure.layout.yaxis.ticktext) == ["a", "<b>✓ b</b>", "c"]


def test_nobody_has_bet_yet() -> None:
    figure = votes_chart(["a", "b"], [[0, 0]])
    assert list(figure.data[0].text) == ["0", "0"]
    assert figure.layout.xaxis.range[1] > 0


def test_a_choice_is_text_and_no_markup() -> None:
    figure = votes_chart(["<b>1</b> < 2 " + "long " * 12], [[1]])
    (label,) = figure.layout.yaxis.ticktext
    assert label.startswith("&lt;b&gt;1&lt;/b&gt; &lt; 2")
    assert max(len(line) for line in label.split("<br>")) < 60


def test_bets_on_a_number_are_counted_in_their_intervals_the_ends_included() -> None:
    figure = guesses_chart([[0, 0.04, 0.5, 1.0]], 0, 1, "accuracy", measured=0.84)
    sound(figure, 8_000)
    (bars,) = figure.data
    assert (sum(bars.y), bars.y[0], bars.y[10], bars.y[-1]) == (4, 2, 1, 1)
    assert figure.layout.shapes[0].x0 == 0.84
    assert figure.layout.annotations[0].text == "measured"


def test_powers_of_ten_are_written_as_such() -> None:
    bets = guesses_chart([[-8]], -20, 0, "bet", powers=True)
    runs = results_chart([ClassResult("size", [[-8.0], [-9.0]])], "size", powers=True)
    assert {(axis.tickprefix, axis.ticksuffix) for axis in (bets.layout.xaxis, runs.layout.xaxis)} == {("10<sup>", "</sup>")}


def test_two_rounds_of_numbers_stand_beside_each_other() -> None:
    figure = guesses_chart([[1, 2], [9.5]], 0, 10, "layers")
    assert [sum(bars.y) for bars in figure.data] == [2, 1]
    assert [bars.name for bars in figure.data] == ["First bets: 2", "Second bets: 1"]


def test_thirty_runs_are_thirty_curves_their_mean_and_their_band() -> None:
    rows = np.random.default_rng(0).normal(0.8, 0.01, (30, 5))
    figure = results_chart([ClassResult("test accuracy", rows.tolist())], "accuracy")
    sound(figure, 30_000)
    low, high, singles, mean = figure.data
    np.testing.assert_allclose(low.y, rows.min(axis=0))
    np.testing.assert_allclose(high.y, rows.max(axis=0))
    np.testing.assert_allclose(mean.y, rows.mean(axis=0))
    assert list(mean.x) == [1, 2, 3, 4, 5]
    drawn = np.array(singles.y, dtype=float).reshape(30, 6)
    np.testing.assert_allclose(drawn[:, :5], rows)
    assert np.isnan(drawn[:, 5]).all()
    assert mean.name == "test accuracy: mean of 30 runs"


def test_a_run_that_broke_off_is_a_shorter_curve_and_spoils_no_mean() -> None:
    figure = results_chart([ClassResult("loss", [[2.0, math.inf], [1.0, 0.5], [3.0]])], "loss")
    sound(figure, 8_000)
    assert list(figure.data[-1].y) == [2.0, 0.5]


def test_single_values_are_points_in_a_row_with_their_mean() -> None:
    figure = results_chart([ClassResult("gradient", [[1.0], [3.0]]), ClassResult("other", [[5.0]])], "size")
    sound(figure, 8_000)
    assert [list(trace.x) for trace in figure.data] == [[1.0, 3.0], [2.0, 2.0], [5.0], [5.0, 5.0]]
    assert list(figure.layout.yaxis.ticktext) == ["gradient", "other"]


@pytest.mark.parametrize("rows", [[], [[math.nan]]])
def test_a_class_without_results_draws_none(rows: list[list[float]]) -> None:
    figure = results_chart([ClassResult("gradient", rows)], "size")
    sound(figure, 4_000)
    assert len(figure.data) == 1
