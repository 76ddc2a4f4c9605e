"""The live chart without a browser: what is sent for a figure, where plotly's script is put, and what is shown when it cannot be."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from streamlit.testing.v1 import AppTest

from pages.figures.axes import axis
from pages.figures.figure import figure, heatmap, scatter
from pages.ui import live_chart as module
from pages.ui.live_chart import SHORT, ensure_plotly_js, figure_payload

NARROW = 1e-3  # of an array's span: less than a pixel of a 360 px high chart


def sent(value: Any) -> Any:
    """One coordinate array as it is sent."""
    return figure_payload(figure([{"y": value}]))["data"][0]["y"]


def decoded(typed: dict[str, str]) -> np.ndarray[Any, Any]:
    """What plotly.js reads from a typed array: https://plotly.com/javascript/reference names dtype, bdata and shape."""
    array = np.frombuffer(base64.b64decode(typed["bdata"]), dtype=f"<{typed['dtype']}")
    return array.reshape([int(size) for size in typed["shape"].split(",")]) if "shape" in typed else array


@given(arrays.arrays(np.float64, st.integers(SHORT + 1, 60), elements=st.floats(width=64)))
def test_floats_arrive_as_exactly_as_a_screen_can_show_them(values: np.ndarray[Any, Any]) -> None:
    shown = decoded(sent(values))
    finite = np.isfinite(values)
    assert (np.isfinite(shown) == finite).all()  # a gap stays a gap
    assert np.sign(shown[finite]) == pytest.approx(np.sign(values[finite]))  # nothing falls to 0, which a log axis cannot show
    assert shown[finite] == pytest.approx(values[finite], rel=1.2e-7)
    low, high = (values[finite].min(), values[finite].max()) if finite.any() else (0.0, 0.0)
    if low < high:
        assert np.abs(shown[finite] / 2 - values[finite] / 2).max() <= NARROW * (high / 2 - low / 2)


@given(arrays.arrays(np.int64, st.integers(SHORT + 1, 40), elements=st.integers(-(2**53), 2**53)))
def test_integers_arrive_exactly(values: np.ndarray[Any, Any]) -> None:
    assert (decoded(sent(values)) == values).all()
    assert (decoded(sent(values.tolist())) == values).all()


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (np.linspace(0, 1, 100), "f4"),
        (np.arange(200.0), "u1"),
        (np.arange(469), "u2"),
        (np.arange(-100, 100), "i1"),
        (np.logspace(-60, 0, 50), "f8"),  # gradient norms of a deep sigmoid network: float32 ends at 1e-38
        (np.logspace(0, 60, 50) + 0.5, "f8"),
        (1e9 + np.linspace(0, 1, 50), "f8"),  # a narrow band far from 0
    ],
)
def test_the_narrowest_type_that_does_no_harm_is_taken(values: np.ndarray[Any, Any], dtype: str) -> None:
    assert sent(values)["dtype"] == dtype


def test_gaps_text_and_short_lists_go_as_they_are() -> None:
    assert sent([1.0, None, float("nan"), float("inf"), 2.5]) == [1.0, None, None, None, 2.5]
    assert sent(["relu"] * 40) == ["relu"] * 40
    assert sent([True] * 40) == [True] * 40
    assert sent(np.array([], dtype=np.float64)) == []
    assert np.isnan(decoded(sent([1.5, None] * 20))[1::2]).all()
    numbers = [0.1] * 40
    assert figure_payload(figure([{"customdata": numbers}]))["data"] == [{"customdata": numbers}]


def test_a_picture_keeps_its_shape() -> None:
    picture = np.arange(28 * 28, dtype=np.uint8).reshape(28, 28)
    for z in (picture, picture.tolist()):
        trace = figure_payload(figure([heatmap(z=z)]))["data"][0]
        assert trace["z"]["dtype"] == "u1"
        assert (decoded(trace["z"]) == picture).all()


def test_arrays_within_a_trace_are_packed_too() -> None:
    sizes = np.linspace(1.0, 9.0, 100)
    trace = figure_payload(figure([scatter(y=sizes, error_y={"array": sizes}, marker={"color": sizes, "size": 5})]))["data"][0]
    assert trace["error_y"]["array"] == trace["marker"]["color"] == trace["y"]
    assert trace["marker"]["size"] == 5


def test_the_template_stays_behind_and_the_zoom_is_kept() -> None:
    drawn = figure([scatter(y=[1, 2])], title={"text": "Loss"})
    assert "template" in drawn["layout"]
    layout = figure_payload(drawn)["layout"]
    assert "template" not in layout
    assert (layout["title"], layout["uirevision"]) == ({"text": "Loss"}, "keep")
    assert figure_payload(figure(uirevision=7))["layout"]["uirevision"] == 7


def test_the_payload_is_plain_json_and_half_as_long_as_plotlys_own() -> None:
    steps = np.arange(500.0)
    curves = [scatter(x=steps, y=np.exp(-steps / 100 * rate), name=f"lr {rate}") for rate in (1, 2)]
    drawn = figure(curves, xaxis=axis("step", range=np.array([0.0, np.nan])))
    payload = figure_payload(drawn)
    text = json.dumps(payload, allow_nan=False)
    assert json.loads(text) == payload
    assert len(text) < len(go.Figure(drawn).to_json()) / 2


@pytest.fixture
def static(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of static files that is not the repository's."""
    monkeypatch.setattr(module, "STATIC", tmp_path)
    ensure_plotly_js.cache_clear()
    yield tmp_path
    ensure_plotly_js.cache_clear()


def test_plotlys_script_is_put_in_its_place_once_and_replaced_when_it_differs(static: Path) -> None:
    packaged = (files("plotly") / "package_data" / "plotly.min.js").read_bytes()
    assert ensure_plotly_js() == f"app/static/plotly.min.js?v={len(packaged)}"
    served = static / "plotly.min.js"
    assert served.read_bytes() == packaged
    first = served.stat().st_ino
    ensure_plotly_js.cache_clear()
    ensure_plotly_js()
    assert served.stat().st_ino == first
    served.write_bytes(packaged[:-1] + b"x")  # as long, yet another
    ensure_plotly_js.cache_clear()
    ensure_plotly_js()
    assert served.read_bytes() == packaged
    assert [path.name for path in static.iterdir()] == ["plotly.min.js"]


def one_chart() -> None:
    from pages.figures.figure import figure, scatter  # noqa: PLC0415  the body runs as a script of its own
    from pages.ui.live_chart import live_chart  # noqa: PLC0415

    live_chart(figure([scatter(y=[3, 1, 2])]), key="loss", height=200, alt="Loss by step", on_click=print)


def test_the_component_gets_figure_size_and_alternative_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamlit.get_option", {"server.enableStaticServing": True}.__getitem__)
    app = AppTest.from_function(one_chart).run()
    assert not app.exception
    (chart,) = app.get("bidi_component")
    data = json.loads(chart.proto.bytes)
    assert data["figure"]["data"] == [{"y": [3, 1, 2], "type": "scatter"}]
    script = data["about"].pop("script")
    assert data["about"] == {"alt": "Loss by step", "height": 200, "name": "loss", "clickable": True, "words": {}}
    assert script.startswith("app/static/plotly.min.js")
    assert len(chart.proto.js_content) < 600  # it is sent with every update


@pytest.mark.parametrize("why", ["a folder that cannot be written", "static serving is off"])
def test_where_the_script_cannot_be_served_the_chart_is_streamlits_own(static: Path, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    if why == "static serving is off":
        monkeypatch.setattr("streamlit.get_option", {"server.enableStaticServing": False}.__getitem__)
    else:
        monkeypatch.setattr(module, "STATIC", static / "missing")
    app = AppTest.from_function(one_chart).run()
    assert not app.exception
    (chart,) = app.get("plotly_chart")
    assert json.loads(chart.proto.spec)["data"][0]["y"] == [3, 1, 2]
    assert not app.get("bidi_component")


def test_a_payload_is_sent_as_it_is() -> None:
    payload = figure_payload(figure([scatter(x=[1, 2], y=[3, float("nan")])]))
    assert figure_payload(payload) is payload
