"""Layer pictures show the measured numbers, and nothing measured is lost to a log axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core.records import LayerStats, ProbeRecord
from pages.figures.layers import USUAL_GRADIENT, USUAL_PERCENT, gradient_norms, unit_health
from pages.figures.palette import GRADIENT, GREY
from tests.support.figures.soundness import sound


def probe(norms: Sequence[float], step: int = 0, dead: Sequence[int] = (), saturated: Sequence[float] = ()) -> ProbeRecord:
    dead, saturated = (dead or [0] * len(norms)), (saturated or [0.0] * len(norms))
    return ProbeRecord(
        step,
        tuple(
            LayerStats(
                layer=i + 1, units=64, activation_mean=0.0, activation_std=1.0, saturated_fraction=saturated[i], dead_units=dead[i],
                distinct_units=64, weight_norm=1.0, gradient_norm=norm,
            )
            for i, norm in enumerate(norms)
        ),
    )  # fmt: skip


def on_axis(figure: go.Figure, axis: str) -> list[Any]:
    return [trace for trace in figure.data if (trace.yaxis or "y") == axis]


norms = st.lists(st.sampled_from([0.0, math.inf, math.nan, 5e-324, 1e-30, 0.3, 1e22]) | st.floats(0, 1e30), min_size=1, max_size=30)


@given(norms)
@settings(deadline=None, max_examples=40)
def test_every_layer_is_drawn_once_wherever_its_norm_has_a_place(values: list[float]) -> None:
    figure = gradient_norms(probe(values))
    drawn: dict[int, float | str] = {}
    for axis, label in (("y", None), ("y2", "0 exactly"), ("y3", "not finite")):
        for trace in on_axis(figure, axis):
            for x, y in zip(trace.x, trace.y, strict=True):
                if label or not math.isnan(y):
                    assert int(x) not in drawn
                    drawn[int(x)] = label or float(y)
    for layer, value in enumerate(values, start=1):
        assert drawn[layer] == ("0 exactly" if value == 0 else value if math.isfinite(value) else "not finite")
    low, high = figure.layout.yaxis.range
    inside = [value for value in values if value > 0 and math.isfinite(value)]
    assert all(low < math.log10(value) < high for value in [*inside, *USUAL_GRADIENT])
    sound(figure, 6_000)


def test_lanes_appear_only_when_needed_and_are_labeled() -> None:
    assert [len(on_axis(gradient_norms(probe([1.0, 2.0])), axis)) for axis in ("y2", "y3")] == [0, 0]
    figure = gradient_norms(probe([0.0, math.nan, 1.0]))
    assert figure.layout.yaxis2.ticktext == ("0 exactly",)
    assert figure.layout.yaxis3.ticktext == ("not finite",)
    assert figure.layout.yaxis2.domain[1] < figure.layout.yaxis.domain[0] < figure.layout.yaxis.domain[1] < figure.layout.yaxis3.domain[0]
    assert figure.layout.xaxis.anchor == "y2"


def test_norms_are_on_a_log_axis_with_the_usual_range_and_the_output_is_named() -> None:
    figure = gradient_norms(probe([1.0, 2.0, 3.0]))
    (band,) = figure.layout.shapes
    assert (band.y0, band.y1) == USUAL_GRADIENT
    assert band.showlegend
    assert figure.layout.yaxis.type == "log"
    assert list(figure.layout.xaxis.tickvals) == [1, 2, 3]
    assert list(figure.layout.xaxis.ticktext) == ["1", "2", "output"]


def test_an_earlier_step_is_drawn_faintly_below() -> None:
    figure = gradient_norms(probe([1.0, 2.0], step=470), probe([0.5, 0.0], step=0))
    assert [(trace.name, trace.marker.color) for trace in figure.data if trace.showlegend is not False] == [
        ("step 0", GREY),
        ("step 470", GRADIENT),
    ]
    start, now = on_axis(figure, "y")
    assert start.line.width < now.line.width
    assert [trace.x.tolist() for trace in on_axis(figure, "y2")] == [[2]]


@given(st.lists(st.tuples(st.integers(0, 64), st.floats(0, 1)), min_size=2, max_size=40))
@settings(deadline=None, max_examples=40)
def test_health_is_in_percent_of_each_hidden_layer(layers: list[tuple[int, float]]) -> None:
    dead, saturated = zip(*layers, strict=True)
    figure = unit_health(probe([1.0] * len(layers), dead=dead, saturated=saturated))
    first, second = figure.data
    assert list(first.x) == list(second.x) == list(range(1, len(layers)))  # not the output layer
    np.testing.assert_allclose(first.y, np.array(dead[:-1]) / 64 * 100)
    np.testing.assert_allclose(second.y, np.array(saturated[:-1]) * 100)
    assert first.customdata[0] == f"{dead[0]} of 64 units"
    assert list(figure.layout.yaxis.range) == [0, 100]
    (band,) = figure.layout.shapes
    assert (band.y0, band.y1) == (0, USUAL_PERCENT)
    sound(figure, 6_000)


@pytest.mark.parametrize("record", [None, probe([1.0])])
def test_before_any_measurement_and_without_hidden_layers_there_is_an_empty_frame(record: ProbeRecord | None) -> None:
    health = unit_health(record)
    assert [len(trace.x) for trace in health.data] == [0, 0]
    sound(health, 3_000)
    sound(gradient_norms(record), 3_000)
