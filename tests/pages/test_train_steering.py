"""The training page without a browser: five seeds, lr in mid-run, looking back, branching, the fix, runs beside each other, panels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from statistics import mean

import pytest
from streamlit.testing.v1 import AppTest

from mlp_core.data import load_fashion_mnist
from mlp_core.jobs import Scheduler, TrainingJob
from mlp_core.records import SettingChange
from mlp_core.reports.diagnosis.fixes import Fix
from mlp_core.reports.export import Experiment
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from mlp_core.training.replicates import Replicates
from pages.ui import session
from pages.ui.run import run_controls
from tests.support.engine import SPEC, Gate, clouds
from tests.support.pages.training import (
    LONG,
    SHORT,
    at_rest,
    carried_out,
    charts,
    chosen,
    enabled,
    finish,
    job_of,
    losses,
    main_button,
    open_groups,
    press,
    progress,
)
from tests.support.pages.visit import again, live, metrics, numbers, opened, said, traces, until, visit, widget

BROKEN = {"hidden": "32", "train_size": "2000", "batch_size": "64", "epochs": "5", "lr": "30", "pace": "full"}


@pytest.fixture
def page() -> Iterator[AppTest]:
    with visit("pages/train.py") as page:
        yield page


def kept_names(page: AppTest) -> list[str]:
    return [run.name for run in page.session_state["_kept_runs"].runs]


def look_back(page: AppTest, step: int) -> AppTest:
    (slider,) = (one for one in page.select_slider if str(one.key).startswith("rewind_"))
    slider.set_value(step)
    return again(page)


def test_five_seeds_show_the_mean_and_the_spread_of_five_single_runs(page: AppTest) -> None:
    press(opened(page, **SHORT), "seeds")
    until(page, lambda page: "5 seeds at once" in progress(page))
    finish(page)
    spec = RunSpec.from_query(SHORT)[0]
    accuracies = []
    for seed in range(5):
        run = Run(replace(spec, seed=seed), load_fashion_mnist())
        run.advance()
        accuracies.append(run.history.epochs[-1].test_accuracy)
    parts = live(page)["parts"]
    value, spread = parts["readings"][[label["label"] for label in parts["labels"]].index("Test accuracy")]
    assert float(value.rstrip(" %")) == pytest.approx(100 * mean(accuracies), abs=0.1)
    low, high = (float(part.rstrip(" %")) for part in spread.split(" to "))
    assert (low, high) == pytest.approx((100 * min(accuracies), 100 * max(accuracies)), abs=0.1)
    assert "train, 5 seeds" in traces(page, "loss")
    assert "5 seeds: learned" in parts["verdict"]["sentence"]
    assert f"{value} of the test images are right" in parts["verdict"]["text"]
    assert parts["readings"][0][0] in parts["verdict"]["text"]
    assert [len(run.members) for run in page.session_state["_kept_runs"].runs] == [5]


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_fix_is_trained_from_as_many_seeds_as_the_run(seeds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    job = TrainingJob(Run(SPEC, clouds()) if seeds == 1 else Replicates(SPEC, clouds(), seeds=seeds), Scheduler())
    asked: list[tuple[Experiment, bool]] = []
    monkeypatch.setattr(session, "current_job", lambda: job)
    monkeypatch.setattr(run_controls, "train_anew", lambda experiment, seeds: asked.append((experiment, seeds)))
    run_controls.train_fixed(lambda spec: None, Fix("Try lr 0.1", replace(SPEC, lr=0.1), ""))
    assert asked == [(Experiment(replace(SPEC, lr=0.1)), seeds > 1)]


def test_five_presses_of_one_batch_are_five_steps_however_long_each_takes(page: AppTest) -> None:
    press(opened(page, **LONG), "step")
    until(page, at_rest)
    gate = Gate(job_of(page).run)
    for _ in range(4):
        press(page, "step")
        assert main_button(page) == "Pause"
        assert {"step", "epoch"} <= enabled(page)
    gate.let()
    until(page, at_rest)
    assert (job_of(page).run.step, job_of(page).state) == (5, "paused")


def test_a_change_of_lr_is_kept_and_is_the_one_that_the_engine_makes(page: AppTest) -> None:
    press(opened(page, **SHORT), "step")
    until(page, lambda page: main_button(page) == "Resume" and len(losses(page)) == 1)
    page.button(key="lr_0.1").click()
    again(page)
    until(page, lambda page: job_of(page).snapshot().lr == pytest.approx(0.01))
    press(page, "play")
    finish(page)
    expected = carried_out(SHORT, steps=1)
    expected.change(lr=0.01)
    expected.advance()
    assert job_of(page).run.history.steps == expected.history.steps
    assert job_of(page).snapshot().history.changes == (SettingChange(1, "lr", 0.01),)
    assert [button for button in page.button if button.key == "lr_0.1"] == []  # an ended run can not be steered


def test_moving_a_control_steers_the_run_under_way_and_leaves_no_design_waiting(page: AppTest) -> None:
    press(opened(page, **LONG), "step")
    until(page, lambda page: main_button(page) == "Resume" and len(losses(page)) == 1)
    widget(open_groups(page), "lr").set_value(0.05)
    again(page)
    widget(page, "weight_decay").set_value(0.01)
    again(page)
    widget(page, "dropout_1").set_value(0.5)
    again(page)
    widget(page, "batch_size").set_value(100)
    again(page)
    assert "Epoch 1 of 100 · step 1 of 599" in progress(page), "of 256 images one, of 100 the others"
    changes = {"lr": 0.05, "weight_decay": 0.01, "dropout": (0.5,), "batch_size": 100}
    assert job_of(page).run.history.changes == [SettingChange(1, field, value) for field, value in changes.items()]  # type: ignore[arg-type]
    assert chosen(page) == job_of(page).run.settings
    assert not page.info
    widget(page, "units_1").set_value(8)
    assert "A new design is waiting" in again(page).info[0].value
    assert "lr" not in page.info[0].value
    press(page, "stop")
    until(page, at_rest)
    widget(page, "lr").set_value(0.02)
    again(page)
    assert job_of(page).run.settings.lr == 0.05, "an ended run is not steered"


def test_there_are_never_two_learning_rates_without_words(page: AppTest) -> None:
    press(opened(page, **LONG), "step")
    until(page, lambda page: main_button(page) == "Resume")
    assert [widget(page, name).label for name in ("lr_stop", "lr")] == ["Learning rate", "lr"]
    page.button(key="lr_0.1").click()
    again(page)
    assert job_of(page).run.settings.lr == pytest.approx(0.01)
    assert [widget(page, name).label for name in ("lr_stop", "lr")] == ["Learning rate of the next run", "next lr"]
    press(page, "stop")
    until(page, at_rest)
    assert [widget(again(page), name).label for name in ("lr_stop", "lr")] == ["Learning rate", "lr"]


def test_dropout_for_another_number_of_layers_waits_for_the_next_run(page: AppTest) -> None:
    press(opened(page, **LONG), "step")
    until(page, lambda page: main_button(page) == "Resume")
    widget(open_groups(page), "layers").set_value(2)
    again(page)
    widget(page, "dropout_2").set_value(0.5)
    again(page)
    assert job_of(page).run.history.changes == []
    assert "dropout" in page.info[0].value


@pytest.mark.parametrize(("text", "rule"), [("fast", "must be a number"), ("1e9", "must be a number from 0.00001 to 100"), ("nan", "must")])
def test_an_lr_that_cannot_be_is_refused_where_it_was_typed(page: AppTest, text: str, rule: str) -> None:
    press(opened(page, **LONG), "step")
    until(page, lambda page: main_button(page) == "Resume")
    page.text_input(key="lr_wish").set_value(text)
    again(page)
    assert "**lr**" in page.error[0].value
    assert rule in page.error[0].value
    assert job_of(page).snapshot().lr == 0.1
    page.text_input(key="lr_wish").set_value("0.05")
    until(again(page), lambda page: job_of(page).snapshot().lr == 0.05)
    assert not again(page).error


def test_looking_back_shows_the_numbers_of_then(page: AppTest) -> None:
    press(opened(page, **SHORT), "play")
    finish(page)
    look_back(page, 5)
    then = carried_out(SHORT, steps=5)
    then.evaluate()
    assert then.evaluation is not None
    right = round(then.evaluation.accuracy * len(then.evaluation.labels))
    assert any(f"After step 5: {right:,} of" in text for text in said(page))
    tiles = metrics(page)
    assert tiles["Training loss"] == f"{mean(record.loss for record in then.history.steps):.4f}"
    assert tiles["Test loss"] == "–"  # no epoch had ended
    assert progress(page) == "Epoch 1 of 2 · step 5 of 8 · looking back from step 16"
    assert live(page)["parts"]["progress"]["fraction"] == 5 / 16
    assert len(losses(page)) == 16  # the curve stays whole, with a mark
    look_back(page, 16)
    assert any("After step 16:" in text for text in said(page))
    assert progress(page).startswith("Epoch 2 of 2 · step 8 of 8 · ")


def test_a_branch_has_the_past_of_its_run_which_stays_beside_it(page: AppTest) -> None:
    press(opened(page, **SHORT), "play")
    first = job_of(finish(page)).run
    look_back(page, 5)
    page.text_input(key="branch_lr").set_value("0.5")
    again(page)
    page.button(key="branch").click()
    finish(again(page))
    branched = job_of(page).run
    assert branched is not first
    expected = carried_out(SHORT, steps=5)
    expected.change(lr=0.5)
    expected.advance()
    assert branched.history.steps == expected.history.steps
    assert len(kept_names(page)) == 2
    curves = [numbers(trace["y"]) for name, trace in traces(page, "loss").items() if name.startswith(("lr 0.5 after step 5", "ReLU 16"))]
    assert [len(curve) for curve in curves if len(curve) > 2] == [16, 16], "and the ends of two epochs"


def test_a_branch_with_an_impossible_lr_is_refused_and_nothing_is_lost(page: AppTest) -> None:
    press(opened(page, **SHORT), "play")
    first = job_of(finish(page))
    look_back(page, 5)
    assert page.text_input(key="branch_lr").value == "0.01", "a tenth of the run's lr stands there"
    page.text_input(key="branch_lr").set_value("-1")
    again(page)
    page.button(key="branch").click()
    again(page)
    assert "**lr**" in page.error[0].value
    assert job_of(page) is first


def test_a_fix_is_offered_with_its_reason(page: AppTest) -> None:
    """That a click trains it is shown in the browser."""
    press(opened(page, **BROKEN), "play")
    finish(page)
    verdict = live(page)["parts"]["verdict"]
    assert verdict["fix"].startswith("Try lr ")
    assert "Same seed" in verdict["why"]


def test_a_run_that_gives_way_stays_in_the_list_and_one_that_never_began_does_not(page: AppTest) -> None:
    press(opened(page, **SHORT), "play")
    finish(page)
    press(page, "reset")
    assert len(kept_names(page)) == 1
    assert "loss" in charts(page)  # of the kept run
    page.number_input(key="seed").set_value(3)
    press(again(page), "step")
    until(page, lambda page: len(kept_names(page)) == 1 and main_button(page) == "Resume")
    press(page, "reset")
    assert len(kept_names(page)) == 2


def test_only_the_chosen_panel_is_drawn(page: AppTest) -> None:
    press(opened(page, **SHORT), "play")
    finish(page)
    assert "grid" in charts(page)
    for panel in ("inside", "own", "runs", "export"):
        page.segmented_control(key="run_panel").set_value(panel)
        again(page)
        assert not page.exception
        assert "grid" not in charts(page)
    assert job_of(page).run.inspections.entries == ()  # nobody looked while it trained


def test_what_was_refused_of_one_run_is_not_said_of_the_next(page: AppTest) -> None:
    press(opened(page, **LONG), "play")
    page.text_input(key="lr_wish").set_value("-1")
    assert any("lr" in error.value for error in again(page).error)
    press(page, "reset")
    press(page, "play")
    assert not page.error
