"""Where plotly's script cannot be served, a run is shown by Streamlit's own elements, drawn anew with every tick."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.ui.run.live import PANEL_SECONDS
from pages.ui.run.watch import TICK_SECONDS
from tests.support.pages.training import LONG, SHORT, at_rest, carried_out, chosen, job_of, main_button
from tests.support.pages.visit import again, live, numbers, opened, press, until, visit

FAULTY = SHORT | {"lr": "50"}  # five hundred times what it bears


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    for module in ("run.live", "live_chart"):
        monkeypatch.setattr(f"pages.ui.{module}.ensure_plotly_js", lambda: None)
    with visit("pages/train.py") as page:
        yield page


def bar(page: AppTest) -> tuple[int, str]:
    """Hundredths done, and the words above the bar."""
    (found,) = page.get("progress")
    return found.proto.value, found.proto.text


def curve(page: AppTest, chart: str, name: str) -> list[float]:
    """The y of one trace of one of Streamlit's charts."""
    for element in page.get("plotly_chart"):
        if element.proto.id.endswith(f"-{chart}"):
            (trace,) = (trace for trace in json.loads(element.proto.spec)["data"] if trace.get("name") == name)
            return numbers(trace["y"])
    raise AssertionError(f"no chart {chart}")


def finished(page: AppTest) -> AppTest:
    return again(until(page, lambda page: job_of(page).ended and at_rest(page)))


def test_it_ticks_by_itself_while_the_run_moves(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks: dict[str, float | None] = {}
    fragment = st.fragment

    def noted(panel: Any = None, *, run_every: float | None = None, **options: Any) -> Any:
        ticks[getattr(panel, "__name__", "watch")] = run_every
        return fragment(panel, run_every=run_every, **options)

    monkeypatch.setattr(st, "fragment", noted)
    press(opened(page, **LONG), "run_play")
    until(page, lambda page: "images/s" in bar(page)[1])
    assert main_button(page) == "Pause"
    assert re.match(r"Epoch \d+ of 100 · step \d+ of 235 · ", bar(page)[1])
    assert (ticks["watch"], ticks["_chosen_panel"]) == (TICK_SECONDS, PANEL_SECONDS)
    job_of(page).pause()
    until(page, at_rest)
    again(page)
    assert (ticks["watch"], ticks["_chosen_panel"]) == (None, None)
    assert not live(page)["parts"], "nothing is sent to a component that cannot draw"


def test_a_finished_run_shows_its_progress_numbers_curves_and_verdict(page: AppTest) -> None:
    press(opened(page, **SHORT), "run_play")
    finished(page)
    run = carried_out(SHORT)
    last = run.history.epochs[-1]
    assert bar(page)[0] == 100
    assert bar(page)[1].startswith("Epoch 2 of 2 · step 8 of 8 · ")
    read = {metric.label: metric.value for metric in page.metric}
    assert read["Test loss"] == f"{last.test_loss:.4f}"
    assert read["Test accuracy"] == f"{100 * last.test_accuracy:.1f} %"
    assert curve(page, "loss", "train step") == pytest.approx([record.loss for record in run.history.steps], rel=1e-6)
    assert curve(page, "accuracy", "test")[-1] == pytest.approx(100 * last.test_accuracy, rel=1e-6)
    assert any(text.value.startswith("**") for text in page.markdown)


def test_after_a_change_that_ruined_a_run_the_fix_goes_back_before_it(page: AppTest) -> None:
    press(opened(page, **SHORT | {"epochs": "40"}), "run_step")
    until(page, at_rest)
    job = job_of(page)
    job.step(150)
    until(page, at_rest)
    job.steer(lr=30.0)
    job.play()
    finished(page)
    assert any(text.value.startswith("**Collapsed to ") and "Go back to step" in text.value for text in page.markdown)
    press(page, "run_fix")
    assert job_of(page) is not job
    finished(page)
    before, after = job.run.history, job_of(page).run.history
    assert (after.changes, job_of(page).run.settings.lr) == ([], 0.1)
    assert after.steps[:101] == before.steps[:101]
    assert chosen(page).lr == 0.1
    assert after.epochs[-1].test_accuracy > 2 * before.epochs[-1].test_accuracy


def test_the_verdict_names_a_fault_and_its_fix_trains_anew(page: AppTest) -> None:
    press(opened(page, **FAULTY), "run_play")
    finished(page)
    assert any(text.value.startswith("**Unstable: ") and "Try lr" in text.value for text in page.markdown)
    broken = job_of(page)
    press(page, "run_fix")
    assert job_of(page) is not broken
    assert job_of(page).run.spec.lr < broken.run.spec.lr
    finished(page)
