"""The verdict on several seeds counts them, shows the tiles' numbers and offers the cure of the fault that most of them have."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from statistics import fmean

import pytest

from mlp_core.data import load_sample
from mlp_core.records import HistorySnapshot, StopReason
from mlp_core.reports.diagnosis.diagnosis import diagnose
from mlp_core.reports.diagnosis.seeds import diagnose_seeds
from mlp_core.spec import RunSpec
from mlp_core.training.replicates import Replicates
from pages.ui.run.readings import readings
from tests.support.histories import epoch_of, history_of
from tests.support.kept import snapshot

SMALL = RunSpec(hidden=(64,), batch_size=64, epochs=6, train_size=2000, device="cpu")
COMPLETED = StopReason("completed", 200, "Completed.")


def well(loss: float = 0.5) -> HistorySnapshot:
    return history_of([2.3, *[loss] * 199], [0.8] * 200, [replace(epoch_of(1, loss, 0.6, 0.81, 0.8), step=200)])


def stuck(loss: float = 2.3026) -> HistorySnapshot:
    return history_of([loss] * 200, [0.1] * 200, [replace(epoch_of(1, loss, loss, 0.1, 0.1), step=200)])


def broken(loss: float = math.inf) -> HistorySnapshot:
    return history_of([2.3, 5.0, 40.0, loss], [0.1] * 4)


def test_a_verdict_of_all_seeds_is_said_of_all() -> None:
    verdict = diagnose_seeds(SMALL, [well(0.4), well(0.5), well(0.6)], COMPLETED)
    assert (verdict.kind, verdict.sentence, verdict.fix) == ("learned", "All 3 seeds: learned.", None)


def test_each_verdict_is_said_with_the_number_of_its_seeds_and_the_commonest_fault_is_mended() -> None:
    verdict = diagnose_seeds(replace(SMALL, lr=1e-5), [well(), broken(), stuck(), stuck(), well(), well()], COMPLETED)
    assert verdict.sentence == "3 of 6 seeds: learned; 2 of 6 seeds: stuck; 1 of 6 seeds: diverged."
    assert verdict.kind == "stuck"
    assert verdict.fix is not None
    assert verdict.fix.spec.lr == 0.1


@pytest.mark.parametrize("loss", [math.inf, math.nan])
def test_a_seed_that_diverged_is_no_part_of_the_means(loss: float) -> None:
    members = [well(0.4), broken(loss), well(0.6)]
    verdict = diagnose_seeds(SMALL, members, COMPLETED)
    assert verdict.evidence == "On average the training loss is 0.5000, and after epoch 1 80.0 % of the test images are right."
    shown = [reading.value for reading in readings(snapshot(SMALL, members[0], members=members))]
    assert shown == ["0.5000", "80.0 %", "0.6000", "80.0 %"]


def test_where_all_seeds_diverged_there_is_no_mean_and_a_smaller_lr() -> None:
    verdict = diagnose_seeds(replace(SMALL, lr=5.0), [broken()] * 2, StopReason("diverged", 4, "All 2 seeds diverged."))
    assert (verdict.kind, verdict.sentence, verdict.evidence) == ("diverged", "All 2 seeds: diverged.", "")
    assert verdict.fix is not None
    assert verdict.fix.spec.lr < 5


def test_before_the_first_step_nothing_is_counted() -> None:
    assert diagnose_seeds(SMALL, [history_of([], [])] * 3).kind == "waiting"


@pytest.mark.parametrize("settings", [{}, {"lr": 3.0}, {"init": "constant", "init_std": 0.01}, {"lr": 0.001}, {"lr": 0.7}], ids=str)
def test_of_trained_seeds_it_says_what_their_own_runs_are_told_and_the_tiles_numbers(settings: dict[str, float]) -> None:
    spec = replace(SMALL, **settings)  # type: ignore[arg-type]
    run = Replicates(spec, load_sample(), seeds=3)
    while not run.finished:
        run.advance(steps=48)
        verdict, members = diagnose_seeds(spec, run.members, run.stop_reason), run.members
        kinds = Counter(diagnose(spec, replace(one, probes=()), run.stop_reason).kind for one in members)
        for kind, seeds in kinds.items():
            words = kind.replace("early", "too early").replace("short", "too short")
            assert f"{'All 3' if seeds == 3 else f'{seeds} of 3'} seeds: {words}" in verdict.sentence
        assert f"{fmean(fmean(one.losses[-20:]) for one in members):.4f}" in verdict.evidence
        epoch = len(run.history.epochs)
        right = fmean(one.epochs[-1].test_accuracy if epoch else fmean(one.accuracies[-20:]) for one in members)
        assert f"{100 * right:.1f} % of the {'test' if epoch else 'training'} images" in verdict.evidence


def test_what_the_layers_of_the_first_seed_show_is_told_of_it_and_gives_the_cure() -> None:
    spec = replace(SMALL, lr=3.0)  # of every seed most units die
    run = Replicates(spec, load_sample(), seeds=3)
    run.advance()
    verdict = diagnose_seeds(spec, run.members, run.stop_reason)
    alone = diagnose(spec, run.members[0], run.stop_reason)
    assert alone.kind == "dead"
    assert verdict.sentence == "All 3 seeds: unstable."
    assert f"Seed 0, whose layers were measured: {alone.sentence}" in verdict.evidence
    assert verdict.fix == alone.fix
