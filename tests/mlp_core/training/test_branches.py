"""Another learning rate in mid-run, and runs that branch off from a kept step: the same as if the change had been made then."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core.records import LrChange, StepLog
from mlp_core.spec import RunSpec, SpecError
from mlp_core.training import Run
from tests.support.drawn import specs
from tests.support.engine import RICH, SPEC, both_implementations, clouds, finished, network_of, record_of, weights_of

LRS = st.sampled_from([1e-5, 0.01, 0.05, 0.3, 100])


def changed(spec: RunSpec, step: int, lr: float) -> Run:
    """A whole run in which `set_lr` was called after `step` steps."""
    run = Run(spec, clouds())
    run.advance(steps=step)
    run.set_lr(lr)
    run.advance()
    return run


class TestSetLr:
    """From the next step on, and told in the history."""

    @both_implementations
    @pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop", "adagrad"])
    def test_a_step_at_twice_the_rate_goes_twice_as_far(self, optimizer: str, implementation: str) -> None:
        spec = replace(SPEC, optimizer=optimizer, implementation=implementation, lr=0.01, init_std=1.0)
        runs = Run(spec, clouds()), Run(spec, clouds())
        for run in runs:
            run.advance(steps=5)
        runs[1].set_lr(0.02)
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
        assert run.lr == 0.1
        run.advance(steps=3)
        run.set_lr(0.05)
        assert run.lr == 0.05
        run.advance(steps=2)
        run.set_lr(1)
        assert run.history.lr_changes == [LrChange(3, 0.05), LrChange(5, 1.0)]
        assert run.history.snapshot().lr_changes == (LrChange(3, 0.05), LrChange(5, 1.0))

    def test_of_several_at_one_step_the_last_counts_and_none_that_changes_nothing(self) -> None:
        run = Run(SPEC, clouds())
        run.set_lr(0.1)
        assert run.history.lr_changes == []
        for lr in (0.5, 0.2, 0.3):
            run.set_lr(lr)
        assert run.history.lr_changes == [LrChange(0, 0.3)]
        run.advance(steps=2)
        run.set_lr(0.3)
        run.set_lr(0.1)
        run.set_lr(0.3)
        assert run.history.lr_changes == [LrChange(0, 0.3)]
        run.set_lr(0.1)
        assert run.history.lr_changes == [LrChange(0, 0.3), LrChange(2, 0.1)]

    def test_before_the_first_step_is_that_experiment_from_the_start(self) -> None:
        whole = changed(RICH, 0, 0.03)
        assert weights_of(whole) == weights_of(finished(replace(RICH, lr=0.03)))

    def test_during_an_epochs_test_counts_from_the_step_after_it(self) -> None:
        run = Run(RICH, clouds())
        run.advance(steps=3)
        run.advance(steps=1, seconds=0.0)
        assert run.testing
        run.set_lr(0.02)
        run.advance()
        whole = changed(RICH, 4, 0.02)
        assert record_of(run) == record_of(whole)
        assert weights_of(run) == weights_of(whole)

    @given(lr=st.one_of(st.floats(), st.booleans(), st.text(max_size=3), st.none()))
    @settings(max_examples=100, deadline=None, derandomize=True)
    def test_refuses_what_a_spec_refuses(self, lr: Any) -> None:
        run = Run(SPEC, clouds())
        refusals = []
        for attempt in (partial(replace, SPEC, lr=lr), partial(run.set_lr, lr)):
            try:
                attempt()
            except SpecError as refusal:
                refusals.append(str(refusal))
        assert refusals in ([], refusals[:1] * 2)
        assert run.lr == (0.1 if refusals else lr)

    def test_does_nothing_to_a_run_that_ended(self) -> None:
        run = finished()
        before = record_of(run)
        run.set_lr(0.2)
        assert record_of(run) == before
        with pytest.raises(SpecError):
            run.set_lr(-1)


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
        branch = parent.branch(step, lr)
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

    @both_implementations
    @pytest.mark.parametrize(
        "changes", [{"optimizer": "adam"}, {"momentum": 0.9, "nesterov": True}, {"optimizer": "rmsprop", "momentum": 0.5}]
    )
    def test_in_the_middle_of_an_epoch_goes_on_with_averages_masks_and_order(self, changes: dict[str, Any], implementation: str) -> None:
        spec = replace(RICH, implementation=implementation, lr=0.01, **changes)
        branch = finished(spec).branch(5, 0.02)
        assert (branch.step, branch.epoch, branch.finished) == (5, 1, False)
        assert branch.step % branch.steps_per_epoch == 1
        branch.advance()
        whole = changed(spec, 5, 0.02)
        assert record_of(branch) == record_of(whole)
        assert weights_of(branch) == weights_of(whole)

    def test_with_the_same_rate_is_the_run_again(self) -> None:
        whole = finished(RICH)
        branch = whole.branch(10, RICH.lr)
        assert branch.history.lr_changes == []
        branch.advance()
        assert record_of(branch) == record_of(whole)

    def test_in_the_place_of_a_change_made_at_that_step(self) -> None:
        parent = changed(RICH, 5, 0.5)
        branch = parent.branch(5, 0.02)
        branch.advance()
        assert record_of(branch) == record_of(changed(RICH, 5, 0.02))
        back = parent.branch(5, RICH.lr)
        back.advance()
        assert record_of(back) == record_of(finished(RICH))

    def test_after_a_change_keeps_it(self) -> None:
        branch = changed(RICH, 5, 0.5).branch(10, 0.02)
        branch.advance()
        assert branch.history.lr_changes == [LrChange(5, 0.5), LrChange(10, 0.02)]
        again = Run(RICH, clouds())
        again.advance(steps=5)
        again.set_lr(0.5)
        again.advance(steps=5)
        again.set_lr(0.02)
        again.advance()
        assert record_of(branch) == record_of(again)
        assert weights_of(branch) == weights_of(again)

    def test_of_a_branch(self) -> None:
        first = finished(RICH).branch(10, 0.02)
        first.advance()
        second = first.branch(5, 0.3)
        second.advance()
        assert record_of(second) == record_of(changed(RICH, 5, 0.3))

    def test_can_be_changed_before_it_begins(self) -> None:
        branch = finished(RICH).branch(5, 0.5)
        branch.set_lr(0.02)
        branch.advance()
        assert record_of(branch) == record_of(changed(RICH, 5, 0.02))

    def test_builds_nothing_until_it_works(self) -> None:
        branch = finished(RICH).branch(5, 0.5)
        assert branch.network is None
        branch.prepare()
        assert branch.network is not None
        assert branch.step == 5
        assert [probe.step for probe in branch.history.probes] == [0, 4]

    def test_of_a_run_that_was_stopped_or_diverged(self) -> None:
        stopped = Run(RICH, clouds())
        stopped.advance(steps=7)
        stopped.stop("stopped", "Stopped by hand.")
        branch = stopped.branch(5, 0.2)
        branch.advance()
        assert record_of(branch) == record_of(changed(RICH, 5, 0.2))
        wild = replace(SPEC, activation="=exp(x*x)", lr=10.0, epochs=50)
        lost = finished(wild)
        assert lost.step < lost.total_steps
        saved = lost.branch(0, 1e-3)
        saved.advance()
        assert saved.step == saved.total_steps

    def test_refuses_what_is_not_kept_and_says_what_is(self) -> None:
        run = Run(RICH, clouds())
        with pytest.raises(ValueError, match=r"step: must be one that is kept \(none\)"):
            run.branch(0, 0.2)
        run.advance(steps=7)
        for step in (8, -1, 19):
            with pytest.raises(ValueError, match=rf"step: must be one that is kept \(0, 1, 2, .*\), got {step}"):
                run.branch(step, 0.2)
        run.advance()
        with pytest.raises(ValueError, match="step: must be before the end of the run, got 20"):
            run.branch(20, 0.2)
        with pytest.raises(SpecError, match="lr: must be a number"):
            run.branch(5, 0.0)
        run.abandon()
        with pytest.raises(ValueError, match="none"):
            run.branch(5, 0.2)

    def test_from_a_log_that_was_thinned_since_is_as_coarse_and_otherwise_the_same(self) -> None:
        def run() -> Run:
            made = Run(replace(RICH, epochs=30), clouds())
            made.history.steps = StepLog(capacity=40)
            return made

        parent = run()
        parent.advance()
        assert parent.history.steps.stride == 4
        branch = parent.branch(5, 0.2)
        assert [record.step for record in branch.history.steps] == [4, 5]
        branch.advance()
        whole = run()
        whole.advance(steps=5)
        whole.set_lr(0.2)
        whole.advance()
        assert record_of(branch) == record_of(whole)

    def test_beside_a_training_worker(self) -> None:
        spec = replace(RICH, epochs=100)
        parent = Run(spec, clouds())
        parent.prepare()
        worker = threading.Thread(target=parent.advance)
        worker.start()
        branches = [parent.branch(parent.checkpoints.steps[-2:][0], 0.2) for _ in range(10)]
        worker.join()
        assert record_of(parent) == record_of(finished(spec))
        for branch in branches[::5]:
            step = branch.step
            branch.advance()
            assert record_of(branch) == record_of(changed(spec, step, 0.2))
