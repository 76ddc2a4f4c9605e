"""The controls of how curves are drawn: each changes the figure as it says, and what cannot be is explained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.pages.visit import again, press, sent, visit


@pytest.fixture
def page() -> Iterator[AppTest]:
    with visit("tests/pages/apps/curve_options_page.py") as page:
        yield opened_axes(again(page))


def opened_axes(page: AppTest) -> AppTest:
    page.session_state["curve_axes"] = True
    return again(page)


def figure(page: AppTest, name: str) -> dict[str, Any]:
    found = sent(page, name)
    assert found is not None
    return found


def yaxis(page: AppTest, name: str = "loss") -> dict[str, Any]:
    found: dict[str, Any] = figure(page, name)["layout"]["yaxis"]
    return found


def names(page: AppTest) -> list[str]:
    return [trace.get("name") for trace in figure(page, "loss")["data"]]


def test_the_controls_are_sent_once_somebody_opens_them() -> None:
    with visit("tests/pages/apps/curve_options_page.py") as page:
        again(page)
        assert not page.toggle
        opened_axes(page).toggle(key="curve_log_y").set_value(True)
        again(page).session_state["curve_axes"] = False
        again(page)
        assert not page.toggle
        assert yaxis(page)["type"] == "log"
        assert opened_axes(page).toggle(key="curve_log_y").value


def test_untouched_controls_draw_plain_axes(page: AppTest) -> None:
    assert yaxis(page).get("type") is None
    assert "range" not in yaxis(page)
    assert yaxis(page, "accuracy")["range"] == [0, 100]
    assert figure(page, "loss")["layout"]["xaxis"].get("type") is None
    assert not [button for button in page.button if button.key == "curve_spike"]


def test_both_axes_can_be_logarithmic(page: AppTest) -> None:
    page.toggle(key="curve_log_y").set_value(True)
    page.toggle(key="curve_log_x").set_value(True)
    again(page)
    assert yaxis(page)["type"] == "log"
    assert figure(page, "loss")["layout"]["xaxis"]["type"] == figure(page, "accuracy")["layout"]["xaxis"]["type"] == "log"


def test_smoothing_can_be_stronger_and_off(page: AppTest) -> None:
    page.select_slider(key="curve_smoothing").set_value(0.5)
    again(page)
    assert "± 0.5 epochs" in figure(page, "loss")["data"][1]["hovertemplate"]
    page.select_slider(key="curve_smoothing").set_value(0.0)
    again(page)
    assert names(page) == ["train step", "train epoch", "test"]


def test_ranges_are_set_and_one_that_cannot_be_is_explained(page: AppTest) -> None:
    page.number_input(key="curve_loss_high").set_value(0.5)
    page.slider(key="curve_accuracy_range").set_value((70, 90))
    again(page)
    assert yaxis(page)["range"] == [None, 0.5]
    assert yaxis(page, "accuracy")["range"] == [70, 90]
    page.number_input(key="curve_loss_low").set_value(1.0)
    again(page)
    said = "The loss axis cannot reach from 1 to 0.5: its lower end must be below its upper end. Both axes stay automatic."
    assert page.error[0].value == said
    assert "range" not in yaxis(page)


def test_one_click_shows_a_spike_and_another_clips_it_again(page: AppTest) -> None:
    page.session_state["spike"] = 51.3
    again(page)
    assert names(page)[-1] == "clipped"
    press(page, "curve_spike")
    assert "clipped" not in names(page)
    assert not page.toggle(key="curve_clip.1").value
    press(page, "curve_spike")
    assert names(page)[-1] == "clipped"
