"""Figures of a sweep show every cell once, by its number or by why it has none, and say which cell was clicked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from mlp_core.records import EpochRecord
from pages.figures import sweep
from pages.figures.sweep import heat_map_alt, parallel_coordinates_alt, sweep_curves_alt
from tests.support.figures.soundness import drawn, sound

heat_map, parallel_coordinates, sweep_curves = drawn(sweep.heat_map), drawn(sweep.parallel_coordinates), drawn(sweep.sweep_curves)


@dataclass(frozen=True)
class Run:
    epochs: Sequence[EpochRecord]


@dataclass(frozen=True)
class Cell:
    index: int
    values: Mapping[str, Any]
    scores: Sequence[float] = ()
    end: str = ""
    epochs: int = 3

    @property
    def name(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.values.items())

    @property
    def runs(self) -> Sequence[Run]:
        return [Run([EpochRecord(n, n, 1, 0.5, 1, score * n / 3) for n in range(1, self.epochs + 1)]) for score in self.scores]

    @property
    def mean(self) -> float:
        return fmean(self.scores) if self.scores and not self.end else math.nan

    @property
    def spread(self) -> float:
        return stdev(self.scores) if len(self.scores) > 1 and not self.end else math.nan

    @property
    def score(self) -> str:
        return f"{100 * self.mean:.1f} %"

    @property
    def reason(self) -> str:
        return f"1 of 2 runs: {self.end}." if self.end else ""


GRID = [
    Cell(0, {"lr": 0.1, "hidden": (256, 256)}, (0.80, 0.82)),
    Cell(1, {"lr": 0.1, "hidden": (64,)}, (0.70, 0.71)),
    Cell(2, {"lr": 0.01, "hidden": (256, 256)}, (0.60, 0.60)),
    Cell(3, {"lr": 0.01, "hidden": (64,)}),
    Cell(4, {"lr": 1.0, "hidden": (256, 256)}, (0.9,), "diverged"),
    Cell(5, {"lr": 1.0, "hidden": (64,)}, (0.75, 0.77)),
]


def indices(figure: go.Figure) -> set[int]:
    """Which cells a figure's points carry."""
    found = [np.ravel(trace.customdata) for trace in figure.data if trace.customdata is not None]
    return {int(index) for index in np.concatenate(found)} - {-1}


def test_a_map_has_each_value_in_order_with_mean_and_spread_in_its_cell() -> None:
    figure = heat_map(GRID, "lr", "hidden")
    sound(figure, 20_000)
    means, broken, missing, words = figure.data
    assert list(figure.layout.xaxis.ticktext) == ["0.01", "0.1", "1.0"]
    assert list(figure.layout.yaxis.ticktext) == ["64", "256,256"]
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("lr", "hidden")
    np.testing.assert_allclose(np.asarray(means.z, dtype=float), [[math.nan, 70.5, 76.0], [60.0, 81.0, math.nan]])
    assert np.asarray(means.text).tolist() == [["", "70.5<br>±0.7", "76.0<br>±1.4"], ["60.0<br>±0.0", "81.0<br>±1.4", ""]]
    assert np.asarray(means.customdata).tolist() == [[-1, 1, 5], [2, 0, -1]]
    assert np.argwhere(np.isfinite(np.asarray(broken.z, dtype=float))).tolist() == [[1, 2]]
    assert "diverged" in broken.hovertext[1][2]
    assert "diverged" in words.text[0]
    assert np.argwhere(np.isfinite(np.asarray(missing.z, dtype=float))).tolist() == [[0, 0]]
    assert "not finished yet" in missing.hovertext[0][0]
    assert indices(figure) == set(range(6))


def test_of_cells_that_share_a_place_the_best_is_drawn_and_said_to_be() -> None:
    cells = [Cell(n, {"lr": lr, "hidden": (64,), "batch_size": size}, (score,)) for n, (lr, size, score) in enumerate(
        [(0.1, 32, 0.7), (0.1, 64, 0.8), (0.2, 32, 0.9), (0.2, 64, 0.6)]
    )]  # fmt: skip
    figure = heat_map(cells, "lr", "hidden")
    assert np.asarray(figure.data[0].customdata).tolist() == [[1, 2]]
    assert np.asarray(figure.data[0].text).tolist() == [["80.0", "90.0"]]
    assert figure.layout.annotations[0].text == "the best over the other settings"


def test_cells_with_drawn_values_are_points_at_them() -> None:
    generator = np.random.default_rng(0)
    cells = [
        Cell(n, {"lr": float(lr), "hidden": (int(width),)}, (0.8, 0.8 + n / 1000))
        for n, (lr, width) in enumerate(zip(10 ** generator.uniform(-3, 0, 20), generator.integers(100, 200, 20), strict=True))
    ]
    figure = heat_map(
        [*cells, Cell(20, {"lr": 0.5, "hidden": (7,)}, (0.1,), "diverged"), Cell(21, {"lr": 0.4, "hidden": (9,)})], "lr", "hidden"
    )
    sound(figure, 40_000)
    assert (figure.layout.xaxis.type, figure.layout.xaxis.title.text) == ("log", "lr")
    assert list(figure.data[0].x) == [cell.values["lr"] for cell in cells]
    assert [trace.marker.symbol for trace in figure.data[1:3]] == ["x", "circle-open"]
    assert indices(figure) == set(range(22))


def test_what_is_far_behind_does_not_take_all_colors() -> None:
    scores = [0.1, 0.84, 0.85, 0.855, 0.86]
    cells = [Cell(n, {"lr": n + 1.0, "hidden": (64,)}, (score,)) for n, score in enumerate(scores)]
    means = heat_map(cells, "lr", "hidden").data[0]
    assert (means.zmin, means.zmax) == (pytest.approx(83.0), pytest.approx(86.0))
    assert "≤ 83.0" in means.colorbar.ticktext
    assert means.z[0][0] == pytest.approx(10.0)


def test_a_line_leads_each_cell_through_its_settings_to_its_score_and_the_range_of_its_seeds() -> None:
    figure = parallel_coordinates(GRID)
    sound(figure, 20_000)
    assert indices(figure) == {0, 1, 2, 4, 5}
    ranges = figure.data[-1]
    assert list(ranges.customdata) == [2, 1, 5, 0]  # from the worst
    low, high = 60.0, 82.0
    np.testing.assert_allclose(ranges.y, (np.array([60.0, 70.5, 76.0, 81.0]) - low) / (high - low))
    np.testing.assert_allclose(ranges.error_y.array, np.array([0.0, 0.5, 1.0, 1.0]) / (high - low), atol=1e-12)
    ends = {int(index): y for trace in figure.data[:-1] for index, x, y in zip(trace.customdata, trace.x, trace.y, strict=True) if x == 2}
    assert ends[0] == pytest.approx((81 - low) / (high - low))
    assert ends[4] < 0  # what diverged has no score
    said = [annotation.text for annotation in figure.layout.annotations]
    assert {"<b>lr</b>", "<b>hidden</b>", "<b>test accuracy (%)</b>", "256,256", "0.01", "broke off"} <= set(said)


def test_many_cells_stay_light_and_the_best_of_them_are_drawn() -> None:
    generator = np.random.default_rng(1)
    cells = [Cell(n, {"lr": float(lr), "batch_size": 32}, (0.5 + n / 10_000,)) for n, lr in enumerate(10 ** generator.uniform(-3, 0, 2000))]
    figure = parallel_coordinates(cells)
    sound(figure, 200_000)
    assert all(len(trace.x) <= 500 for trace in figure.data)
    assert indices(figure) >= set(range(1900, 2000))
    assert len(indices(figure)) <= 200
    assert all(len(trace.x) <= 500 for trace in heat_map(cells, "lr", "batch_size").data if trace.type == "scatter")


def test_curves_are_means_with_the_band_of_their_seeds_and_lead_to_their_cell() -> None:
    figure = sweep_curves([GRID[0], GRID[5], GRID[4]])
    sound(figure, 12_000)
    band, line, _, other, broken = figure.data
    np.testing.assert_allclose(line.y, [27.0, 54.0, 81.0])
    np.testing.assert_allclose(band.y, [82 / 3, 164 / 3, 82, 80, 160 / 3, 80 / 3], rtol=1e-12)
    assert list(line.customdata) == [0] * 3
    assert list(other.customdata) == [5] * 3
    assert broken.name.endswith("(diverged)")
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("epoch", "test accuracy (%)")


def test_a_cell_alone_without_settings_and_none_at_all_can_be_drawn() -> None:
    for cells in ([], [Cell(0, {}, (0.8, 0.9))], [Cell(0, {})]):
        sound(parallel_coordinates(cells), 5_000)
        sound(sweep_curves(cells), 5_000)


def test_the_alt_texts_have_the_best_the_worst_and_what_is_missing() -> None:
    said = heat_map_alt(GRID, "lr", "hidden")
    assert said.startswith("A map of the test accuracy (%) over lr and hidden. Best 81.0 % (lr 0.1, hidden (256, 256)), worst 60.0 %")
    assert said.endswith("1 cell broke off. 1 cell has not finished.")
    assert parallel_coordinates_alt(GRID).startswith("A line for each cell through lr and hidden to its test accuracy (%).")
    assert "lr 1.0, hidden (64,): 76.0 %" in sweep_curves_alt([GRID[0], GRID[5]])
