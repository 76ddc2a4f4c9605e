"""What came of a run, in a file: back exactly in what tables show and to a few digits in its curves; anything else is refused by name."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp_core.jobs import JobSnapshot
from mlp_core.records import EpochRecord, HistorySnapshot, Schedule, SettingChange, StopKind, StopReason
from mlp_core.reports.comparison.kept_runs import KeptRuns
from mlp_core.reports.comparison.saved_runs import run_of_file
from mlp_core.reports.export.experiment import MAX_FILE_BYTES, Experiment, read_file
from mlp_core.reports.export.results import MAX_STEPS, Results
from mlp_core.spec import RunSpec, SpecError
from mlp_core.training import Run, ends
from mlp_core.training.replicates import Replicates
from mlp_core.words import Message
from tests.support.engine import SPEC, clouds
from tests.support.kept import content_of_file, history, snapshot
from tests.support.spoiled import Place, places, spoiled

BOOK = RunSpec()


def of(spec: RunSpec, past: HistorySnapshot, **more: Any) -> JobSnapshot:
    return snapshot(spec, past, **more)


def back(run: JobSnapshot) -> Results:
    found = read_file(Experiment(run.spec, run.history.changes).to_json(run)).results
    assert found is not None
    return found


def test_a_whole_run_of_the_book_comes_back_exactly() -> None:
    whole = history([0.5 + epoch / 30 for epoch in range(1, 11)], changes=[(50, 0.01)])
    run = of(BOOK, whole, stop="stopped", elapsed_seconds=12.345678901234567)
    found = back(run)
    assert (found.history.epochs, found.history.changes) == (whole.epochs, (SettingChange(50, "lr", 0.01),))
    assert (found.stop_reason, found.elapsed_seconds, found.steps_per_epoch) == (run.stop_reason, run.elapsed_seconds, 235)
    assert (found.history, found.members) == (whole, ())


@pytest.mark.parametrize(
    ("kind", "detail", "seeds"),
    [
        ("completed", ends.completed(10), 1),
        ("completed", ends.completed(10, broken=2, seeds=5), 5),
        ("stopped", ends.stopped(300), 1),
        ("diverged", ends.diverged(300, math.inf, tested=False), 1),
        ("diverged", ends.diverged(300, math.nan, tested=True), 1),
        ("diverged", ends.all_diverged(300, 5, tested=True), 5),
        ("out_of_memory", ends.out_of_memory(300), 1),
    ],
)
def test_why_a_run_ended_can_be_said_in_any_language_again(kind: StopKind, detail: Message, seeds: int) -> None:
    past = history([0.5], steps=300)
    run = replace(of(BOOK, past, members=(past,) * seeds if seeds > 1 else ()), stop_reason=StopReason(kind, 300, detail))
    found = back(run).stop_reason
    assert found is not None
    assert isinstance(found.detail, Message)
    assert (found.detail.template, str(found.detail)) == (detail.template, str(detail))
    told = back(replace(run, stop_reason=StopReason(kind, 300, "Somebody's own words."))).stop_reason
    assert told is not None
    assert (type(told.detail), told.detail) == (str, "Somebody's own words.")


def test_a_long_curve_comes_back_thinned_with_its_mean_and_its_ends() -> None:
    long = history([0.8] * 20)
    found = back(of(replace(BOOK, epochs=20), long)).history
    assert found.pieces.ends
    assert len(found.steps) <= MAX_STEPS < 4700
    assert (found.steps[0], found.steps[-1], found.epochs) == (1, 4700, long.epochs)
    assert found.recent(4700).loss == pytest.approx(math.fsum(long.losses) / 4700, rel=1e-4)
    assert max(found.losses) == 1.0


def test_the_seeds_of_a_run_and_what_diverged_come_back() -> None:
    broken = history([0.1], steps=300)
    broken.losses[-1] = math.nan
    broken = replace(broken, epochs=(replace(broken.epochs[0], test_loss=math.inf),))
    seeds = (history([0.5, 0.6]), broken)
    found = back(of(BOOK, seeds[0], members=seeds, stop="diverged"))
    assert found.members[0].epochs == found.history.epochs == seeds[0].epochs
    assert found.members[0] == seeds[0]
    assert found.members[1].steps[-1] == 300
    assert math.isnan(found.members[1].losses[-1])
    assert math.isnan(found.members[1].epochs[0].test_loss), "not finite; JSON has no word for which"
    assert found.stop_reason is not None
    assert found.stop_reason.kind == "diverged"


@pytest.mark.parametrize("make", [Run, Replicates])
def test_a_run_whose_batch_size_changed_comes_back_with_its_epochs_where_they_were(make: type[Run]) -> None:
    run = make(SPEC, clouds())
    run.advance(steps=3)
    run.change(batch_size=7, lr=0.02)
    run.advance()
    past = run.history.snapshot()
    job = replace(of(SPEC, past, members=run.members), schedule=run.schedule, stop_reason=run.stop_reason)
    found = back(job)
    assert (found.history.knots, found.history.changes, found.history.epochs) == (past.knots, past.changes, past.epochs)
    assert [member.epochs for member in found.members] == [member.epochs for member in run.members]
    assert found.stop_reason == run.stop_reason


def test_a_run_at_rest_before_its_last_planned_change_comes_back_without_it_and_is_trained_again_with_it() -> None:
    planned = (SettingChange(1, "batch_size", 7), SettingChange(5, "batch_size", 50), SettingChange(6, "lr", 0.01))
    run = Run(SPEC, clouds(), changes=planned)
    run.advance(steps=4)
    past = run.history.snapshot()
    file = read_file(Experiment(SPEC, planned).to_json(replace(of(SPEC, past), schedule=run.schedule)))
    assert file.experiment.changes == planned
    assert file.results is not None
    assert (file.results.history.changes, file.results.history.knots) == (planned[:1], past.knots)
    again = Run(file.experiment.spec, clouds(), changes=file.experiment.changes)
    run.advance()
    again.advance()
    assert again.history.epochs == run.history.epochs
    assert again.history.steps == run.history.steps


def test_the_longest_runs_fit_into_a_file() -> None:
    records = tuple(EpochRecord(epoch, 5 * epoch, *[1 / 3e-5 + epoch / 7, 2 / 3] * 2) for epoch in range(1, 2001))
    seed = replace(history([], steps=10_000), epochs=records)
    spec = replace(BOOK, epochs=2000, train_size=5, batch_size=1)
    run = replace(of(spec, seed, members=[seed] * 5), schedule=Schedule(5, 1))
    text = Experiment(spec).to_json(run)
    assert 1_000_000 < len(text.encode()) < MAX_FILE_BYTES
    results = read_file(text).results
    assert results is not None
    assert [member.epochs for member in results.members] == [records] * 5


Spoil = Callable[[dict[str, Any]], object]
SPOILED: dict[str, tuple[str, Spoil]] = {
    "no object": ("results", lambda run: run.clear()),
    "a field more": ("results", lambda run: run.update(more=1)),
    "steps an epoch": ("steps_per_epoch", lambda run: run.update(steps_per_epoch=0)),
    "more steps an epoch than there are images for": ("steps_per_epoch", lambda run: run.update(steps_per_epoch=236)),
    "seconds": ("elapsed_seconds", lambda run: run.update(elapsed_seconds=-1)),
    "an end of another kind": ("end", lambda run: run.update(end=["<b>", 1, ""])),
    "an end after the last step": ("end", lambda run: run.update(end=["stopped", 2351, ""])),
    "too many seeds": ("members", lambda run: run.update(members=[{}] * 101)),
    "a seed that is none": ("history", lambda run: run.update(members=[{}])),
    "no steps": ("steps", lambda run: run["history"].update(steps=[], losses=[], accuracies=[])),
    "steps that go back": ("steps", lambda run: run["history"]["steps"].__setitem__(0, 100)),
    "steps beyond the run": ("steps", lambda run: run["history"]["steps"].__setitem__(-1, 2351)),
    "half a step": ("steps", lambda run: run["history"]["steps"].__setitem__(0, 0.5)),
    "columns that differ": ("steps", lambda run: run["history"]["losses"].pop()),
    "an infinite loss": ("steps", lambda run: run["history"]["losses"].__setitem__(0, math.inf)),
    "NaN": ("steps", lambda run: run["history"]["accuracies"].__setitem__(0, math.nan)),
    "a loss that no float32 holds": ("steps", lambda run: run["history"]["losses"].__setitem__(0, 1.79e308)),
    "pieces beyond the run": ("pieces", lambda run: run["history"].update(pieces=[[3000], [1], [1]])),
    "more epochs than were planned": ("epochs", lambda run: run["history"].update(epochs=[[1, 1, 1, 1, 1, 1]] * 11)),
    "an absurd number of epochs": ("epochs", lambda run: run["history"].update(epochs=[[]] * 100_000)),
    "epochs that are missing": ("epochs", lambda run: run["history"]["epochs"].pop(0)),
    "an epoch after the last step": ("epochs: step", lambda run: run["history"]["epochs"][-1].__setitem__(1, 2000)),
    "epochs that go back": ("epochs: step", lambda run: run["history"]["epochs"][-1].__setitem__(1, 1)),
    "an accuracy of an epoch": ("epochs: test_accuracy", lambda run: run["history"]["epochs"][0].__setitem__(5, 1.5)),
    "knots that go back": ("knots", lambda run: run["history"].update(knots=[[0, 0], [10, 2], [20, 1]])),
    "knots beyond the run": ("steps", lambda run: run["history"].update(knots=[[0, 0], [99_999, 10]])),
}


@pytest.mark.parametrize(("field", "spoil"), SPOILED.values(), ids=SPOILED)
def test_results_that_cannot_be_are_refused_by_name(field: str, spoil: Spoil) -> None:
    text = content_of_file()
    spoil(text["results"])
    with pytest.raises(SpecError) as refusal:
        read_file(json.dumps(text))
    assert refusal.value.field == field
    assert len(str(refusal.value)) < 400


def test_the_same_results_are_refused_of_another_experiment() -> None:
    shorter = content_of_file()
    shorter["spec"]["epochs"] = 1
    with pytest.raises(SpecError, match="epochs: must have 0 to 1 entries, got '2 entries'"):
        read_file(json.dumps(shorter))
    fewer = content_of_file()
    fewer["spec"]["train_size"] = 1000
    with pytest.raises(SpecError, match="steps_per_epoch: must be a whole number from 1 to 4, got 235"):
        read_file(json.dumps(fewer))


PLACES = [place for place in places(content_of_file()) if place]
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from([1, 0, 0.5, 10**400, 1e308])
anything = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=2))


@given(st.lists(st.tuples(st.sampled_from(PLACES), anything), min_size=1, max_size=3))
def test_whatever_stands_in_any_place_it_is_refused_or_a_run_that_is_written_and_read_again(junk: list[tuple[Place, Any]]) -> None:
    try:
        experiment, results = read_file(json.dumps(spoiled(content_of_file(), junk)))
    except SpecError:
        return
    if results is not None:
        run = run_of_file(experiment, results)
        text = experiment.to_json(run)
        again = read_file(text)
        assert again.results is not None
        assert again.experiment.to_json(run_of_file(again.experiment, again.results)) == text
        assert [one.spec for one in KeptRuns().keep(run).keep(run).runs] == [experiment.spec]
