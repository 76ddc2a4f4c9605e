"""Another learning rate in mid-run, and runs that branch off from a kept step: the same as if the change had been made then."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core.records import SettingChange, StepLog
from mlp_core.spec import RunSpec, SpecError
from mlp_core.training import Run
from mlp_core.training.replicates import Replicates
from tests.support.drawn import specs
from tests.support.engine import RICH, SPEC, all_implementations, clouds, cross_entropy, finished, network_of, record_of, weights_of

LRS = st.sampled_from([1e-5, 0.01, 0.05, 0.3, 100])


def changed(spec: RunSpec, step: int, lr: float) -> Run:
    """A whole run in which `change(lr=…)` was called after `step` steps."""
    run = Run(spec, clouds())
    run.advance(steps=step)
    run.change(lr=lr)
    run.advance()
    return run


class TestSetLr:
    """From the next step on, and told in the history."""

    @all_implementations
    @pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop", "adagrad"])
    def test_a_step_at_twice_the_rate_goes_twice_as_far(self, optimizer: str, implementation: str) -> None:
        spec = replace(SPEC, optimizer=optimizer, implementation=implementation, lr=0.01, init_std=1.0)
        runs = Run(spec, clouds()), Run(spec, clouds())
        for run in runs:
            run.advance(steps=5)
        runs[1].change(lr=0.02)
        moves = []
        for run in runs:
            before = [w.detach().double() for w in network_of(run).parameters()]
            run.advance(steps=1)
            moves.append([w.detach().double() - old for w, old in zip(network_of(run).parameters(), before, strict=True)])
        for once, twice in zip(*moves, strict=True):
            np.testing.assert_allclose(twice, 2 * once, atol=3e-7)
            assert once.abs().max() > 1e-5

    def test_is_recorded_with_the_step_after_which_it_counts(self) -> None:
        run = Run(SPEC, clouds())
        assert run.settings.lr == 0.1
        run.advance(steps=3)
        run.change(lr=0.05)
        assert run.settings.lr == 0.05
        run.advance(steps=2)
        run.change(lr=1)
        assert run.history.changes == [SettingChange(3, "lr", 0.05), SettingChange(5, "lr", 1.0)]
        assert run.history.snapshot().changes == (SettingChange(3, "lr", 0.05), SettingChange(5, "lr", 1.0))

    def test_of_several_at_one_step_the_last_counts_and_none_that_changes_nothing(self) -> None:
        run = Run(SPEC, clouds())
        run.change(lr=0.1)
        assert run.history.changes == []
        for lr in (0.5, 0.2, 0.3):
            run.change(lr=lr)
        assert run.history.changes == [SettingChange(0, "lr", 0.3)]
        run.advance(steps=2)
        run.change(lr=0.3)
        run.change(lr=0.1)
        run.change(lr=0.3)
        assert run.history.changes == [SettingChange(0, "lr", 0.3)]
        run.change(lr=0.1)
        assert run.history.changes == [SettingChange(0, "lr", 0.3), SettingChange(2, "lr", 0.1)]

    def test_before_the_first_step_is_that_experiment_from_the_start(self) -> None:
        whole = changed(RICH, 0, 0.03)
        assert weights_of(whole) == weights_of(finished(replace(RICH, lr=0.03)))

    def test_during_an_epochs_test_counts_from_the_step_after_it(self) -> None:
        run = Run(RICH, clouds())
        run.advance(steps=3)
        run.advance(steps=1, seconds=0.0)
        assert run.testing
        run.change(lr=0.02)
        run.advance()
        whole = changed(RICH, 4, 0.02)
        assert record_of(run) == record_of(whole)
        assert weights_of(run) == weights_of(whole)

    @given(lr=st.one_of(st.floats(), st.booleans(), st.text(max_size=3), st.none()))
    @settings(max_examples=100, deadline=None, derandomize=True)
    def test_refuses_what_a_spec_refuses(self, lr: Any) -> None:
        run = Run(SPEC, clouds())
        refusals = []
        for attempt in (partial(replace, SPEC, lr=lr), partial(run.change, lr=lr)):
            try:
                attempt()
            except SpecError as refusal:
                refusals.append(str(refusal))
        assert refusals in ([], refusals[:1] * 2)
        assert run.settings.lr == (0.1 if refusals else lr)

    def test_does_nothing_to_a_run_that_ended(self) -> None:
        run = finished()
        before = record_of(run)
        run.change(lr=0.2)
        assert record_of(run) == before
        with pytest.raises(SpecError):
            run.change(lr=-1)


class TestChange:
    """Other settings than lr, from the next step on."""

    @all_implementations
    def test_weight_decay_alone_shrinks_every_parameter(self, implementation: str) -> None:
        """w ← (1 − ηλ) w − ηg: what λ adds to a step is −ηλw."""
        spec = replace(SPEC, implementation=implementation, lr=0.05, init_std=1.0)
        runs = Run(spec, clouds()), Run(spec, clouds())
        for run in runs:
            run.advance(steps=3)
        before = [w.detach().double() for w in network_of(runs[0]).parameters()]
        runs[1].change(weight_decay=0.5)
        for run in runs:
            run.advance(steps=1)
        plain, decayed = ([w.detach().double() for w in network_of(run).parameters()] for run in runs)
        for w, a, b in zip(before, plain, decayed, strict=True):
            np.testing.assert_allclose(b - a, -0.05 * 0.5 * w, atol=3e-7)

    @all_implementations
    @pytest.mark.parametrize("activation", ["relu", "prelu"])
    def test_all_units_can_be_dropped_for_a_step(self, activation: str, implementation: str) -> None:
        """Then the outputs are the last bias, and the layer below learns nothing."""
        run = Run(replace(SPEC, implementation=implementation, activation=activation), clouds())
        run.advance(steps=2)
        first, bias = network_of(run).weights()[0][0].clone(), network_of(run).weights()[-1][1].clone()
        run.change(dropout=(1.0,))
        run.advance(steps=1)
        assert torch.equal(network_of(run).weights()[0][0], first)
        batch = clouds().train_labels[torch.randperm(50, generator=torch.Generator().manual_seed(1))[32:48]]
        logits = bias.repeat(len(batch), 1).numpy()
        assert run.history.steps[-1].loss == pytest.approx(cross_entropy(logits, batch.numpy()).mean(), rel=1e-6)
        run.change(dropout=())
        run.advance(steps=1)
        assert not torch.equal(network_of(run).weights()[0][0], first)

    @all_implementations
    def test_a_batch_size_counts_from_the_next_step_and_the_order_goes_on(self, implementation: str) -> None:
        """50 images: two steps of 16, then 7, 7 and the last 4; from there eight of 7, the last of 1."""
        seen: list[torch.Tensor] = []
        run = Run(replace(SPEC, implementation=implementation, epochs=3), clouds())
        run.prepare()
        network, loss = network_of(run), network_of(run).loss

        def watched(x: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            seen.append(x.clone())
            return loss(x, labels)

        network.loss = watched  # type: ignore[method-assign]
        run.advance(steps=2)
        run.change(batch_size=7)
        run.advance(steps=3)
        assert (run.epoch, run.images_seen, run.history.epochs[-1].step) == (1, 50, 5)
        run.advance()
        assert [len(x) for x in seen] == [16, 16, 7, 7, 4] + ([7] * 7 + [1]) * 2
        assert (run.step, run.total_steps, run.finished) == (21, 21, True)
        generator = torch.Generator().manual_seed(1)
        order = torch.cat([torch.randperm(50, generator=generator) for _ in range(3)])
        torch.testing.assert_close(torch.cat(seen), clouds().train_images.flatten(1)[order].float() / 255)

    @pytest.mark.parametrize("make", [Run, Replicates])
    def test_a_batch_size_is_the_same_however_the_run_is_sliced(self, make: Callable[..., Run]) -> None:
        runs = make(RICH, clouds()), make(RICH, clouds())
        for number, run in enumerate(runs):
            for steps, batch_size in ((6, 5), (4, 50), (2, 16)):
                for _ in range(steps if number else 1):
                    run.advance(steps=1 if number else steps)
                run.change(batch_size=batch_size)
            run.advance()
        assert record_of(runs[0]) == record_of(runs[1])
        assert weights_of(runs[0]) == weights_of(runs[1])
        assert runs[0].epoch == RICH.epochs

    def test_a_branch_after_a_change_of_the_batch_size_goes_on_as_its_run(self) -> None:
        parent = Run(RICH, clouds())
        parent.advance(steps=3)
        parent.change(batch_size=5)
        parent.advance()
        for step in (2, 5, 10, 20):
            branch = parent.branch(step, lr=0.02)
            branch.advance()
            whole = Run(RICH, clouds())
            whole.advance(steps=min(step, 3))
            if step > 3:
                whole.change(batch_size=5)
                whole.advance(steps=step - 3)
            whole.change(lr=0.02)
            whole.advance()
            assert record_of(branch) == record_of(whole), step
            assert branch.total_steps == whole.total_steps

    def test_changes_at_one_step_give_way_field_by_field(self) -> None:
        run = Run(SPEC, clouds())
        run.advance(steps=2)
        run.change(weight_decay=0.1, lr=0.3)
        run.change(weight_decay=0.2)
        run.change(dropout=(0.5,))
        assert run.history.changes == [
            SettingChange(2, "lr", 0.3),
            SettingChange(2, "weight_decay", 0.2),
            SettingChange(2, "dropout", (0.5,)),
        ]
        assert run.settings == replace(SPEC, lr=0.3, weight_decay=0.2, dropout=(0.5,))
        run.change(weight_decay=0.0, dropout=())
        assert run.history.changes == [SettingChange(2, "lr", 0.3)]

    def test_a_branch_has_the_changes_before_it_and_its_own(self) -> None:
        parent = Run(RICH, clouds())
        parent.advance(steps=5)
        parent.change(weight_decay=0.1, dropout=())
        parent.advance()
        branch = parent.branch(10, lr=0.05, dropout=(0.6,))
        branch.advance()
        whole = Run(RICH, clouds())
        whole.advance(steps=5)
        whole.change(weight_decay=0.1, dropout=())
        whole.advance(steps=5)
        whole.change(lr=0.05, dropout=(0.6,))
        whole.advance()
        assert record_of(branch) == record_of(whole)
        assert weights_of(branch) == weights_of(whole)

    @pytest.mark.parametrize(
        ("settings", "rule"),
        [
            ({"weight_decay": -1}, "weight_decay: must be a number from 0 to 100, got -1"),
            ({"dropout": (0.5, 0.5)}, "dropout: must have one probability a hidden layer"),
            ({"dropout": (1.5,)}, "dropout: must be a number from 0 to 1, got 1.5"),
            ({"batch_size": 0}, "batch_size: must be a whole number from 1 to 4096, got 0"),
            ({"momentum": 0.5}, "momentum: cannot be changed in mid-run, as lr, weight_decay, dropout, batch_size can, got 0.5"),
            ({"lr": 0.5, "seed": 3}, "seed: cannot be changed in mid-run"),
        ],
    )
    def test_what_cannot_be_is_refused_and_changes_nothing(self, settings: dict[str, Any], rule: str) -> None:
        run = Run(SPEC, clouds())
        run.advance(steps=2)
        with pytest.raises(SpecError, match=re.escape(rule)):
            run.change(**settings)
        assert run.history.changes == []


class TestBranch:
    """A kept step, and from there another learning rate."""

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(spec=specs(), draw=st.data(), lr=LRS)
    def test_is_bit_for_bit_the_run_that_was_changed_then(self, spec: RunSpec, draw: st.DataObject, lr: float) -> None:
        parent = Run(spec, clouds())
        parent.advance(steps=draw.draw(st.integers(0, parent.total_steps), "steps of the parent"))
        parent.prepare()
        steps = [step for step in parent.checkpoints.steps if step < parent.total_steps]
        step = draw.draw(st.sampled_from(steps), "step")
        branch = parent.branch(step, lr=lr)
        if draw.draw(st.booleans(), "the parent goes on first"):
            parent.advance()
        branch.advance()
        parent.advance()
        whole = changed(spec, step, lr)
        assert record_of(branch) == record_of(whole)
        assert weights_of(branch) == weights_of(whole)
        assert branch.checkpoints.steps == whole.checkpoints.steps
        untouched = finished(spec)
        assert record_of(parent) == record_of(untouched)
        assert weights_of(parent) == weights_of(untouched)

    @all_implementations
    @pytest.mark.parametrize(
        "changes", [{"optimizer": "adam"}, {"momentum": 0.9, "nesterov": True}, {"optimizer": "rmsprop", "momentum": 0.5}]
    )
    def test_in_the_middle_of_an_epoch_goes_on_with_averages_masks_and_order(self, changes: dict[str, Any], implementation: str) -> None:
        spec = replace(RICH, implementation=implementation, lr=0.01, **changes)
        branch = finished(spec).branch(5, lr=0.02)
        assert (branch.step, branch.epoch, branch.finished) == (5, 1, False)
        assert branch.step % branch.steps_per_epoch == 1
        branch.advance()
        whole = changed(spec, 5, 0.02)
        assert record_of(branch) == record_of(whole)
        assert weights_of(branch) == weights_of(whole)

    def test_with_the_same_rate_is_the_run_again(self) -> None:
        whole = finished(RICH)
        branch = whole.branch(10, lr=RICH.lr)
        assert branch.history.changes == []
        branch.advance()
        assert record_of(branch) == record_of(whole)

    def test_in_the_place_of_a_change_made_at_that_step(self) -> None:
        parent = changed(RICH, 5, 0.5)
        branch = parent.branch(5, lr=0.02)
        branch.advance()
        assert record_of(branch) == record_of(changed(RICH, 5, 0.02))
        back = parent.branch(5, lr=RICH.lr)
        back.advance()
        assert record_of(back) == record_of(finished(RICH))

    def test_after_a_change_keeps_it(self) -> None:
        branch = changed(RICH, 5, 0.5).branch(10, lr=0.02)
        branch.advance()
        assert branch.history.changes == [SettingChange(5, "lr", 0.5), SettingChange(10, "lr", 0.02)]
        again = Run(RICH, clouds())
        again.advance(steps=5)
        again.change(lr=0.5)
        again.advance(steps=5)
        again.change(lr=0.02)
        again.advance()
        assert record_of(branch) == record_of(again)
        assert weights_of(branch) == weights_of(again)

    def test_of_a_branch(self) -> None:
        first = finished(RICH).branch(10, lr=0.02)
        first.advance()
        second = first.branch(5, lr=0.3)
        second.advance()
        assert record_of(second) == record_of(changed(RICH, 5, 0.3))

    def test_can_be_changed_before_it_begins(self) -> None:
        branch = finished(RICH).branch(5, lr=0.5)
        branch.change(lr=0.02)
        branch.advance()
        assert record_of(branch) == record_of(changed(RICH, 5, 0.02))

    def test_builds_nothing_until_it_works(self) -> None:
        branch = finished(RICH).branch(5, lr=0.5)
        assert branch.network is None
        branch.prepare()
        assert branch.network is not None
        assert branch.step == 5
        assert [probe.step for probe in branch.history.probes] == [0, 4]

    def test_of_a_run_that_was_stopped_or_diverged(self) -> None:
        stopped = Run(RICH, clouds())
        stopped.advance(steps=7)
        stopped.stop("stopped", "Stopped by hand.")
        branch = stopped.branch(5, lr=0.2)
        branch.advance()
        assert record_of(branch) == record_of(changed(RICH, 5, 0.2))
        wild = replace(SPEC, activation="=exp(x*x)", lr=10.0, epochs=50)
        lost = finished(wild)
        assert lost.step < lost.total_steps
        saved = lost.branch(0, lr=1e-3)
        saved.advance()
        assert saved.step == saved.total_steps

    def test_refuses_what_is_not_kept_and_says_what_is(self) -> None:
        run = Run(RICH, clouds())
        with pytest.raises(ValueError, match=r"step: must be one that is kept \(none\)"):
            run.branch(0, lr=0.2)
        run.advance(steps=7)
        for step in (8, -1, 19):
            with pytest.raises(ValueError, match=rf"step: must be one that is kept \(0, 1, 2, .*\), got {step}"):
                run.branch(step, lr=0.2)
        run.advance()
        with pytest.raises(ValueError, match="step: must be before the end of the run, got 20"):
            run.branch(20, lr=0.2)
        with pytest.raises(SpecError, match="lr: must be a number"):
            run.branch(5, lr=0.0)
        run.abandon()
        with pytest.raises(ValueError, match="none"):
            run.branch(5, lr=0.2)

    def test_from_a_log_that_was_thinned_since_is_as_coarse_and_otherwise_the_same(self) -> None:
        def run() -> Run:
            made = Run(replace(RICH, epochs=30), clouds())
            made.history.steps = StepLog(capacity=40)
            return made

        parent = run()
        parent.advance()
        assert parent.history.steps.stride > 4
        branch = parent.branch(5, lr=0.2)
        assert [record.step for record in branch.history.steps] in ([1, 5], [1, 2, 5], [1, 3, 5], [1, 4, 5], [1, 2, 3, 4, 5])
        branch.advance()
        whole = run()
        whole.advance(steps=5)
        whole.change(lr=0.2)
        whole.advance()
        assert weights_of(branch) == weights_of(whole)
        assert record_of(branch)[1:] == record_of(whole)[1:]
        assert list(branch.history.steps)[-2:] == list(whole.history.steps)[-2:]

    def test_beside_a_training_worker(self) -> None:
        spec = replace(RICH, epochs=100)
        parent = Run(spec, clouds())
        parent.prepare()
        worker = threading.Thread(target=parent.advance)
        worker.start()
        branches = [parent.branch(parent.checkpoints.steps[-2:][0], lr=0.2) for _ in range(10)]
        worker.join()
        assert record_of(parent) == record_of(finished(spec))
        for branch in branches[::5]:
            step = branch.step
            branch.advance()
            assert record_of(branch) == record_of(changed(spec, step, 0.2))
