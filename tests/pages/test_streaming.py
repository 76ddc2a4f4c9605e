"""What the browser has after any number of messages is what it would have been sent at once."""

from __future__ import annotations

import json
from array import array
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core.records import HistorySnapshot
from pages.figures.figure import Figure, figure
from pages.figures.series import CurveSeries
from pages.figures.training import accuracy_curve, loss_curve
from pages.ui.live_chart import figure_payload
from pages.ui.streaming import Stream
from tests.support.pages.streamed import Reader

COLUMNS = {"x", "y", "customdata"}


def same(reader: Reader, figures: dict[str, Figure]) -> None:
    for name, wanted in figures.items():
        got = reader.figures[name]
        assert got["layout"] == json.loads(json.dumps(figure_payload(wanted)["layout"]))
        for read, trace in zip(got["data"], wanted["data"], strict=True):
            assert read.keys() == trace.keys()
            for column in COLUMNS & trace.keys():
                np.testing.assert_array_equal(np.array(read[column], np.float32), np.asarray(trace[column], np.float32))


def drawn(steps: int, seed: int) -> dict[str, Figure]:
    """Both curves of a run after so many of its 60 steps; some losses are not finite."""
    rng = np.random.default_rng(seed)
    losses = rng.exponential(size=60)
    losses[rng.random(60) < 0.05] = np.inf
    columns = array("d", losses[:steps]), array("d", rng.random(60)[:steps])
    series = CurveSeries(HistorySnapshot(array("q", range(1, steps + 1)), *columns, 1, (), ()), 6)
    return {"loss": loss_curve(series, 10), "accuracy": accuracy_curve(series, 10)}


@settings(deadline=None)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=6), st.integers(0, 2**32 - 1))
def test_any_growth_arrives_whole(ends: list[int], seed: int) -> None:
    stream, reader = Stream(), Reader()
    for end in sorted(ends):
        figures = drawn(end, seed)
        reader.read(stream.message(reader.version, figures, {"step": end}, {}, 6))
        same(reader, figures)
        assert reader.parts == {"step": end}


def test_only_what_is_new_is_sent() -> None:
    stream, reader = Stream(), Reader()
    for end in (40, 50, 50):
        content = reader.read(stream.message(reader.version, drawn(end, 1), {"step": end, "title": "a run"}, {"alt": "x"}, 6))
    assert content["figures"] == {}
    assert content["parts"] == {}
    assert "about" not in content


def test_who_missed_a_message_is_sent_everything() -> None:
    stream, reader = Stream(), Reader()
    reader.read(stream.message(None, drawn(10, 1), {}, {}, 6))
    stream.message(reader.version, drawn(20, 1), {}, {}, 6)  # lost
    content = reader.read(stream.message(reader.version, drawn(30, 1), {}, {"alt": "x"}, 6))
    assert content["since"] == 0
    assert content["about"] == {"alt": "x"}
    same(reader, drawn(30, 1))


def test_two_sessions_never_share_a_version() -> None:
    one, other = Stream(), Stream()
    reader = Reader()
    reader.read(one.message(None, drawn(10, 1), {}, {}, 6))
    assert Reader().read(other.message(reader.version, drawn(10, 2), {}, {}, 6))["since"] == 0


@pytest.mark.parametrize("change", [{"name": "another"}, {"line": {"color": "red"}}])
def test_a_trace_that_looks_otherwise_is_sent_whole(change: dict[str, Any]) -> None:
    stream = Stream()
    trace = {"type": "scatter", "x": np.arange(3), "y": np.arange(3.0)}
    first = json_of(stream.message(None, {"a": figure([trace])}, {}, {}))
    content = json_of(stream.message(first["version"], {"a": figure([trace | change])}, {}, {}))
    assert "data" in content["figures"]["a"]


def test_a_layout_changes_without_its_points() -> None:
    stream = Stream()
    trace = {"type": "scatter", "x": np.arange(3), "y": np.arange(3.0)}
    first = json_of(stream.message(None, {"a": figure([trace], shapes=[])}, {}, {}))
    content = json_of(stream.message(first["version"], {"a": figure([trace], shapes=[{"type": "line"}])}, {}, {}))
    assert content["figures"] == {"a": {"layout": {"shapes": [{"type": "line"}]}}}


def test_another_figure_that_looks_otherwise_costs_the_first_none_of_its_points() -> None:
    stream, reader = Stream(), Reader()
    for color in ("red", "blue"):
        figures = drawn(50, 1) | {"other": figure([{"type": "scatter", "x": [1.0], "y": [2.0], "line": {"color": color}}])}
        content = reader.read(stream.message(reader.version, figures, {}, {}, 6))
        same(reader, figures)
    assert content["figures"].keys() == {"other"}


def test_numbers_beyond_float32_and_gaps_arrive() -> None:
    stream, reader = Stream(), Reader()
    x, y = np.arange(40), np.geomspace(1e-200, 1e200, 40)
    y[7] = np.nan
    for end in (20, 40):
        shown = {"a": figure([{"type": "scatter", "x": x[:end], "y": y[:end]}])}
        reader.read(stream.message(reader.version, shown, {}, {}))
    np.testing.assert_array_equal(reader.figures["a"]["data"][0]["y"], y)


def json_of(message: bytes) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(message[4 : 4 + int.from_bytes(message[:4], "little")])
    return content
