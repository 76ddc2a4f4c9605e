"""Kept runs as text: bounded, and back as they were but for thinner curves; what is no such text is refused in words."""

from __future__ import annotations

import copy
import json
import math
from array import array
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp_core.bounds import SpecError
from mlp_core.records import EpochRecord, SettingChange
from mlp_core.reports.comparison.kept_runs import CAPACITY, KeptRuns
from mlp_core.reports.comparison.saved_runs import MAX_LENGTH, MAX_STEPS, MAX_STEPS_OF_MANY, read_back, saved
from mlp_core.spec import RunSpec
from mlp_core.words import Message
from tests.support.kept import history, snapshot
from tests.support.spoiled import Place, places, spoiled

BOOK = RunSpec()
HOSTILE = "<b>*x*</b> [a](http://b)"


def two_runs() -> KeptRuns:
    """One of a design of its own, named, pinned and hidden, with a change in mid-run; one of five seeds."""
    kept = KeptRuns().keep(
        snapshot(replace(BOOK, lr=0.5, activation="=x*sigmoid(x)"), history([0.7, 0.8], changes=[(50, 0.1)]), stop="stopped")
    )
    kept = kept.rename(1, HOSTILE).pin(1).show(frozenset(), frozenset({1}))
    seeds = [history([accuracy, 0.8]) for accuracy in (0.5, 0.6, 0.7, 0.75, 0.78)]
    return kept.keep(snapshot(BOOK, seeds[0], members=seeds))


def content() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(saved(two_runs()))
    return found


def test_what_was_chosen_and_what_a_run_came_to_come_back_exactly() -> None:
    before, (kept, refused, left_out) = two_runs(), read_back(saved(two_runs()))
    assert (refused, left_out) == (None, 0)
    for run, back in zip(before.runs, kept.runs, strict=True):
        same: tuple[str, ...] = ("id", "name", "spec", "final", "steps_per_epoch", "parameters", "stop_reason", "elapsed_seconds", "style")
        same += ("shown", "pinned", "renamed")
        assert [getattr(back, name) for name in same] == [getattr(run, name) for name in same]
        assert back.history.epochs == run.history.epochs
        assert back.history.changes == run.history.changes
        assert [member.epochs for member in back.members] == [member.epochs for member in run.members]
    assert kept.runs[0].history.changes == (SettingChange(50, "lr", 0.1),)


def test_names_that_nobody_gave_can_be_said_in_any_language_again() -> None:
    kept = two_runs().keep(snapshot(replace(BOOK, precision="bfloat16", device="cpu"), history([0.7])))
    given, named, other = read_back(saved(kept)).kept.runs
    assert type(given.name) is str
    for run, before in zip((named, other), kept.runs[1:], strict=True):
        assert isinstance(run.name, Message)
        assert isinstance(before.name, Message)
        assert (run.name, run.name.template) == (before.name, before.name.template)


def test_a_name_with_a_number_behind_it_is_one_of_them() -> None:
    twice = KeptRuns().keep(snapshot(BOOK, history([0.5]))).keep(snapshot(replace(BOOK, device="cpu"), history([0.6])))
    name = read_back(saved(twice)).kept.runs[1].name
    assert isinstance(name, Message)
    assert (name, name.template) == ("ReLU 256, lr 0.1 (2)", "{name} ({number})")


def test_a_short_curve_comes_back_to_five_digits_and_a_long_one_thinned() -> None:
    short, long = history([], steps=100), history([0.8] * 10)
    kept = read_back(saved(KeptRuns().keep(snapshot(BOOK, short)).keep(snapshot(replace(BOOK, seed=1), long)))).kept
    assert list(kept.runs[0].history.losses) == pytest.approx(list(short.losses), rel=1e-4)
    assert kept.runs[0].history.steps == short.steps
    thin = kept.runs[1].history
    assert len(thin.steps) <= MAX_STEPS
    assert (thin.steps[0], thin.steps[-1]) == (1, 2350)
    # The mean of all steps is still there, in the means of the pieces and the steps behind them.
    assert thin.recent(2350).loss == pytest.approx(sum(1 / step for step in range(1, 2351)) / 2350, rel=1e-3)
    many = read_back(saved(two_runs())).kept.runs[1]
    assert max(len(member.steps) for member in many.members) <= MAX_STEPS_OF_MANY


def test_a_loss_that_is_not_finite_comes_back_as_one() -> None:
    broken = replace(history([], steps=3), losses=array("d", [1.0, math.inf, math.nan]))
    broken = replace(broken, epochs=(EpochRecord(1, 3, math.nan, 0.1, math.inf, 0.1),))
    back = read_back(saved(KeptRuns().keep(snapshot(BOOK, broken, stop="diverged")))).kept.runs[0]
    assert [math.isfinite(loss) for loss in back.history.losses] == [True, False, False]
    assert not math.isfinite(back.history.epochs[0].test_loss)
    assert back.stop_reason is not None
    assert back.stop_reason.kind == "diverged"


def test_a_full_list_of_ordinary_runs_fits_and_of_the_longest_the_oldest_are_left_out_and_counted() -> None:
    ordinary = KeptRuns()
    for seed in range(CAPACITY):
        ordinary = ordinary.keep(snapshot(replace(BOOK, seed=seed), history([0.8] * 10), stop="stopped"))
    text = saved(ordinary)
    assert len(text) < MAX_LENGTH
    assert len(read_back(text).kept.runs) == CAPACITY
    longest = KeptRuns()
    for seed in range(3):
        many = tuple(EpochRecord(epoch, 8 * epoch, 1 / 3, 2 / 3, 1 / 7, 6 / 7) for epoch in range(1, 1001))
        longest = longest.keep(snapshot(replace(BOOK, seed=seed, epochs=1000), replace(history([], steps=8000), epochs=many)))
    text = saved(longest.pin(1))
    assert len(text) < MAX_LENGTH
    kept, refused, left_out = read_back(text)
    assert ([run.spec.seed for run in kept.runs], refused, left_out) == ([0, 2], None, 1), "the pinned one and the newest"


def test_runs_read_back_take_ids_behind_those_that_are_given_and_names_of_their_own() -> None:
    twice = content()
    twice["runs"].append(copy.deepcopy(twice["runs"][0]) | {"pinned": False})
    kept = read_back(json.dumps(twice), first_id=5).kept
    assert [run.id for run in kept.runs] == [5, 6, 7]
    assert kept.next_id == 8
    assert [kept.runs[0].name, kept.runs[2].name] == [HOSTILE, f"{HOSTILE} (2)"]


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "[]", "{", "{}", "12", '"text"', "[" * 100_000, '{"version":2,"left_out":0,"runs":[]}', '{"version":1,"runs":[]}',
        '{"version":1,"left_out":-1,"runs":[]}', '{"version":1,"left_out":0,"runs":{}}', '{"version":1,"left_out":0,"runs":[],"more":1}',
        '{"version":1,"left_out":0,"runs":[' + ",".join(["{}"] * (CAPACITY + 1)) + "]}", '{"version":"\ud800","left_out":0,"runs":[]}',
        '{"version":[1],"left_out":0,"runs":[]}', " " * (MAX_LENGTH + 1), "9" * 10_000,
    ],
)  # fmt: skip
def test_a_text_of_another_kind_is_refused_in_words(text: str) -> None:
    with pytest.raises(SpecError) as refusal:
        read_back(text)
    assert len(str(refusal.value)) < 300


def test_what_a_file_told_comes_back_as_such_and_what_was_kept_before_there_were_files_as_measured() -> None:
    run = replace(two_runs().runs[0], id=0, from_file=True)
    kept = two_runs().keep(run)
    assert [run.from_file for run in read_back(saved(kept)).kept.runs] == [False, False, True]
    again = read_back(saved(kept)).kept
    assert len(again.keep(run).runs) == 3, "told by the same file, although its curve is thinner by now"
    older = content()
    for entry in older["runs"]:
        del entry["from_file"]
    assert read_back(json.dumps(older)).kept == read_back(json.dumps(content())).kept


Spoil = Callable[[dict[str, Any]], object]
SPOILED: dict[str, Spoil] = {
    "no object": lambda run: run.clear(),
    "a field more": lambda run: run.update(more=1),
    "no experiment": lambda run: run.update(experiment=None),
    "a spec out of bounds": lambda run: run["experiment"]["spec"].update(lr=-1),
    "an activation that is none": lambda run: run["experiment"]["spec"].update(activation="=__import__('os')"),
    "a change of what cannot be changed": lambda run: run["experiment"].update(changes=[{"step": 1, "field": "seed", "value": 1}]),
    "no name": lambda run: run["experiment"].update(name="\u200b "),
    "a long name": lambda run: run["experiment"].update(name="x" * 61),
    "a name that is no text": lambda run: run["experiment"].update(name=["x"]),
    "pinned": lambda run: run.update(pinned="yes"),
    "told by a file": lambda run: run.update(from_file=0),
    "shown": lambda run: run.update(shown=1),
    "renamed": lambda run: run.update(renamed=None),
    "a style": lambda run: run.update(style=10**30),
    "steps an epoch": lambda run: run.update(steps_per_epoch=0),
    "seconds": lambda run: run.update(elapsed_seconds=math.nan),
    "an end of another kind": lambda run: run.update(end=["<b>", 1, ""]),
    "an end without words": lambda run: run.update(end=["stopped", 1, None]),
    "an end in too many words": lambda run: run.update(end=["stopped", 1, "x" * 301]),
    "too many seeds": lambda run: run.update(members=[{}] * 101),
    "no steps": lambda run: run["history"].update(steps=[], losses=[], accuracies=[]),
    "steps that are no numbers": lambda run: run["history"]["steps"].__setitem__(0, "1"),
    "steps that go back": lambda run: run["history"]["steps"].__setitem__(0, 100),
    "a step too far": lambda run: run["history"]["steps"].__setitem__(-1, 10**12),
    "a step that keeps the figure busy": lambda run: run["history"]["steps"].__setitem__(-1, 100_000_000),
    "columns that differ": lambda run: run["history"]["losses"].pop(),
    "an infinite loss": lambda run: run["history"]["losses"].__setitem__(0, math.inf),
    "an accuracy above 1": lambda run: run["history"]["accuracies"].__setitem__(0, 1.5),
    "an accuracy that is missing": lambda run: run["history"]["accuracies"].__setitem__(0, None),
    "pieces beyond the run": lambda run: run["history"].update(pieces=[[1000], [1], [1]]),
    "pieces of another kind": lambda run: run["history"].update(pieces=[[1], [1]]),
    "epochs without numbers": lambda run: run["history"]["epochs"].__setitem__(0, [1, 235]),
    "epochs that are missing": lambda run: run["history"]["epochs"].pop(0),
    "an accuracy of an epoch": lambda run: run["history"]["epochs"][0].__setitem__(5, -0.5),
    "knots": lambda run: run["history"].update(knots=[[1]]),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_a_run_that_breaks_a_rule_is_left_out_with_the_reason_and_the_others_come_back(spoil: Spoil) -> None:
    text = content()
    spoil(text["runs"][0])
    kept, refused, _ = read_back(json.dumps(text))
    assert [run.spec for run in kept.runs] == [BOOK]
    assert refused is not None
    assert len(str(refused)) < 500


JUNK: tuple[Any, ...] = (None, True, -1, 0, 1.5, 10**40, math.nan, -math.inf, "", "<script>", "\x00", [], [[]], {}, {"a": 1}, [None] * 5)
PLACES = [place for place in places(content()) if place]


@given(st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(JUNK)), min_size=1, max_size=3))
def test_whatever_stands_in_any_place_nothing_but_a_reason_or_a_sound_run_comes_of_it(changes: list[tuple[Place, Any]]) -> None:
    try:
        kept = read_back(json.dumps(spoiled(content(), changes))).kept
    except SpecError:
        return
    again = read_back(saved(kept))
    assert (len(again.kept.runs), again.refused) == (len(kept.runs), None)
