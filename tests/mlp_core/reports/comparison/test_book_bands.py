"""The book check: its bands hold what was published, let through what is honest, and notice what is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp_core.data import Dataset, load_fashion_mnist, load_sample
from mlp_core.records import HistorySnapshot, SettingChange
from mlp_core.reports.comparison.book_bands import (
    BOOK_DESIGNS,
    FILE,
    QUANTITIES,
    BookCheck,
    KnownRun,
    book_check,
    design_of,
    known_runs,
    share_of_outsiders,
)
from mlp_core.spec import PRESETS, RunSpec
from mlp_core.training import Run
from scripts import measure_book_bands
from scripts.measure_book_bands import FIRST_SEED, read_runs, runs_text
from tests.support.kept import bands, book_history, changed, history

BOOK = RunSpec()
EACH = pytest.mark.parametrize("name", BOOK_DESIGNS)


def check(spec: RunSpec, past: HistorySnapshot, *members: HistorySnapshot) -> BookCheck:
    found = book_check(spec, past, members)
    assert found is not None
    return found


@EACH
def test_every_design_was_measured_with_many_seeds_that_nobody_begins_with(name: str) -> None:
    seeds = list(known_runs()[name])
    assert len(seeds) >= 15
    assert seeds == list(range(FIRST_SEED, FIRST_SEED + len(seeds)))
    assert FIRST_SEED > 100


@EACH
def test_the_runs_are_of_all_ten_classes_and_differ(name: str) -> None:
    runs = known_runs()[name].values()
    assert all(0.1 < value < 1 for run in runs for quantity in QUANTITIES[1:] for value in run[quantity])
    assert len({run["train_loss"] for run in runs}) == len(runs)


def test_what_was_published_of_d2ls_network_is_in_the_middle_of_its_bands() -> None:
    """Of d2l's own code, 13 runs of 10 epochs: means and standard deviations."""
    runs = known_runs()["mlp"].values()
    for quantity, mean, sd in (("train_loss", 0.3834, 0.0017), ("train_accuracy", 0.8642, 0.0007), ("test_accuracy", 0.8444, 0.0097)):
        values = [run[quantity][9] for run in runs]
        assert mean in bands("mlp", quantity)[9]
        assert abs(fmean(values) - mean) < sd
        assert sd / 2 < stdev(values) < 2 * sd


def test_softmax_regression_ends_where_the_chapter_says() -> None:
    assert bands("softmax", "train_loss")[9].middle == pytest.approx(0.447, abs=0.001)
    assert 0.834 in bands("softmax", "test_accuracy")[9]


@EACH
def test_the_middle_is_inside_at_every_epoch(name: str) -> None:
    for epochs in range(1, 11):
        found = check(replace(BOOK_DESIGNS[name].spec, epochs=epochs), book_history(name, epochs))
        assert found.inside
        assert (found.epoch, found.seeds, found.runs) == (epochs, len(known_runs()[name]), 1)
        assert found.design is BOOK_DESIGNS[name]


@EACH
@pytest.mark.parametrize("quantity", QUANTITIES)
def test_the_edges_are_inside_and_what_lies_beyond_is_not(name: str, quantity: str) -> None:
    spec, band = BOOK_DESIGNS[name].spec, bands(name, quantity)[9]
    for value, inside in ((band.low, True), (band.high, True), (band.low - 1e-4, False), (band.high + 1e-4, False), (float("nan"), False)):
        found = check(spec, changed(book_history(name), **{quantity: value}))
        assert found.inside == inside
        assert {one.quantity: one.inside for one in found.quantities} == {one: (inside or one != quantity,) for one in QUANTITIES}


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        (BOOK, "mlp"),
        (replace(BOOK, seed=3, epochs=4, implementation="scratch", device="cpu"), "mlp"),
        (replace(BOOK, dropout=(0.0,)), "mlp"),
        (PRESETS["softmax"].spec, "softmax"),
        (PRESETS["dropout"].spec, "dropout"),
        (replace(BOOK, lr=0.2), None),
        (replace(BOOK, train_size=1000), None),
        (replace(BOOK, activation="tanh"), None),
        (replace(BOOK, init="torch_default"), None),
        (replace(PRESETS["dropout"].spec, dropout=(0.5, 0.5)), None),
    ],
)
def test_a_design_is_known_whatever_its_seed_and_length(spec: RunSpec, name: str | None) -> None:
    assert design_of(spec) == name
    assert (book_check(spec, book_history("mlp")) is None) == (name is None)


def test_after_the_tenth_epoch_the_tenth_is_compared() -> None:
    assert check(replace(BOOK, epochs=20), changed(book_history("mlp", 20), train_loss=0.1)).epoch == 10


def test_where_nothing_can_be_compared_nothing_is_said() -> None:
    past = book_history("mlp")
    of_the_sample = replace(past, epochs=tuple(replace(epoch, step=24 * epoch.epoch) for epoch in past.epochs))
    assert book_check(BOOK, history(steps=100)) is None
    assert book_check(BOOK, of_the_sample) is None
    assert book_check(BOOK, replace(past, changes=(SettingChange(300, "lr", 0.01),))) is None


def test_no_run_is_compared_with_itself() -> None:
    assert check(replace(BOOK, seed=FIRST_SEED), book_history("mlp")).seeds == len(known_runs()["mlp"]) - 1


def test_of_five_seeds_each_is_compared() -> None:
    past = book_history("mlp")
    odd = changed(past, train_loss=0.1, test_accuracy=0.99)
    found = check(BOOK, odd, past, odd, past, past, past)
    assert (found.runs, found.outsiders, found.inside) == (5, 1, False)
    assert found.quantities[0].inside == (True, False, True, True, True)
    assert check(BOOK, odd, *[past] * 5).inside
    assert found.false_alarm == pytest.approx(1 - (1 - found.suspected) ** 5)


def test_several_seeds_are_compared_once_all_have_come_there() -> None:
    ten, three = book_history("mlp"), book_history("mlp", 3)
    assert book_check(BOOK, ten, (ten, three)) is None
    assert check(replace(BOOK, epochs=3), ten, ten, three).epoch == 3


def made(values: dict[str, list[float]]) -> dict[int, KnownRun]:
    """Known runs of one epoch from the values of each quantity."""
    rows = zip(*(values[quantity] for quantity in QUANTITIES), strict=True)
    return {seed: {quantity: (value,) for quantity, value in zip(QUANTITIES, row, strict=True)} for seed, row in enumerate(rows)}


tenths = st.integers(0, 9).map(lambda tenth: tenth / 10)


@given(st.integers(3, 8).flatmap(lambda n: st.fixed_dictionaries({name: st.lists(tenths, min_size=n, max_size=n) for name in QUANTITIES})))
def test_the_share_of_outsiders_is_that_of_runs_outside_the_band_of_all_others(values: dict[str, list[float]]) -> None:
    runs, outside = made(values), 0
    for seed, run in runs.items():
        others = [other for number, other in runs.items() if number != seed]
        bounds = {name: (min(other[name] for other in others), max(other[name] for other in others)) for name in QUANTITIES}
        outside += any(not low <= run[name] <= high for name, (low, high) in bounds.items())
    assert share_of_outsiders(runs, 1) == outside / len(runs)


def test_one_quantity_is_outside_in_two_of_n_plus_one_cases() -> None:
    same = made({quantity: [n / 40 for n in range(40)] for quantity in QUANTITIES})  # one run's value against a band of 39
    assert share_of_outsiders(same, 1) == 2 / 40


@EACH
def test_an_honest_run_is_rarely_suspected(name: str) -> None:
    assert 0 < check(BOOK_DESIGNS[name].spec, book_history(name)).suspected <= 6 / len(known_runs()[name])


def test_the_file_is_what_would_be_written_again() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert runs_text(read_runs(text)) == text


def spoiled(spoil: Callable[[dict[str, Any]], object]) -> str:
    content = json.loads(FILE.read_text(encoding="utf-8"))
    spoil(content)
    return json.dumps(content)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda file: file["mlp"]["spec"].update(lr=0.2), "mlp: measured with another spec"),
        (lambda file: file.update(unknown={}), "unknown: not one of the designs"),
        (lambda file: file["mlp"]["runs"]["1000"].pop("train_loss"), "mlp, seed 1000: must have exactly train_loss"),
        (lambda file: file["mlp"]["runs"]["1000"]["train_loss"].pop(), "mlp, seed 1000: train_loss must be 10 numbers"),
        (lambda file: file["softmax"]["runs"]["1001"]["train_loss"].__setitem__(3, float("nan")), "softmax, seed 1001: train_loss"),
        (lambda file: file["mlp"]["runs"]["1000"]["train_accuracy"].__setitem__(3, "0.8"), "mlp, seed 1000: train_accuracy"),
    ],
)
def test_a_spoiled_file_is_refused(spoil: Callable[[dict[str, Any]], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_runs(spoiled(spoil))


def test_the_script_measures_what_a_run_records() -> None:
    spec = RunSpec(hidden=(8,), init="he_normal", epochs=2, train_size=512, batch_size=128, seed=FIRST_SEED, device="cpu")
    run = Run(spec, load_sample())
    run.advance()
    measured = measure_book_bands.measure(spec, load_sample())
    assert tuple(measured) == QUANTITIES
    for quantity, values in measured.items():
        assert values == pytest.approx([getattr(epoch, quantity) for epoch in run.history.epochs], abs=1e-5)


def test_the_script_refuses_a_run_that_broke_off() -> None:
    with pytest.raises(RuntimeError, match="Diverged at step"):
        measure_book_bands.measure(RunSpec(hidden=(16,), activation="=exp(x)", init_std=10.0, train_size=512, device="cpu"), load_sample())


def test_the_script_goes_on_where_it_was_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[tuple[str | None, int]] = []

    def measure(spec: RunSpec, data: Dataset) -> KnownRun:
        trained.append((design_of(spec), spec.seed))
        return known_runs()[str(design_of(spec))][spec.seed]

    monkeypatch.setattr(measure_book_bands, "measure", measure)
    monkeypatch.setattr(measure_book_bands, "load_fashion_mnist", lambda: replace(load_sample(), is_sample=False))
    file = tmp_path / "bands.json"
    for runs in ("2", "3", "9"):
        measure_book_bands.main(["--seeds", "2", "--runs", runs], file)
    names = list(BOOK_DESIGNS)
    assert trained == [(name, seed) for seed in (FIRST_SEED, FIRST_SEED + 1) for name in names]
    written = read_runs(file.read_text(encoding="utf-8"))
    assert written == {name: {seed: known_runs()[name][seed] for seed in (FIRST_SEED, FIRST_SEED + 1)} for name in names}
    assert list(tmp_path.iterdir()) == [file]


def test_the_script_refuses_the_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure_book_bands, "load_fashion_mnist", load_sample)
    with pytest.raises(SystemExit, match="full Fashion-MNIST"):
        measure_book_bands.main(["--seeds", "1"], tmp_path / "bands.json")


@pytest.mark.full_data
def test_softmax_regression_trained_again_gives_its_known_run_and_is_inside() -> None:
    data = load_fashion_mnist(allow_download=False)
    if data.is_sample:
        pytest.skip(f"needs the full Fashion-MNIST: {' '.join(data.notes)}")
    spec = replace(BOOK_DESIGNS["softmax"].spec, seed=FIRST_SEED, device="cpu")
    run = Run(spec, data)
    run.advance()
    known = known_runs()["softmax"][FIRST_SEED]
    for quantity in QUANTITIES:
        assert [getattr(epoch, quantity) for epoch in run.history.epochs] == pytest.approx(known[quantity], abs=2e-3)
    assert median([run.history.epochs[-1].train_loss, known["train_loss"][-1]]) == pytest.approx(0.447, abs=0.003)
    assert check(spec, run.history.snapshot()).epoch == 10
