"""Five seeds at once are five runs: the same losses and weights to rounding, the same ends, however they are moved on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core.data import Dataset, load_sample
from mlp_core.labs.nonlinearity.plane import dataset, points_of, split
from mlp_core.losses import CROSS_ENTROPY, LOSSES, Loss
from mlp_core.network import Network
from mlp_core.records import HistorySnapshot, SettingChange
from mlp_core.spec import MAX_SEED, RunSpec, SpecError
from mlp_core.training import Run
from mlp_core.training.replicates import Replicates, Together
from tests.support.engine import SPEC, all_implementations, clouds, kind_of, network_of, record_of_all
from tests.support.moving import MOVES, make

pytestmark = pytest.mark.usefixtures("small_test_pieces")


SAME = 1e-5  # relative, after 6 to 12 steps; measured: at most 4.3e-7
FIVE = range(SPEC.seed, SPEC.seed + 5)

DESIGNS: dict[str, dict[str, Any]] = {
    "the book's": {},
    "no hidden layer": {"hidden": ()},
    "two layers, dropout": {"hidden": (8, 5), "dropout": (0.5, 0.2)},
    "adam, decay": {"optimizer": "adam", "lr": 0.01, "weight_decay": 0.1},
    "adamw, l1": {"optimizer": "adamw", "lr": 0.01, "weight_decay": 0.1, "l1": 0.01},
    "rmsprop, momentum": {"optimizer": "rmsprop", "lr": 0.001, "momentum": 0.9},
    "adagrad": {"optimizer": "adagrad"},
    "nesterov": {"momentum": 0.9, "nesterov": True},
    "prelu": {"activation": "prelu", "lr": 0.3},
    "own expression": {"activation": "=x*sigmoid(1.7*x)"},
    "divided by the batch": {"divide_by_batch": True, "lr": 3.0},
    "random biases": {"init": "torch_default"},
    "one step an epoch": {"batch_size": 64},
    "fewer images": {"train_size": 33, "seed": 9},
}
each_design = pytest.mark.parametrize("changes", DESIGNS.values(), ids=DESIGNS)


def singles(spec: RunSpec, data: Dataset, loss: Loss = CROSS_ENTROPY, before: Callable[[Run], object] | None = None) -> list[Run]:
    """The run of every seed, alone, to its end; `before` is done to it first."""
    runs = [Run(replace(spec, seed=seed), data, loss) for seed in range(spec.seed, spec.seed + 5)]
    for run in runs:
        if before is not None:
            before(run)
        run.advance()
    return runs


def same(ours: float, theirs: float) -> bool:
    return ours == pytest.approx(theirs, rel=SAME, nan_ok=True)


def assert_same_history(ours: HistorySnapshot, theirs: HistorySnapshot) -> None:
    assert ours.steps == theirs.steps
    assert list(ours.losses) == pytest.approx(list(theirs.losses), rel=SAME, nan_ok=True)
    assert list(ours.accuracies) == pytest.approx(list(theirs.accuracies), rel=SAME, nan_ok=True)
    assert ours.changes == theirs.changes
    assert [(record.epoch, record.step) for record in ours.epochs] == [(record.epoch, record.step) for record in theirs.epochs]
    for mine, other in zip(ours.epochs, theirs.epochs, strict=True):
        for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy"):
            assert same(getattr(mine, name), getattr(other, name)), name


def assert_same_weights(ours: Network, theirs: Network) -> None:
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-6, equal_nan=True)


def assert_same(run: Together, alone: list[Run]) -> None:
    for member, network, one in zip(run.members, run.replicas, alone, strict=True):
        assert_same_history(member, one.history.snapshot())
        assert_same_weights(network, network_of(one))


@all_implementations
@each_design
def test_each_seed_is_the_single_run_of_it(changes: dict[str, Any], implementation: str) -> None:
    spec, data = replace(SPEC, **changes, implementation=implementation), clouds()
    run, alone = Replicates(spec, data), singles(spec, data)
    run.advance()
    assert run.seeds == tuple(one.spec.seed for one in alone)
    assert_same(run, alone)
    assert len({tuple(member.losses) for member in run.members}) == 5
    assert (kind_of(run), run.epoch) == ("completed", 2)


@pytest.mark.parametrize(
    ("shape", "loss"), [("xor", "logistic"), ("xor", "cross_entropy"), ("three", "cross_entropy"), ("bumps", "squared")]
)
def test_each_seed_learns_points_of_the_plane_as_it_does_alone(shape: str, loss: str) -> None:
    train, test = split(points_of(shape, 60, 0.1, 0), 0.3, 0)
    data = dataset(train, test, ("x", "y", "xy"))
    spec = RunSpec(hidden=(8, 4), activation="tanh", init="xavier_normal", optimizer="adam", lr=0.03, batch_size=15, epochs=4, device="cpu")
    run, alone = Replicates(spec, data, LOSSES[loss]), singles(spec, data, LOSSES[loss])
    run.advance()
    assert_same(run, alone)


def test_each_seed_learns_images_of_clothes_as_it_does_alone() -> None:
    spec, data = RunSpec(dropout=(0.2,), train_size=600, epochs=2, seed=7, device="cpu"), load_sample()
    run, alone = Replicates(spec, data), singles(spec, data)
    run.advance()
    assert_same(run, alone)


def test_what_a_run_has_one_of_is_the_first_seeds() -> None:
    spec, data = replace(SPEC, seed=3, dropout=(0.5,)), clouds()
    run = Replicates(spec, data)
    assert (run.network, run.networks, len(run.members)) == (None, 5, 5)
    run.prepare()
    (one, *_) = singles(spec, data)
    run.advance()
    assert run.network is run.replicas[0]
    assert run.members[0] == run.history.snapshot()
    assert [record.step for record in run.history.probes] == [record.step for record in one.history.probes] == [0, 4, 8]
    for ours, theirs in zip(run.history.probes[-1].layers, one.history.probes[-1].layers, strict=True):
        assert same(ours.gradient_norm, theirs.gradient_norm)
    assert not any(member.probes for member in run.members[1:])
    assert run.evaluation is not None
    assert one.evaluation is not None
    assert run.evaluation.predicted.tolist() == one.evaluation.predicted.tolist()
    assert run.checkpoints.steps == ()
    with pytest.raises(ValueError, match="step"):
        run.kept_step(0)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(moves=st.lists(MOVES, max_size=10), changes=st.sampled_from([DESIGNS["two layers, dropout"], DESIGNS["adam, decay"]]))
def test_the_numbers_do_not_depend_on_how_it_was_moved_on(moves: list[tuple[str, int]], changes: dict[str, Any]) -> None:
    spec, data = replace(SPEC, **changes), clouds()
    whole, sliced = Replicates(spec, data), Replicates(spec, data)
    whole.advance()
    for move in moves:
        make(sliced, *move)
    sliced.advance()
    assert record_of_all(sliced) == record_of_all(whole)


def test_three_steps_and_four_are_seven() -> None:
    parts, whole = (Replicates(SPEC, clouds()) for _ in range(2))
    parts.advance(steps=3)
    assert (parts.step, parts.epoch, parts.images_seen) == (3, 0, 5 * 48)
    parts.advance(steps=4)
    whole.advance(steps=7)
    assert record_of_all(parts) == record_of_all(whole)
    assert (parts.step, parts.epoch, parts.images_seen, parts.finished) == (7, 1, 5 * (50 + 48), False)


def test_a_changed_learning_rate_is_that_of_all_seeds() -> None:
    spec, data = replace(SPEC, optimizer="adam", lr=0.01), clouds()

    def changed(run: Run) -> None:
        run.advance(steps=3)
        run.change(lr=0.1)

    run = Replicates(spec, data)
    changed(run)
    run.advance()
    assert_same(run, singles(spec, data, before=changed))
    assert [member.changes for member in run.members] == [(SettingChange(3, "lr", 0.1),)] * 5


def test_changed_penalties_and_masks_are_those_of_all_seeds() -> None:
    data = clouds()

    def changed(run: Run) -> None:
        run.advance(steps=3)
        run.change(weight_decay=0.3, dropout=(0.5,))
        run.advance(steps=2)
        run.change(dropout=(), batch_size=7)
        run.advance(steps=1)
        run.change(weight_decay=0.0, dropout=(0.2,))

    run = Replicates(SPEC, data)
    changed(run)
    run.advance()
    assert_same(run, singles(SPEC, data, before=changed))


def breaking(seed: int) -> Callable[[Run], None]:
    """Let three steps pass, then break the weights of this seed."""

    def before(run: Run) -> None:
        run.advance(steps=3)
        networks = run.replicas if isinstance(run, Replicates) else (network_of(run),)
        for index, network in enumerate(networks):
            if run.spec.seed + index == seed:
                network.weights()[0][0].fill_(math.nan)

    return before


@pytest.mark.parametrize("broken", FIVE)
def test_a_seed_that_diverges_ends_where_it_broke_and_the_others_go_on(broken: int) -> None:
    data, before = clouds(), breaking(broken)
    run, alone = Replicates(SPEC, data), singles(SPEC, data, before=before)
    assert [kind_of(one) for one in alone] == ["diverged" if seed == broken else "completed" for seed in FIVE]
    before(run)
    run.advance(steps=1)
    assert (run.step, run.finished) == (4, False)
    run.advance()
    assert_same(run, alone)
    assert [len(member.losses) for member in run.members] == [4 if seed == broken else 8 for seed in FIVE]
    assert (kind_of(run), run.epoch) == ("completed", 2)
    assert "1 of 5 seeds diverged" in str(run.stop_reason)


def test_the_first_seed_shows_what_it_was_when_it_broke() -> None:
    run = Replicates(SPEC, clouds())
    run.advance(steps=4)
    before = run.evaluation
    run.replicas[0].weights()[0][0].fill_(math.nan)
    run.advance(steps=2)
    assert (len(run.history.steps), run.members[0].epochs[-1].epoch, run.step) == (5, 1, 6)
    assert run.evaluated  # there is nothing new to say of the network that broke
    run.evaluate()
    assert run.evaluation is before
    run.advance()
    assert [record.step for record in run.history.probes] == [0, 4]
    assert (run.evaluation, run.epoch, len(run.history.epochs)) == (before, 2, 1)
    assert network_of(run).weights()[0][0].isnan().all()
    assert network_of(run).weights()[1][0].isfinite().all()  # of the step that broke it learned nothing


def test_when_all_have_diverged_so_has_the_whole() -> None:
    train, test = split(points_of("bumps", 60, 0.0, 0), 0.3, 0)
    data, loss = dataset(train, test, ("x", "y")), LOSSES["squared"]
    spec = RunSpec(hidden=(8,), activation="identity", init="xavier_normal", lr=0.3, batch_size=15, epochs=100, device="cpu")
    run, alone = Replicates(spec, data, loss), singles(spec, data, loss)
    run.advance()
    assert {kind_of(one) for one in alone} == {"diverged"}
    assert len({one.step for one in alone}) > 1
    assert [member.steps[-1] for member in run.members] == [one.step for one in alone]
    assert (kind_of(run), run.step) == ("diverged", max(one.step for one in alone))
    assert "All 5 seeds diverged" in str(run.stop_reason)


def test_a_test_loss_that_is_not_finite_ends_its_seed_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(30, 2, generator=generator)
    x[:20, 1] = 0.0  # never seen in training, so its weights stay what they are
    y = (x[:, 0] > 0).long()
    data = Dataset(x[:20], y[:20], x[20:], y[20:])

    def before(run: Run) -> None:
        run.prepare()
        networks = run.replicas if isinstance(run, Replicates) else (network_of(run),)
        for index, network in enumerate(networks):
            if run.spec.seed + index == 2:
                network.weights()[0][0][:, 1] = 3e38

    spec = replace(SPEC, activation="identity", batch_size=10)
    run, alone = Replicates(spec, data), singles(spec, data, before=before)
    before(run)
    run.advance()
    assert [kind_of(one) for one in alone] == ["completed"] * 2 + ["diverged"] + ["completed"] * 2
    assert [len(member.epochs) for member in run.members] == [2, 2, 1, 2, 2]
    assert not math.isfinite(run.members[2].epochs[-1].test_loss)
    assert_same_weights(run.replicas[2], network_of(alone[2]))
    assert_same_history(run.members[4], alone[4].history.snapshot())


def test_the_last_seed_must_be_one() -> None:
    assert Replicates(replace(SPEC, seed=MAX_SEED - 4), clouds()).seeds[-1] == MAX_SEED
    with pytest.raises(SpecError, match=f"seed: must be at most {MAX_SEED - 4}.*5.*{MAX_SEED - 3}"):
        Replicates(replace(SPEC, seed=MAX_SEED - 3), clouds())


def test_a_step_of_all_networks_stays_near_a_second() -> None:
    wide = replace(SPEC, hidden=(2048,) * 3, batch_size=800)
    assert Run(wide, clouds()).networks == 1
    with pytest.raises(SpecError, match="batch_size: must be at most 198 for 5 networks of 8,4") as refused:
        Replicates(wide, clouds())
    Replicates(replace(wide, batch_size=198), clouds())
    assert "800" in str(refused.value)
