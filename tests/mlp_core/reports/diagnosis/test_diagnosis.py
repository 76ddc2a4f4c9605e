"""Every verdict from a case that deserves it, most of them really trained, the numbers of its sentence counted again; no false alarm."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from statistics import fmean

import pytest
import torch
from torch import Tensor

from mlp_core.data import load_sample
from mlp_core.records import EpochRecord, ProbeRecord, StopReason
from mlp_core.reports.diagnosis.diagnosis import ENOUGH_STEPS, Verdict, diagnose
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from tests.support.engine import SPEC, clouds, finished, network_of
from tests.support.histories import epoch_of, history_of, layer_of, numbers

BOOK = RunSpec(device="cpu")
SMALL = replace(BOOK, hidden=(64,))
DEEP = replace(BOOK, hidden=(64,) * 5)
COMPLETED = StopReason("completed", 0, "Completed.")


def verdict_of(run: Run) -> Verdict:
    return diagnose(run.spec, run.history.snapshot(), run.stop_reason, run.inspections.entries)


@cache
def trained(spec: RunSpec) -> Run:
    """A finished run on the bundled sample: 24 steps an epoch with all of its 6,000 images."""
    return finished(spec, load_sample())


@pytest.mark.parametrize(
    "spec",
    [
        BOOK,
        replace(BOOK, hidden=()),
        replace(BOOK, hidden=(256, 256), dropout=(0.2, 0.5), lr=0.5),
        replace(DEEP, init="he_normal"),
        replace(DEEP, activation="tanh", init="xavier_normal"),
        replace(SMALL, optimizer="adam", lr=1e-3, batch_size=32, epochs=3),
    ],
    ids=["book", "softmax", "dropout", "he", "xavier", "adam"],
)
def test_a_healthy_run_is_never_blamed(spec: RunSpec) -> None:
    run = Run(spec, load_sample())
    kinds: list[str] = []
    while not run.finished:
        run.inspections.look()
        run.advance(steps=1)
        verdict = verdict_of(run)
        assert not verdict.is_fault, f"step {run.step}: {verdict.sentence}"
        assert verdict.fix is None
        if not kinds or kinds[-1] != verdict.kind:
            kinds.append(verdict.kind)
    assert kinds == ["early", "learning", "learned"]
    assert run.inspections.entries, "the verdicts were passed on less evidence than meant"


def test_waiting() -> None:
    verdict = verdict_of(Run(BOOK, load_sample()))
    assert (verdict.kind, verdict.is_fault) == ("waiting", False)


def test_who_still_guesses_after_epochs_of_few_steps_is_not_said_to_be_learning() -> None:
    epochs = [EpochRecord(n, 32 * n, loss, 0.1, 9.0, right) for n, loss, right in ((1, 400.0, 0.1), (2, 7.0, 0.1), (3, 6.0, 0.3))]
    guessing = diagnose(BOOK, history_of([7.0] * 70, [0.1] * 70, epochs[:2]))
    assert (guessing.kind, guessing.fix) == ("early", None)
    assert guessing.sentence == "Still guessing: 10.0 % of the test images correct after 2 epochs."
    assert diagnose(BOOK, history_of([2.0] * 70, [0.1] * 40 + [0.3] * 30, epochs[:2])).kind == "learning", "it knows more by now"
    assert diagnose(BOOK, history_of([2.0] * 96, [0.1] * 96, epochs)).kind == "learning"


def test_early() -> None:
    run = Run(BOOK, load_sample())
    run.advance(steps=10)
    verdict, steps = verdict_of(run), run.history.steps
    assert verdict.kind == "early"
    right, loss = (fmean(getattr(record, name) for record in steps) for name in ("accuracy", "loss"))
    assert verdict.sentence == f"First epoch under way: the training loss is {loss:.4f}."
    assert verdict.evidence == f"It began at {steps[0].loss:.4f}, and {100 * right:.1f} % of the training images are right now."
    run.stop("stopped", "Stopped at step 10.")
    assert verdict_of(run).sentence == f"Too short to tell: 10 steps, {100 * right:.1f} % of the training images right."
    assert verdict_of(run).fix is None, "who stops it needs no other design"


def test_learning_and_learned() -> None:
    run = Run(SMALL, load_sample())
    run.advance(steps=24)
    first = run.history.epochs[0]
    assert verdict_of(run) == Verdict("learning", f"Learning: {100 * first.test_accuracy:.1f} % of the test images correct after 1 epoch.")
    run.advance()
    last, verdict = run.history.epochs[-1], verdict_of(run)
    assert verdict.kind == "learned"
    assert verdict.sentence == f"Learned: {100 * last.test_accuracy:.1f} % of the test images correct after 10 epochs."
    assert numbers(verdict.evidence) == [round(first.train_loss, 4), 1, round(last.train_loss, 4), 10]


def test_overfitting() -> None:
    spec = replace(BOOK, hidden=(128,), init="he_normal", optimizer="adam", lr=3e-3, train_size=300, batch_size=50, epochs=60)
    run = trained(spec)
    verdict, epochs = verdict_of(run), run.history.epochs
    best = min(epochs, key=lambda epoch: epoch.test_loss)
    assert verdict.kind == "overfitting"
    assert numbers(verdict.sentence) == [best.epoch]
    shown = [best.test_loss, epochs[-1].test_loss, best.train_loss, epochs[-1].train_loss]
    assert numbers(verdict.evidence) == [round(loss, 4) for loss in shown]
    assert shown[1] > shown[0]
    assert shown[3] < shown[2]


def test_two_bad_epochs_are_no_overfitting() -> None:
    falling = [(0.8, 0.8), (0.6, 0.6), (0.5, 0.5), (0.44, 0.46), (0.42, 0.6), (0.41, 0.6), (0.40, 0.62)]
    epochs = [epoch_of(number, *losses) for number, losses in enumerate(falling, start=1)]
    losses, accuracies = [0.4] * 70, [0.85] * 70
    assert diagnose(BOOK, history_of(losses, accuracies, epochs[:-1])).kind == "learning"
    verdict = diagnose(BOOK, history_of(losses, accuracies, epochs))
    assert (verdict.kind, numbers(verdict.sentence)) == ("overfitting", [4])
    restless = [replace(epoch, test_loss=epoch.test_loss + 0.3 * (epoch.epoch % 2)) for epoch in epochs]
    assert diagnose(BOOK, history_of(losses, accuracies, restless)).kind == "learning", "it always jumps that much"
    forgets = [replace(epoch, train_loss=epoch.train_loss + 0.05 * (epoch.epoch > 4)) for epoch in epochs]
    assert diagnose(BOOK, history_of(losses, accuracies, forgets)).kind == "learning", "the training loss has risen too"
    knows_no_better = [replace(epoch, train_accuracy=epoch.test_accuracy) for epoch in epochs]
    assert diagnose(BOOK, history_of(losses, accuracies, knows_no_better)).kind == "learning"


def test_unstable() -> None:
    epochs = [epoch_of(1, 0.7, 0.7), epoch_of(2, 0.6, 0.65)]
    calm, jump = [0.65] * 20, [1.0, 1.5] * 15
    verdict = diagnose(replace(BOOK, lr=0.8), history_of(calm + jump, [0.6] * 50, epochs))
    assert verdict.kind == "unstable"
    assert numbers(verdict.sentence) == [1.25]
    assert numbers(verdict.evidence) == [2, 0.60]
    assert verdict.fix is not None
    assert verdict.fix.spec == replace(BOOK, lr=0.1), "the usual one"
    assert diagnose(BOOK, history_of(calm + jump[:10], [0.6] * 30, epochs)).kind == "learning", "ten steps tell nothing"
    assert diagnose(BOOK, history_of([2.3] * 20 + [0.62] * 30, [0.6] * 50, epochs)).kind == "learning", "the beginning is no jump"


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_symmetric(activation: str) -> None:
    verdict = verdict_of(trained(replace(SMALL, activation=activation, init="constant")))
    assert verdict.kind == "symmetric"
    assert numbers(verdict.sentence) == [64, 1]


def test_dead_units_are_alike_but_no_symmetry() -> None:
    dead = [ProbeRecord(0, (layer_of(1, dead_units=64, distinct_units=1), layer_of(2, 10)))]
    alike = [ProbeRecord(0, (layer_of(1, distinct_units=1), layer_of(2, 10)))]
    kinds = [diagnose(BOOK, history_of([2.2] * 200, [0.15] * 200, (), probes)).kind for probes in (dead, alike)]
    assert kinds == ["dead", "symmetric"]


def test_stuck() -> None:
    run = trained(replace(SMALL, lr=1e-5))
    verdict, last = verdict_of(run), run.history.epochs[-1]
    assert verdict.kind == "stuck"
    assert numbers(verdict.sentence)[0] == pytest.approx(100 * last.test_accuracy)
    assert numbers(verdict.evidence) == [round(fmean(step.loss for step in run.history.steps[-20:]), 4), 10, 2.3026]


@pytest.mark.parametrize(
    ("accuracy", "words"), [(0.34, "Hardly moved: 34.0 %"), (0.1, "Stuck at 10.0 % of the test images, which is guessing")]
)
def test_an_end_at_the_loss_of_guessing_is_called_guessing_only_where_it_is(accuracy: float, words: str) -> None:
    epochs = [EpochRecord(1, ENOUGH_STEPS, 2.29, accuracy, 2.278, accuracy)]
    verdict = diagnose(BOOK, history_of([2.29] * ENOUGH_STEPS, [accuracy] * ENOUGH_STEPS, epochs), COMPLETED)
    assert verdict.kind == "stuck"
    assert verdict.sentence.startswith(words)


def test_stuck_at_chance_long_before_the_end() -> None:
    healthy = [ProbeRecord(0, (layer_of(1), layer_of(2, 10)))]
    still = history_of([2.305] * ENOUGH_STEPS, [0.09, 0.11] * (ENOUGH_STEPS // 2), (), healthy)
    verdict = diagnose(BOOK, still)
    assert verdict.kind == "stuck"
    assert numbers(verdict.sentence) == [10.0]
    assert numbers(verdict.evidence) == [2.305, 10, 2.3026]
    soon = history_of([2.305] * (ENOUGH_STEPS - 1), [0.1] * (ENOUGH_STEPS - 1), (), healthy)
    assert diagnose(BOOK, soon).kind == "early", "patience"


def test_a_signal_that_vanishes() -> None:
    run = trained(DEEP)
    verdict, start = verdict_of(run), run.history.probes[0].layers
    assert verdict.kind == "vanishing"
    assert numbers(verdict.evidence) == [float(f"{start[0].activation_std:.1e}"), 1, float(f"{start[4].activation_std:.1e}"), 5]
    assert start[4].activation_std < 1e-4 * start[0].activation_std
    nothing = verdict_of(trained(replace(SMALL, init="zeros")))
    assert nothing.kind == "vanishing"
    assert nothing.evidence == "Before training, the units of layer 1 output the same for every image."


def test_a_gradient_that_vanishes() -> None:
    run = trained(replace(BOOK, hidden=(32,) * 10, activation="sigmoid", init="torch_default"))
    verdict, layers = verdict_of(run), run.history.probes[-1].layers
    weakest = min(layers[:-1], key=lambda layer: layer.gradient_norm)
    assert verdict.kind == "vanishing"
    expected = [float(f"{weakest.gradient_norm:.1e}"), weakest.layer, float(f"{layers[-1].gradient_norm:.1e}")]
    assert numbers(verdict.evidence) == expected
    assert expected[0] < 1e-6


def test_a_gradient_of_exactly_0_is_called_that() -> None:
    probes = [ProbeRecord(0, (layer_of(1, gradient_norm=0.0), layer_of(2, 10)))]
    verdict = diagnose(BOOK, history_of([2.3] * 200, [0.1] * 200, (), probes))
    assert verdict.evidence == "|∂L/∂W| is exactly 0 in layer 1, 0.3 in the output layer."


def test_dead() -> None:
    run = trained(replace(SMALL, lr=5.0))
    verdict, hidden = verdict_of(run), run.history.probes[-1].layers[0]
    assert verdict.kind == "dead"
    assert numbers(verdict.evidence)[:2] == [hidden.dead_units, 64]
    assert hidden.dead_units >= 58
    assert numbers(verdict.sentence)[0] == pytest.approx(100 * run.history.epochs[-1].test_accuracy, abs=0.05)


@pytest.mark.parametrize(("dead_units", "kind"), [(64, "dead"), (58, "dead"), (57, "stuck")])
def test_most_of_a_layer_dead_is_as_good_as_all(dead_units: int, kind: str) -> None:
    probes = [ProbeRecord(0, (layer_of(1), layer_of(2, 10))), ProbeRecord(100, (layer_of(1, dead_units=dead_units), layer_of(2, 10)))]
    verdict = diagnose(BOOK, history_of([2.3] * 200, [0.1] * 200, (), probes))
    assert verdict.kind == kind
    assert kind == "stuck" or numbers(verdict.evidence) == [dead_units, 64, 0]


def test_collapsed() -> None:
    accuracies = [0.1] * 20 + [0.55, 0.65] * 50 + [0.1] * 80
    verdict = diagnose(replace(BOOK, lr=0.5), history_of([1.0] * 200, accuracies, (), [ProbeRecord(0, (layer_of(1), layer_of(2, 10)))]))
    assert verdict.kind == "collapsed"
    assert verdict.sentence == "Collapsed to 10.0 % of the training images."
    assert verdict.evidence == "It had reached 60.0 % of the training images."
    assert verdict.fix is not None
    assert verdict.fix.spec == replace(BOOK, lr=0.1)
    lucky = [0.1] * 100 + [1.0] + [0.1] * 99  # one batch of a few images
    assert diagnose(BOOK, history_of([2.3] * 200, lucky)).kind == "stuck"


def test_diverged() -> None:
    run = trained(replace(BOOK, activation="identity", lr=100.0, init_std=1.0))
    verdict, losses = verdict_of(run), [step.loss for step in run.history.steps]
    assert verdict.kind == "diverged"
    assert numbers(verdict.sentence) == [run.step]
    finite = [loss for loss in losses if math.isfinite(loss)]
    assert numbers(verdict.evidence) == [float(f"{max(finite):.3g}"), float(f"{finite[0]:.3g}")]
    assert finite[0] > 100
    assert verdict.fix is not None
    assert verdict.fix.spec == replace(run.spec, init="lecun_normal", lr=0.1), "the first loss tells of initial weights that are too large"
    calm = history_of([2.3, 5.0, math.inf], [0.1] * 3)
    gentle = diagnose(replace(BOOK, optimizer="adam", lr=0.02), calm, run.stop_reason)
    assert gentle.fix is not None
    assert gentle.fix.spec.lr == 0.001


def test_diverged_at_the_first_step_has_no_evidence() -> None:
    reason = StopReason("diverged", 1, "Diverged at step 1: the loss is NaN.")
    verdict = diagnose(BOOK, history_of([math.nan], [0.1]), reason)
    assert (verdict.kind, verdict.sentence, verdict.evidence) == ("diverged", reason.detail, "")


def test_failed() -> None:
    def fail(x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    run = Run(SPEC, clouds())
    run.advance(steps=2)
    network_of(run).loss = fail  # type: ignore[method-assign]
    run.advance()
    verdict = verdict_of(run)
    assert verdict.kind == "failed"
    assert "memory" in verdict.sentence
    assert numbers(verdict.sentence) == [2]
    for kind in ("device_lost", "failed", "abandoned"):
        assert diagnose(SPEC, run.history.snapshot(), StopReason(kind, 2, "Why.")) == Verdict("failed", "Why.")


def test_a_loss_that_is_not_finite_never_breaks_a_verdict() -> None:
    for loss in (math.nan, math.inf):
        epochs = [epoch_of(1, loss, loss)]
        for reason in (None, COMPLETED):
            assert diagnose(BOOK, history_of([2.3] * 30 + [loss], [0.1] * 31, epochs), reason).sentence
