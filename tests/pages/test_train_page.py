"""The training page as a person uses it, without a browser: every state that a run can be in."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mlp_core.data import CLASS_NAMES, FULL_SET_HINT, load_sample
from mlp_core.spec import RunSpec
from pages.figures.predictions import confusion_matrix
from pages.ui import data_source
from pages.ui.live_chart import figure_payload
from pages.ui.run.predictions import MISLABELED, SHOWN
from tests.support.pages.training import (
    LONG,
    SHORT,
    at_rest,
    carried_out,
    charts,
    enabled,
    finish,
    job_of,
    losses,
    main_button,
    press,
    progress,
)
from tests.support.pages.visit import address, again, live, metrics, opened, said, sent, traces, until, visit


@pytest.fixture
def page() -> Iterator[AppTest]:
    with visit("pages/train.py") as page:
        yield page


def test_first_visit_is_a_network_one_obvious_button_and_room_for_the_curves(page: AppTest) -> None:
    opened(page)
    (network,) = (element.value for element in page.markdown)
    assert "784 → 256 → 10" in network
    assert "203,530" in network
    assert "network" in charts(page)
    assert [button.label for button in page.button if button.proto.type == "primary"] == ["Train"]
    assert enabled(page) == {"play", "step", "epoch"}
    assert not [*page.warning, *page.error, *page.info]
    assert not losses(page)
    assert {"loss", "accuracy"} <= charts(page)
    assert set(metrics(page).values()) == {"–"}
    assert address(page) == {}
    assert page.pills[0].value == "mlp"


def test_training_shows_where_it_is_and_draws_the_curve(page: AppTest) -> None:
    press(opened(page, **LONG), "play")
    until(page, lambda page: len(losses(page)) > 2 and "images/s" in progress(page))
    assert main_button(page) == "Pause"
    assert enabled(page) == {"play", "stop", "reset"}
    assert re.match(r"Epoch \d+ of 100 · step \d+ of 235 · [\d.]+ [kM]? ?images/s · ", progress(page))
    assert job_of(page).run.spec == RunSpec(hidden=(64,), epochs=100)


def test_a_finished_run_shows_the_numbers_of_the_same_run_without_a_page(page: AppTest) -> None:
    press(opened(page, **SHORT), "play")
    finish(page)
    run = carried_out(SHORT)
    last = run.history.epochs[-1]
    assert losses(page) == pytest.approx([record.loss for record in run.history.steps], rel=1e-6)
    tiles = metrics(page)
    assert tiles["Test loss"] == f"{last.test_loss:.4f}"
    assert tiles["Test accuracy"] == f"{100 * last.test_accuracy:.1f} %"
    assert progress(page).startswith("Epoch 2 of 2 · step 8 of 8 · ")
    parts = live(page)["parts"]
    assert parts["progress"]["fraction"] == 1
    assert parts["verdict"]["kind"] == "success"
    assert "Learned" in parts["verdict"]["sentence"]
    assert main_button(page) == "Train"
    assert enabled(page) == {"play", "reset"}
    assert {"grid", "confusion"} <= charts(page)
    page.segmented_control(key="run_panel").set_value("export")
    downloads = {button.proto.label: button.proto.disabled for button in again(page).get("download_button")}
    assert {"Script (.py)", "Steps (CSV)", "Weights (safetensors)", "Experiment (JSON)"} <= set(downloads)
    assert not any(downloads.values())
    assert "grid" not in charts(page)


def test_train_after_the_end_begins_anew_with_the_same_numbers(page: AppTest) -> None:
    press(opened(page, **SHORT), "play")
    until(page, lambda page: main_button(page) == "Train")
    first, before = job_of(page), losses(page)
    until(press(page, "play"), lambda page: main_button(page) == "Train")
    assert job_of(page) is not first
    assert losses(page) == before


def test_paused_stands_still_and_resumed_goes_on_as_if_nothing_had_been(page: AppTest) -> None:
    press(opened(page, **SHORT | {"epochs": "40"}), "play")
    until(page, lambda page: len(losses(page)) > 2)
    press(page, "play")
    until(page, at_rest)
    assert main_button(page) == "Resume"
    assert enabled(page) == {"play", "step", "epoch", "stop", "reset"}
    step, curve = job_of(page).run.step, losses(again(page))
    assert 0 < step < 320
    assert losses(again(page)) == curve
    press(page, "play")
    finish(page)
    run = carried_out(SHORT | {"epochs": "40"})
    assert job_of(page).run.history.steps == run.history.steps


def test_steps_by_a_batch_and_by_an_epoch(page: AppTest) -> None:
    opened(page, **SHORT)
    for pressed, step in (("step", 1), ("step", 2), ("epoch", 8), ("epoch", 16)):
        press(page, pressed)
        until(page, lambda page: at_rest(page) and main_button(page) != "Pause")
        assert job_of(page).run.step == step
        assert len(losses(page)) == step
    assert losses(page) == pytest.approx([record.loss for record in carried_out(SHORT).history.steps], rel=1e-6)
    assert main_button(page) == "Train"  # the last step was the end


def test_stop_ends_the_run_and_keeps_its_curves(page: AppTest) -> None:
    press(opened(page, **LONG), "play")
    until(page, lambda page: len(losses(page)) > 2)
    press(page, "stop")
    finish(page)
    reason = job_of(page).run.stop_reason
    assert reason is not None
    assert reason.kind == "stopped"
    assert main_button(page) == "Train"
    assert enabled(page) == {"play", "reset"}
    assert losses(page)
    assert "grid" in charts(page)


def test_divergence_is_explained_and_its_curve_kept(page: AppTest) -> None:
    press(opened(page, **SHORT, activation="identity", lr="100"), "play")
    finish(page)
    history = job_of(page).run.history
    assert not math.isfinite(history.steps[-1].loss)
    verdict = live(page)["parts"]["verdict"]
    assert verdict["kind"] == "error"
    assert f"Diverged at step {history.steps[-1].step}" in verdict["sentence"]
    assert "Try " in verdict["text"]
    assert traces(page, "loss")["train step"]["y"]
    assert main_button(page) == "Train"


def test_reset_is_the_first_visit_again(page: AppTest) -> None:
    press(opened(page, **LONG), "play")
    until(page, lambda page: len(losses(page)) > 2)
    run = job_of(page).run
    press(page, "reset")
    assert "_job" not in page.session_state
    assert enabled(page) == {"play", "step", "epoch"}
    assert set(metrics(page).values()) == {"–"}
    assert address(page) == LONG
    until(page, lambda _: run.finished)  # the worker has let it go, too


def test_after_a_reset_the_curves_that_are_still_there_are_said_to_be_of_kept_runs(page: AppTest) -> None:
    assert progress(opened(page, **SHORT)) == "Press Train: the curves grow here."
    press(page, "play")
    until(page, lambda page: main_button(page) == "Train")
    press(page, "reset")
    assert losses(page)
    assert progress(page) == "Press Train: the curves grow here. Drawn so far: 1 kept run."


def test_the_bundled_sample_is_named_with_what_to_do(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = replace(load_sample(), notes=("a download: [no](http://network) today",))
    monkeypatch.setattr(data_source, "load_fashion_mnist", lambda **_: sample)
    opened(page)
    assert len(page.warning) == 1
    assert "6,000 training and 1,000 test images" in page.warning[0].value
    assert FULL_SET_HINT in page.warning[0].value
    assert "- `a download: [no](http://network) today`" in said(page)


def test_mistakes_first_are_mistakes(page: AppTest) -> None:
    press(opened(page, **SHORT), "play")
    finish(page)
    evaluation = job_of(page).run.evaluation
    assert evaluation is not None
    assert MISLABELED not in said(page)
    page.segmented_control(key="image_order").set_value("Mistakes first")
    again(page)
    assert MISLABELED in said(page)
    wrong = int(np.sum(evaluation.labels != evaluation.predicted))
    assert f"{SHOWN} of {wrong:,} mistakes, the surest first" in said(page)


def test_another_run_that_rests_at_the_same_step_shows_its_own_predictions(page: AppTest) -> None:
    press(opened(page, **SHORT), "play")
    before = sent(finish(page), "grid")
    page.number_input(key="seed").set_value(1)
    press(again(page), "play")
    finish(page)
    evaluation = job_of(page).run.evaluation
    assert evaluation is not None
    assert sent(page, "confusion") == figure_payload(confusion_matrix(evaluation.confusion(), CLASS_NAMES))
    assert sent(page, "grid") != before
