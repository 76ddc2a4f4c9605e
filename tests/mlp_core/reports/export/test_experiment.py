"""An experiment's file reads back as the experiment it was; anything else is refused by field, rule and value, and nothing is executed."""

from __future__ import annotations

import codecs
import contextlib
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp_core.records import SettingChange
from mlp_core.reports.export.experiment import (
    FIELDS,
    MAX_CHANGES,
    MAX_FILE_BYTES,
    MAX_NAME_LENGTH,
    VERSION,
    Experiment,
    changes_text,
    read_changes,
    read_file,
)
from mlp_core.spec import BOUNDS, MAX_TEXT_LENGTH, RunSpec, SpecError
from tests.support.kept import history, snapshot

SMALLEST: dict[str, Any] = {"version": VERSION, "spec": {}}


def file(**changes: Any) -> str:
    return json.dumps(SMALLEST | changes)


def refusal(text: str | bytes) -> SpecError:
    with pytest.raises(SpecError) as raised:
        Experiment.from_json(text)
    return raised.value


specs = st.builds(
    RunSpec,
    hidden=st.lists(st.integers(1, 64), max_size=4).map(tuple),
    activation=st.sampled_from(["relu", "prelu", "=x*sigmoid(1.7*x)", "=where(x > 0, x, 0.1*x)"]),
    lr=st.floats(BOUNDS["lr"].low, BOUNDS["lr"].high),
    seed=st.integers(0, 2**31 - 1),
    train_size=st.none() | st.integers(1, 60_000),
)
after = st.integers(0, 10_000)
numbers = st.one_of(
    st.builds(SettingChange, after, st.just("lr"), st.floats(1e-5, 100.0)),
    st.builds(SettingChange, after, st.just("weight_decay"), st.floats(0.0, 100.0)),
    st.builds(SettingChange, after, st.just("dropout"), st.just(())),
)
changes = st.lists(numbers, max_size=6)
in_order = changes.map(lambda found: tuple(sorted(found, key=lambda change: change.step)))
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=8
)


@given(specs, in_order, st.text(max_size=MAX_NAME_LENGTH))
def test_what_was_written_reads_back(spec: RunSpec, changes: tuple[SettingChange, ...], name: str) -> None:
    experiment = Experiment(spec, changes, name)
    written = experiment.to_json()
    assert Experiment.from_json(written) == experiment
    assert Experiment.from_json(written.encode()) == experiment


def test_a_file_from_before_other_settings_could_change_still_reads() -> None:
    old = file(version=1, lr_changes=[{"step": 3.0, "lr": 0.5}, {"step": 7, "lr": 1}])
    assert Experiment.from_json(old) == Experiment(RunSpec(), (SettingChange(3, "lr", 0.5), SettingChange(7, "lr", 1.0)))


def test_a_file_of_before_curves_were_in_it_reads_without_them() -> None:
    rows = [{"epoch": 1, "step": 10, "train_loss": 1.0, "train_accuracy": 0.5, "test_loss": None, "test_accuracy": 0.5}]
    old = file(version=2, changes=[{"step": 3, "field": "lr", "value": 0.5}], results={"steps": 10, "epochs": rows})
    assert read_file(old) == (Experiment(RunSpec(), (SettingChange(3, "lr", 0.5),)), None)
    assert read_file(file(version=1)) == read_file(file()) == read_file(file(results=None)) == (Experiment(RunSpec()), None)


def test_a_file_is_an_object_with_the_results_in_one_line() -> None:
    written = Experiment(RunSpec()).to_json(snapshot(RunSpec(), history([0.8])))
    assert list(json.loads(written, parse_constant=pytest.fail)) == [name for name in FIELDS if name != "lr_changes"]
    assert written.splitlines()[-2].startswith(' "results": {"steps_per_epoch":235,')
    assert Experiment.from_json(written) == Experiment(RunSpec())


def test_a_run_that_has_not_begun_has_no_results() -> None:
    assert read_file(Experiment(RunSpec()).to_json(snapshot(RunSpec(), history([])))).results is None


def test_a_byte_order_mark_is_passed_over() -> None:
    assert Experiment.from_json(codecs.BOM_UTF8 + file(name="ä").encode()) == Experiment(RunSpec(), name="ä")


def test_the_smallest_file_is_the_default_experiment() -> None:
    assert Experiment.from_json(file()) == Experiment(RunSpec())


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "file"),
        ("[1]", "file"),
        ("{", "file"),
        ("[" * 100_000, "file"),
        ('{"a": ' * 5_000 + "1" + "}" * 5_000, "file"),
        ("9" * 5_000, "file"),
        (b"\xff\xfe{}", "file"),
        (file(name="\ud800"), "file"),  # half of a surrogate pair, which no browser can be sent
        (file(**{"\udfff": 1}), "file"),
        (file(spec={"activation": "=\ud800"}), "file"),
        (pickle.dumps({"version": 1}), "file"),
        (" " * (MAX_FILE_BYTES + 1), "file"),
        ("{}", "version"),
        (file(version=4), "version"),
        (file(version=True), "version"),
        (file(version="1"), "version"),
        (json.dumps({"version": 1}), "spec"),
        (file(spec=[]), "spec"),
        (file(spec={"lr": -1}), "lr"),
        (file(spec={"lr": float("nan")}), "lr"),
        (file(spec={"hidden": [0]}), "hidden"),
        (file(spec={"colour": "red"}), "colour"),
        (file(spec={"activation": "=__import__('os')"}), "activation"),
        (file(spec={"activation": "=2"}), "activation"),
        (file(spec={"hidden": [8] * 5_000}), "spec"),
        (file(name=7), "name"),
        (file(name="n" * (MAX_NAME_LENGTH + 1)), "name"),
        (file(author="me"), "author"),
        (file(changes={}), "changes"),
        (file(changes=[3]), "changes"),
        (file(changes=[{"step": 3}]), "changes"),
        (file(changes=[{"step": 3, "field": "lr", "value": 0.1, "why": ""}]), "changes"),
        (file(changes=[{"step": -1, "field": "lr", "value": 0.1}]), "changes: step"),
        (file(changes=[{"step": 1.5, "field": "lr", "value": 0.1}]), "changes: step"),
        (file(changes=[{"step": 1, "field": "lr", "value": 0}]), "changes: lr"),
        (file(changes=[{"step": 1, "field": "lr", "value": "0.1"}]), "changes: lr"),
        (file(changes=[{"step": 1, "field": "seed", "value": 1}]), "changes: field"),
        (file(changes=[{"step": 1, "field": ["lr"], "value": 1}]), "changes: field"),
        (file(changes=[{"step": 1, "field": "weight_decay", "value": -1}]), "changes: weight_decay"),
        (file(changes=[{"step": 1, "field": "dropout", "value": [0.5, 0.5]}]), "changes: dropout"),
        (file(changes=[{"step": 1, "field": "dropout", "value": [2]}]), "changes: dropout"),
        (file(changes=[{"step": 1, "field": "dropout", "value": 0.5}]), "changes: dropout"),
        (file(changes=[{"step": n, "field": "lr", "value": 0.1} for n in (5, 4)]), "changes"),
        (file(changes=[{"step": 5, "field": "lr", "value": 0.1}] * (MAX_CHANGES + 1)), "changes"),
        (file(version=1, lr_changes={}), "lr_changes"),
        (file(version=1, lr_changes=[{"step": 3, "field": "lr", "value": 0.1}]), "lr_changes"),
        (file(version=1, lr_changes=[{"step": 3, "lr": 1000}]), "changes: lr"),
    ],
)
def test_what_is_none_is_refused_by_name(text: str | bytes, field: str) -> None:
    error = refusal(text)
    assert error.field == field
    assert len(str(error)) < 400


@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=8), anything, max_size=5))
def test_no_content_does_more_than_be_refused(content: dict[str, Any]) -> None:
    with contextlib.suppress(SpecError):
        found = Experiment.from_json(json.dumps(SMALLEST | content))
        assert Experiment.from_json(found.to_json()) == found


@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_be_refused(content: bytes) -> None:
    assert refusal(content).field in ("file", "version")


def test_an_experiment_that_cannot_be_is_not_made() -> None:
    with pytest.raises(SpecError, match=r"changes: must stand in the order of their steps, got \[2, 1\]"):
        Experiment(RunSpec(), (SettingChange(2, "lr", 0.1), SettingChange(1, "lr", 0.1)))
    with pytest.raises(SpecError, match="changes: lr"):
        Experiment(RunSpec(), (SettingChange(2, "lr", 1000.0),))


lists = st.lists(st.floats(0.0, 1.0), max_size=4).map(tuple)
any_changes = st.lists(
    numbers
    | st.builds(SettingChange, after, st.just("dropout"), lists)
    | st.builds(SettingChange, after, st.just("batch_size"), st.integers(1, 4096)),
    max_size=6,
).map(tuple)


@given(any_changes)
def test_changes_that_a_link_was_given_are_read_from_it(changes: tuple[SettingChange, ...]) -> None:
    assert read_changes(changes_text(changes)) == changes


def test_changes_stand_in_a_link_as_a_person_would_write_them() -> None:
    changes = (SettingChange(235, "lr", 0.01), SettingChange(470, "dropout", (0.2, 0.5)), SettingChange(470, "batch_size", 64))
    assert changes_text(changes) == "lr@235:0.01,dropout@470:0.2,0.5,batch_size@470:64"
    assert read_changes(" lr@235:0.01, dropout@470:0.2,0.5,batch_size@470:64") == changes
    assert read_changes("dropout@3:none") == (SettingChange(3, "dropout", ()),)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("lr", "changes"),
        ("lr@3", "changes"),
        ("lr:0.1", "changes"),
        (",", "changes"),
        ("seed@3:1", "changes: field"),
        ("lr@3:0", "changes: lr"),
        ("lr@3:0.1,0.2", "changes: lr"),
        ("lr@3:", "changes: lr"),
        ("dropout@3:2", "changes: dropout"),
        ("dropout@3:" + ",".join(["0.1"] * 101), "changes: dropout"),
        ("batch_size@3:1.5", "changes: batch_size"),
        ("lr@-1:0.1", "changes: step"),
        ("lr@1.5:0.1", "changes: step"),
        ("lr@" + "9" * 400 + ":0.1", "changes: step"),
        ("lr@1:0.1," * MAX_TEXT_LENGTH, "changes"),
    ],
)
def test_a_link_with_what_is_no_change_is_refused_by_name(text: str, field: str) -> None:
    with pytest.raises(SpecError) as raised:
        read_changes(text)
    assert raised.value.field == field
    assert len(str(raised.value)) < 400


@given(st.text(max_size=60) | st.from_regex(r"(lr|dropout)@[0-9]{1,3}:[0-9.,]{1,9}(,batch_size@.*)?"))
def test_no_text_of_a_link_does_more_than_be_refused(text: str) -> None:
    with contextlib.suppress(SpecError):
        assert read_changes(changes_text(read_changes(text))) == read_changes(text)
