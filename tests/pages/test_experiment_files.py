"""Experiments from files on the training page: curves that were exported come back as they were, marked as told by a file, and are trained
again to the same numbers; what cannot be is refused by name beside what can.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from mlp_core.records import SettingChange
from mlp_core.reports.comparison.kept_runs import CAPACITY, KeptRun, KeptRuns
from mlp_core.reports.comparison.saved_runs import run_of_file
from mlp_core.reports.export import Experiment, read_file
from mlp_core.spec import RunSpec, SpecError
from pages.figures.training import CurveOptions, accuracy_curve, loss_curve
from pages.ui.live_chart import figure_payload
from pages.ui.run.experiment_files import MOST_FILES
from pages.ui.run.kept_runs import KEPT, shown_series
from tests.support.kept import content_of_file, history, snapshot
from tests.support.pages.training import SHORT, chosen, finish, job_of, press
from tests.support.pages.visit import address, again, bare, opened, said, sent, traces, visit
from tests.support.spoiled import Place, places, spoiled

CHANGES = "lr@3:0.05,weight_decay@8:0.01"
BOOK = RunSpec()
MARK = " (from a file)"
CHARTS = ("loss", "accuracy")


@pytest.fixture
def page() -> Iterator[AppTest]:
    with visit("pages/train.py") as page:
        yield opened(page)


def file_of(spec: RunSpec = BOOK, *test_accuracies: float, name: str = "") -> str:
    return Experiment(spec, name=name).to_json(snapshot(spec, history(test_accuracies or [0.8, 0.85]), stop="completed"))


def upload(page: AppTest, *contents: str | bytes) -> AppTest:
    """Hand in files, named a.json, b.json and so on."""
    files = [
        (f"{chr(97 + number)}.json", content.encode() if isinstance(content, str) else content, "application/json")
        for number, content in enumerate(contents)
    ]
    page.file_uploader[0].set_value(files)
    return again(page)


def kept(page: AppTest) -> tuple[KeptRun, ...]:
    runs: tuple[KeptRun, ...] = page.session_state[KEPT].runs
    return runs


def labels(page: AppTest) -> list[str]:
    """What the legend of the accuracy calls the runs that are drawn."""
    found = [trace for trace in traces(page, "accuracy").values() if "legendgroup" in trace and trace.get("showlegend", True)]
    return [trace["name"].replace("<br>", " ") for trace in found]


def drawn(page: AppTest, chart: str, run: int = 0) -> list[Any]:
    """Places and heights of the smooth curve and of the tests of a run, the first or a later one."""
    figure = sent(page, chart)
    assert figure is not None
    traces = [trace for trace in figure["data"] if trace["x"] != [None]]
    return [[trace["x"], trace["y"]] for trace in traces[2 * run : 2 * run + 2]]


def test_a_run_that_was_exported_comes_back_with_its_curves_its_changes_and_its_controls(page: AppTest) -> None:
    query = SHORT | {"changes": CHANGES}
    with visit("pages/train.py") as elsewhere:
        press(opened(elsewhere, **query), "play")
        now = job_of(finish(elsewhere)).snapshot()
        text = Experiment(now.spec, now.changes).to_json(now)
        alone = [
            [[one[name]["x"], one[name]["y"]] for name in ("train smoothed", "test")] for one in map(partial(traces, elsewhere), CHARTS)
        ]
    upload(page, text)
    (run,) = kept(page)
    assert (run.from_file, run.shown) == (True, True)
    assert labels(page) == [run.name + MARK]
    assert [drawn(page, chart) for chart in CHARTS] == alone
    figure = sent(page, "loss")
    assert figure is not None
    assert {"lr 0.05", "weight decay 0.01"} <= {note["text"] for note in figure["layout"]["annotations"]}
    (success,) = page.success
    assert "The controls were set to the file's experiment." in success.value
    assert "Train makes the same changes on the way: lr 0.05 after step 3, weight decay 0.01 after step 8." in success.value
    assert address(page) == {name: value for name, value in query.items() if name != "pace"}

    opened(page, **query)
    press(page, "play")
    trained = job_of(finish(page)).snapshot().history
    assert (trained.losses, trained.epochs) == (now.history.losses, now.history.epochs)
    assert [one.from_file for one in kept(page)] == [True, False], "what was measured here is a run of its own"
    assert drawn(page, "loss", 0) == drawn(page, "loss", 1), "and lies on what the file tells"
    page.segmented_control(key="run_panel").set_value("runs")
    assert [row["source"] for row in again(page).dataframe[0].value.to_dict("records")] == ["trained here", "a file"]
    assert any(caption.value.startswith("Told by a file, and not measured here:") for caption in page.caption)


def test_several_files_are_drawn_together_and_the_controls_stay(page: AppTest) -> None:
    opened(page, lr="0.3")
    upload(page, file_of(name="mine"), file_of(replace(BOOK, lr=0.5)), file_of(replace(BOOK, lr=0.5), name="another name of it"))
    assert [(run.name, run.spec.lr, run.from_file) for run in kept(page)] == [("mine", 0.1, True), ("ReLU 256, lr 0.5", 0.5, True)]
    assert labels(page) == [f"mine{MARK}", f"lr 0.5 instead of 0.1{MARK}"]
    told = page.success[-1].value
    assert told.startswith("Drawn beside, marked “from a file” since nothing of it was measured here: mine; ReLU 256")
    assert told.endswith("1 file told of a run that was in the list already.")
    assert address(page) == {"lr": "0.3"}
    upload(page, file_of(name="mine"))
    assert len(kept(page)) == 2, "the same file twice is one run"
    assert chosen(page) == BOOK


def test_files_that_cannot_be_are_named_with_field_rule_and_value_and_the_others_kept(page: AppTest) -> None:
    spoiled = json.loads(file_of())
    spoiled["results"]["history"]["epochs"][1][5] = 1.5
    older = json.dumps({"version": 2, "spec": {"lr": 0.2}, "results": {"steps": 3, "epochs": []}})
    upload(
        page, json.dumps(spoiled), "[a](http://evil.example) <b>", file_of(name="<b>*x*</b>"), '{"version": 1, "spec": {"lr": -3}}', older
    )
    assert page.error[0].value.split("\n\n") == [
        "`a.json` cannot be loaded: `epochs: test_accuracy` must be a number from 0 to 1, got `1.5`.",
        "`b.json` cannot be loaded: `file` must be a JSON object in UTF-8, got `b'[a](http://evil.example) <b>'`.",
        "`d.json` cannot be loaded: `lr` must be a number from 0.00001 to 100, got `-3`.",
    ]
    assert [run.name for run in kept(page)] == ["<b>*x*</b>"]
    assert "No curves are in `e.json`." in page.success[0].value
    assert labels(page) == ["&lt;b&gt;*x*&lt;/b&gt;" + MARK]
    assert "<b>" not in bare(" ".join(said(page)).replace("\\<", ""))


def test_more_than_the_list_can_hold_is_said_and_what_is_pinned_stays(page: AppTest) -> None:
    files = [file_of(replace(BOOK, seed=seed)) for seed in range(CAPACITY + 3)]
    own = KeptRuns()
    for name in ("pinned", "oldest"):
        own = own.keep(snapshot(replace(BOOK, lr=0.01, seed=len(own.runs)), history([0.5])))
        own = own.rename(own.runs[-1].id, name)
    page.session_state[KEPT] = own.pin(1)
    upload(page, *files)
    assert [run.name for run in kept(page) if not run.from_file] == ["pinned"]
    assert [run.spec.seed for run in kept(page) if run.from_file] == list(range(CAPACITY - 1))
    room = f"oldest made room. 4 runs found no room: pinned runs and those of these files stay. {CAPACITY} runs are kept."
    assert room in said(page)
    upload(page, *["{"] * (MOST_FILES + 1))
    assert page.error[0].value.endswith(f"Nor can {MOST_FILES + 1 - 12} more.")
    assert room not in said(page)


PLACES = [place for place in places(content_of_file()) if place[:1] in (("results",), ("changes",), ("spec",)) and len(place) > 1]
JUNK = st.none() | st.integers(0, 3000) | st.floats() | st.sampled_from([1e38, -1e38, 1e-300, [], [1], [[1], [1], [1]], True, "x"])


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(PLACES), JUNK), min_size=1, max_size=3), st.booleans())
def test_whatever_a_file_that_is_not_refused_tells_can_be_drawn(junk: list[tuple[Place, Any]], log: bool) -> None:
    try:
        experiment, results = read_file(json.dumps(spoiled(content_of_file(), junk)))
    except SpecError:
        return
    assert results is not None
    runs = shown_series(KeptRuns().keep_together([run_of_file(experiment, results)]).kept)
    options = CurveOptions(log_y=log, log_x=log, smoothing=0.0 if log else 0.05)
    for figure in (loss_curve(runs, 10, options=options), accuracy_curve(runs, 10, options=options)):
        assert figure_payload(figure)
        assert runs[0].label.endswith(MARK)


def test_a_file_that_the_page_has_no_controls_for_is_refused_whole(page: AppTest) -> None:
    upload(page, file_of(replace(BOOK, epochs=101)))
    assert page.error[0].value == "`a.json` cannot be loaded: `epochs` must be a whole number from 1 to 100, got `101`."
    upload(page, Experiment(BOOK, tuple(SettingChange(step, "lr", 0.05) for step in range(1000))).to_json())
    assert page.error[0].value == "`a.json` cannot be loaded: `changes` must be at most 10000 characters, got `11,889 characters`."
    assert KEPT not in page.session_state or not kept(page)
    assert chosen(page) == BOOK
