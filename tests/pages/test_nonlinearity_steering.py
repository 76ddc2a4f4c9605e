"""The playground's steering without a browser: five seeds, lr in mid-run, looking back, branching, looking inside, export."""

from __future__ import annotations

import csv
import io
import json
from array import array
from collections.abc import Callable, Iterator
from dataclasses import replace
from statistics import mean
from typing import Any, cast

import numpy as np
import pytest
import streamlit as st
from safetensors.torch import load
from streamlit.testing.v1 import AppTest

from mlp_core.jobs import TrainingJob
from mlp_core.labs.nonlinearity.plane import copied_weights, output_field
from mlp_core.network import Network
from mlp_core.records import EpochRecord, HistorySnapshot, SettingChange
from mlp_core.training import Run
from pages.figures.plane import LEVELS, shading_of
from pages.ui import session
from pages.ui.link import LinkState
from pages.ui.nonlinearity.panels import SEEDS_JOB, summary
from pages.ui.nonlinearity.settings import FIELDS, JOB, PlaneSettings, settings_of
from tests.support.pages.visit import again, numbers, opened, press, said, sent, traces, until, visit_with_jobs, widget

SHORT = {"act": "playground", "epochs": "4", "size": "60", "pace": "full"}  # 3 batches an epoch
Download = Callable[[], str | bytes]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    with visit_with_jobs("pages/nonlinearity.py", monkeypatch) as page:
        yield page


def settings() -> PlaneSettings:
    """The experiment of `SHORT`."""
    return settings_of(cast(LinkState, {field.name: field.default for field in FIELDS} | {"epochs": 4, "size": 60, "pace": "full"}))


def job(name: str = JOB) -> TrainingJob:
    job = session.jobs().job(name)
    assert job is not None
    return job


def finished(page: AppTest) -> AppTest:
    """A page whose run has come to its end."""
    press(opened(page, **SHORT), "plane_play")
    return again(until(page, lambda page: page.button(key="plane_play").disabled))


def chosen(page: AppTest, panel: str) -> AppTest:
    widget(page, "nonlinearity_panel").set_value(panel)
    return again(page)


def network_of(run: Run) -> Network:
    assert run.network is not None
    return run.network


def shade(network: Network) -> np.ndarray[Any, Any]:
    """What the plane has to show of a network of `SHORT`."""
    field = output_field(network, settings().loss, ("x", "y"))
    return np.round(np.clip(shading_of(field).values, 0, 1) * LEVELS).ravel()


def plane(page: AppTest) -> list[float]:
    figure = sent(page, "plane")
    assert figure is not None
    return numbers(figure["data"][0]["z"])


def test_five_seeds_come_to_what_five_single_runs_come_to(page: AppTest) -> None:
    press(opened(page, **SHORT), "plane_seeds")
    until(page, lambda _: job(SEEDS_JOB).ended)
    again(page)
    chosen_settings, last = settings(), []
    for seed in range(5):
        run = replace(chosen_settings, spec=replace(chosen_settings.spec, seed=seed)).run()
        run.advance()
        last.append(run.history.epochs[-1])
    curves = traces(page, "seeds_accuracy")
    assert numbers(curves["test, mean of 5 seeds"]["y"])[-1] == pytest.approx(100 * mean(one.test_accuracy for one in last), rel=1e-5)
    losses = traces(page, "seeds_loss")
    assert numbers(losses["train, mean of 5 seeds"]["y"])[-1] == pytest.approx(mean(one.train_loss for one in last), rel=1e-4)
    perfect = sum(one.test_accuracy == 1 for one in last)
    assert any(f"{perfect} of 5 seeds reach 100 % on the test points** after 4 epochs" in text for text in said(page))
    assert job().run.step == 0  # the run on screen is another


def test_five_of_the_settings_before_are_named_so(page: AppTest) -> None:
    press(opened(page, **SHORT), "plane_seeds")
    until(page, lambda _: job(SEEDS_JOB).ended)
    widget(page, "nonlinearity_deep").set_value(2)
    again(page)
    assert any("of the settings before" in info.value for info in page.info)
    press(page, "plane_seeds")
    until(page, lambda page: not page.info)
    assert job(SEEDS_JOB).run.spec.hidden == (8, 8)


def test_five_that_cannot_be_are_refused_with_field_and_rule(page: AppTest) -> None:
    press(opened(page, **SHORT, seed="2147483647"), "plane_seeds")
    assert "**seed** must be at most" in page.error[0].value


def member(*accuracies: float, loss: float = 0.5) -> HistorySnapshot:
    epochs = [EpochRecord(n, n, loss, 1.0, loss, accuracy) for n, accuracy in enumerate(accuracies, start=1)]
    return HistorySnapshot(array("q"), array("d"), array("d"), 1, tuple(epochs), ())


def test_the_sentence_counts_the_perfect_the_worst_and_the_broken() -> None:
    assert summary([member()] * 2, 0, classes=True) == "2 seeds, in their first epoch."
    lucky = "**3 of 3 seeds reach 100 % on the test points** after 1 epoch, so a single run would not have misled."
    assert summary([member(1.0)] * 3, 0, classes=True) == lucky
    mixed = [member(0.5, 1.0), member(0.9, 0.5), member(0.5)]
    assert summary(mixed, 7, classes=True) == (
        "**1 of 3 seeds reach 100 % on the test points** after 2 epochs; from 50.0 % (seed 8) to 100.0 % (seed 7), mean 75.0 %. "
        "1 of 3 diverged before."
    )
    assert "all 2 are at 50.0 %" in summary([member(0.5)] * 2, 0, classes=True)
    spread = summary([member(float("nan"), loss=0.25), member(float("nan"), loss=0.75)], 0, classes=False)
    assert spread == "After 1 epoch the **test loss of 2 seeds** lies from 0.25 to 0.75, mean 0.5."


def test_a_change_of_lr_counts_from_the_next_step_and_is_marked(page: AppTest) -> None:
    press(opened(page, **SHORT), "plane_epoch")
    until(page, lambda page: not job().moving)
    press(page, "lr_0.1")
    until(page, lambda _: job().snapshot().lr == pytest.approx(0.003))
    press(page, "plane_play")
    again(until(page, lambda page: page.button(key="plane_play").disabled))
    steps = job().run.steps_per_epoch
    expected = settings().run()
    expected.advance(steps=steps)
    expected.change(lr=0.003)
    expected.advance()
    assert job().run.history.steps == expected.history.steps
    assert job().snapshot().history.changes == (SettingChange(steps, "lr", 0.003),)
    figure = sent(page, "plane_loss")
    assert figure is not None
    assert [shape["x0"] for shape in figure["layout"]["shapes"]] == [1]
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["lr 0.003"]


def test_moving_lr_weight_decay_or_batch_size_steers_the_run_and_is_the_next_runs_too(page: AppTest) -> None:
    press(opened(page, **SHORT, penalty="l2", rate="0.01"), "plane_epoch")
    until(page, lambda page: not job().moving)
    first, steps = job(), job().run.step
    widget(page, "nonlinearity_lr").set_value("0.1")
    again(page)
    widget(page, "nonlinearity_rate").set_value("0.1")
    again(page)
    assert job() is first
    widget(page, "nonlinearity_batch").set_value(5)
    again(page)
    changes = {"lr": 0.1, "weight_decay": 0.1, "batch_size": 5}
    assert first.run.history.changes == [SettingChange(steps, field, value) for field, value in changes.items()]
    assert widget(page, "nonlinearity_lr").label == "Learning rate"
    press(page, "lr_0.5")
    assert first.run.settings.lr == 0.05
    assert widget(page, "nonlinearity_lr").label == "Learning rate of the next run"
    press(page, "plane_reset")
    assert job() is not first
    assert (job().run.spec.lr, job().run.spec.weight_decay, job().run.history.changes) == (0.1, 0.1, [])
    assert widget(page, "nonlinearity_lr").label == "Learning rate"


@pytest.mark.parametrize(("name", "value"), [("deep", 2), ("optimizer", "sgd"), ("data_seed", 3)])
def test_what_cannot_change_in_mid_run_begins_anew_with_the_lr_of_the_controls(page: AppTest, name: str, value: object) -> None:
    press(opened(page, **SHORT), "plane_epoch")
    until(page, lambda page: not job().moving)
    first = job()
    widget(page, "nonlinearity_lr").set_value("0.1")
    again(page)
    assert job() is first
    widget(page, f"nonlinearity_{name}").set_value(value)
    again(page)
    assert job() is not first
    assert (job().run.spec.lr, job().run.step) == (0.1, 0)


def test_a_run_that_has_not_begun_or_has_ended_is_not_steered(page: AppTest) -> None:
    opened(page, **SHORT)
    first = job()
    widget(page, "nonlinearity_lr").set_value("0.1")
    again(page)
    second = job()
    assert second is not first
    assert (second.run.spec.lr, second.run.history.changes) == (0.1, [])
    press(page, "plane_play")
    until(page, lambda page: page.button(key="plane_play").disabled)
    widget(page, "nonlinearity_lr").set_value("0.3")
    again(page)
    assert job() is not second
    assert second.run.history.changes == []


def test_looking_back_bends_the_plane_as_it_was(page: AppTest) -> None:
    finished(page)
    newest = plane(page)
    widget(page, f"rewind_{job().run.step}").set_value(2)
    again(page)
    then = settings().run()
    then.advance(steps=2)
    np.testing.assert_array_equal(plane(page), shade(network_of(then)))
    assert plane(page) != newest
    network = sent(page, "plane_network")
    assert network is not None
    weight = copied_weights(network_of(then))[0][0][0, 0]
    words = f"weight {weight:.3g}; click to set it".replace("-", "−")
    assert words in json.dumps(network, ensure_ascii=False)
    tiles = {tile.label: tile.value for tile in page.metric}
    assert tiles["Epoch"] == "0 of 4"
    loss = sent(page, "plane_loss")
    assert loss is not None
    assert [shape["x0"] for shape in loss["layout"]["shapes"]] == pytest.approx([2 / job().run.steps_per_epoch])
    assert len(numbers(loss["data"][0]["y"])) == 4  # the curve stays whole
    widget(page, f"rewind_{job().run.step}").set_value(job().run.step)
    assert plane(again(page)) == newest


def test_a_branch_has_the_past_of_its_run_and_plays_on(page: AppTest) -> None:
    finished(page)
    first = job()
    widget(page, f"rewind_{first.run.step}").set_value(2)
    again(page)
    widget(page, "branch_lr").set_value("0.5")
    again(page)
    press(page, "branch")
    assert job() is not first
    until(page, lambda page: page.button(key="plane_play").disabled)
    expected = settings().run()
    expected.advance(steps=2)
    expected.change(lr=0.5)
    expected.advance()
    assert job().run.history.steps == expected.history.steps


def test_one_looks_inside_without_views_of_images(page: AppTest) -> None:
    chosen(opened(page, **SHORT), "inside")
    assert list(widget(page, "inside_view").options) == ["Over time", "Histograms"]
    press(page, "plane_epoch")
    until(page, lambda _: not job().moving and bool(job().snapshot().inspections))
    widget(page, "inside_view").set_value("Histograms")
    again(page)
    assert sent(page, "inside_histograms") is not None
    assert sent(page, "plane_loss") is None  # only what is chosen is drawn


def test_nobody_looks_inside_where_the_panel_is_closed(page: AppTest) -> None:
    finished(page)
    assert job().snapshot().inspections == ()


def test_everything_can_be_exported(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[str, Download] = {}
    draw = st.download_button

    def drawn(label: str, data: Download, *further: Any, **options: Any) -> bool:
        if not options.get("disabled"):
            found[label] = data
        return draw(label, data, *further, **options)

    monkeypatch.setattr(st, "download_button", drawn)
    chosen(opened(page, **SHORT), "export")
    assert set(found) == {"Weights (safetensors)", "Plane (HTML)"}
    press(page, "plane_seeds")
    until(page, lambda _: job(SEEDS_JOB).ended)
    press(page, "plane_play")
    until(page, lambda page: page.button(key="plane_play").disabled)
    chosen(page, "export")
    run = job().run
    rows = list(csv.DictReader(io.StringIO(cast(str, found["Epochs (CSV)"]()))))
    assert [float(row["test_loss"]) for row in rows] == [record.test_loss for record in run.history.epochs]
    assert len(cast(str, found["Steps (CSV)"]()).splitlines()) == 1 + run.step
    of_five = list(csv.DictReader(io.StringIO(cast(str, found["Epochs of 5 seeds (CSV)"]()))))
    assert sorted({row["seed"] for row in of_five}) == ["0", "1", "2", "3", "4"]
    tensors = load(cast(bytes, found["Weights (safetensors)"]()))
    np.testing.assert_array_equal(tensors["0.weight"].numpy(), copied_weights(network_of(run))[0][0].astype(np.float32))
    for label in ("Plane (HTML)", "Loss (HTML)", "Accuracy (HTML)"):
        assert f"<h1>{label.split()[0]} of 2 → 8 → 1 on points of the plane</h1>" in cast(str, found[label]())
    assert "epochs=4" in page.code[0].value
