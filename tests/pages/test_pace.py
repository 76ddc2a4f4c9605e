"""A visitor's first run is slow enough to be watched, one click is full speed, and the choice stays: on the training page and the plane."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui import session
from tests.support.pages.training import SMALL, carried_out, finish, job_of, press
from tests.support.pages.visit import address, again, opened, until, visit, visit_with_jobs, widget
from tests.support.pages.visit import press as press_key

STEPS = 16  # of SMALL


@pytest.fixture
def page() -> Iterator[AppTest]:
    with visit("pages/train.py") as page:
        yield page


@pytest.fixture
def plane(monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    with visit_with_jobs("pages/nonlinearity.py", monkeypatch) as page:
        yield page


def choose(page: AppTest, pace: str, key: str = "run_pace") -> AppTest:
    widget(page, key).set_value(pace)
    return again(page)


def test_the_first_run_takes_a_minute_until_it_is_told_to_go_at_full_speed(page: AppTest) -> None:
    press(opened(page, **SMALL), "play")
    job = job_of(page)
    assert job.pace == pytest.approx(STEPS / 60)
    until(page, lambda _: job.run.step == 1)
    choose(page, "full")
    assert job.pace is None
    finish(page)
    assert job.run.history.steps == carried_out(SMALL).history.steps


def test_the_choice_stays_for_later_runs_and_is_in_the_link(page: AppTest) -> None:
    choose(opened(page, **SMALL), "medium")
    assert address(page) == SMALL | {"pace": "medium"}
    for _ in range(2):
        press(page, "play")
        assert job_of(page).pace == pytest.approx(STEPS / 15)
        press(page, "reset")
    press(page, "seeds")
    assert job_of(page).pace == pytest.approx(STEPS / 15)


def test_a_link_brings_its_pace_and_one_that_cannot_be_is_named(page: AppTest) -> None:
    press(opened(page, **SMALL, pace="step"), "play")
    assert job_of(page).pace == 2.0
    opened(page, **SMALL, pace="warp")
    assert "**pace** must be one of step, slow, medium, full, got `warp`" in page.warning[0].value


def test_the_plane_keeps_the_same_paces(plane: AppTest) -> None:
    opened(plane, act="playground", epochs="4", size="60")  # 3 batches an epoch
    job = session.jobs().job("plane")
    assert job is not None
    press_key(plane, "plane_play")
    assert any(button.key == "lr_0.1" for button in plane.button), "what steers the run is there from its first step on"
    assert job.pace == pytest.approx(12 / 60)
    choose(plane, "full", "nonlinearity_pace")
    assert job.pace is None
    until(plane, lambda _: job.ended)
    assert address(plane)["pace"] == "full"
