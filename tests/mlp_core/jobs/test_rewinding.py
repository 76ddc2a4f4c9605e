"""A job that is looked into, changed in mid-run and gone back in; its memory counts what is kept for that."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from mlp_core.jobs import JobSnapshot, Scheduler, TrainingJob, scheduled
from mlp_core.jobs.job import KEPT_READY
from mlp_core.records import SettingChange
from mlp_core.spec import RunSpec
from mlp_core.training import Run, inspection
from tests.support.engine import LONG, RICH, Gate, clouds, discard, finished, job_of, kind_of, record_of, rest, until, weights_of


def done(scheduler: Scheduler, spec: RunSpec = RICH) -> TrainingJob:
    job = job_of(scheduler, spec)
    job.play()
    rest(job)
    return job


class TestLookInside:
    """Inspections for who looks, and none for who does not."""

    def test_while_it_plays(self, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(inspection, "PAUSE_SECONDS", 0.0)
        job = job_of(scheduler, LONG)
        job.play()
        until(lambda: job.run.step > 10)
        assert job.snapshot().inspections == ()
        job.look_inside()
        until(lambda: len(job.snapshot().inspections) > 1)
        job.stop()
        rest(job)
        seen = job.snapshot().inspections
        assert all(layer.update_ratio is not None for layer in seen[0].layers)
        assert [each.step for each in seen] == sorted({each.step for each in seen})

    def test_at_rest_once(self, scheduler: Scheduler) -> None:
        job = job_of(scheduler, RICH)
        job.step(3)
        rest(job)
        assert job.snapshot().inspections == ()
        for _ in range(3):
            job.look_inside()
            rest(job)
        assert [each.step for each in job.snapshot().inspections] == [3]
        assert job.state == "paused"

    def test_before_it_plays_and_after_it_ended_wakes_nobody(self, scheduler: Scheduler) -> None:
        job = job_of(scheduler, RICH)
        job.look_inside()
        assert not job.moving
        assert job.run.network is None
        job.play()
        rest(job)
        job.look_inside()
        assert not job.moving
        assert job.snapshot().inspections[-1].step == 20, "the last of them all is of the end"
        assert record_of(job.run) == record_of(finished(RICH))


class TestChangeOfLr:
    """Between two steps, whether it plays or rests."""

    def test_at_rest(self, scheduler: Scheduler) -> None:
        job = job_of(scheduler, RICH)
        job.step(5)
        rest(job)
        job.change(lambda run: run.change(lr=0.02))
        rest(job)
        snapshot = job.snapshot()
        assert (snapshot.state, snapshot.lr, snapshot.history.changes) == ("paused", 0.02, (SettingChange(5, "lr", 0.02),))
        job.play()
        rest(job)
        whole = Run(RICH, clouds())
        whole.advance(steps=5)
        whole.change(lr=0.02)
        whole.advance()
        assert record_of(job.run) == record_of(whole)
        assert weights_of(job.run) == weights_of(whole)

    def test_while_it_plays(self, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(scheduled, "TURN_SECONDS", 0.0)
        job = job_of(scheduler, RICH)
        gate = Gate(job.run)
        assert job.snapshot().lr == 0.1
        job.play()
        gate.await_step()
        job.change(lambda run: run.change(lr=0.02))
        gate.let()
        rest(job)
        assert job.snapshot().history.changes == (SettingChange(1, "lr", 0.02),)
        assert job.snapshot().lr == 0.02

    def test_of_an_ended_job_does_nothing(self, scheduler: Scheduler) -> None:
        job = done(scheduler)
        job.change(lambda run: run.change(lr=0.02))
        rest(job)
        assert job.snapshot().lr == 0.1


def same(snapshot: JobSnapshot, other: JobSnapshot) -> None:
    """All that does not depend on clocks."""
    for name in ("spec", "state", "step", "total_steps", "steps_per_epoch", "history", "stop_reason", "note", "sharing", "lr"):
        assert getattr(snapshot, name) == getattr(other, name), name
    assert snapshot.checkpoint_steps == other.checkpoint_steps
    assert snapshot.evaluation is not None
    assert other.evaluation is not None
    assert snapshot.evaluation.predicted.tolist() == other.evaluation.predicted.tolist()
    assert snapshot.evaluation.loss == other.evaluation.loss


class TestRewound:
    """The job as it stood at a kept step."""

    @pytest.mark.parametrize("step", [1, 4, 5, 20])
    def test_is_the_job_paused_there(self, scheduler: Scheduler, step: int) -> None:
        then = job_of(scheduler, replace(RICH, epochs=6))
        job = done(scheduler, replace(RICH, epochs=6))
        then.step(step)
        rest(then)
        rewound = job.rewound(step)
        same(rewound.snapshot, then.snapshot())
        assert [w.detach().numpy().tobytes() for w in rewound.network.parameters()] == weights_of(then.run)
        assert rewound.snapshot.fraction_done == step / 24
        assert (rewound.snapshot.images_per_second, rewound.snapshot.remaining_seconds) == (0.0, None)
        assert [each.step for each in rewound.snapshot.inspections] == [step]
        assert job.snapshot().state == "finished", "the job itself stays where it is"

    def test_with_the_learning_rate_of_then(self, scheduler: Scheduler) -> None:
        job = job_of(scheduler, RICH)
        job.step(5)
        rest(job)
        job.change(lambda run: run.change(lr=0.02))
        job.play()
        rest(job)
        assert [job.rewound(step).snapshot.lr for step in (4, 5, 8)] == [0.1, 0.02, 0.02]
        assert job.rewound(4).snapshot.history.changes == ()

    def test_shows_a_change_made_there_after_it_was_seen(self, scheduler: Scheduler) -> None:
        job = job_of(scheduler, RICH)
        job.step(5)
        rest(job)
        assert job.rewound(5).snapshot.lr == 0.1
        job.change(lambda run: run.change(lr=0.02))
        rest(job)
        assert job.rewound(5).snapshot.lr == 0.02

    def test_is_computed_once(self, scheduler: Scheduler) -> None:
        job = done(scheduler)
        networks = [job.rewound(step).network for step in (1, 4, 1, 4)]
        assert networks[0] is networks[2]
        assert networks[1] is networks[3]
        job.rewound(8)
        assert len(job._kept_steps) == KEPT_READY
        assert job.rewound(4).network is networks[1]

    def test_beside_training(self, scheduler: Scheduler) -> None:
        spec = replace(RICH, epochs=60)
        job = job_of(scheduler, spec)
        job.play()
        seen = 0
        while not job.ended:
            steps = job.snapshot().checkpoint_steps
            if steps:
                snapshot = job.rewound(steps[-1]).snapshot
                assert snapshot.step == steps[-1] == (snapshot.evaluation.step if snapshot.evaluation else None)
                assert len(snapshot.history.steps) == snapshot.step
                seen += 1
            time.sleep(0.001)  # whoever takes a lock again at once may keep others from it for minutes
        rest(job)
        assert seen > 1
        assert record_of(job.run) == record_of(finished(spec))

    def test_of_a_step_that_is_not_kept(self, scheduler: Scheduler) -> None:
        job = done(scheduler)
        assert 19 not in job.snapshot().checkpoint_steps
        with pytest.raises(ValueError, match="step: must be one that is kept"):
            job.rewound(19)

    def test_of_a_job_that_was_given_up(self, scheduler: Scheduler) -> None:
        job = done(scheduler)
        job.rewound(4)
        discard(job)
        until(lambda: job.run.network is None and not job.parked)
        assert job.snapshot().checkpoint_steps == ()
        with pytest.raises(ValueError, match="none"):
            job.rewound(4)

    def test_shows_what_was_seen_before_it(self, scheduler: Scheduler) -> None:
        job = job_of(scheduler, RICH)
        for _ in range(3):
            job.step(2)
            job.look_inside()
            rest(job)
        assert {2, 4, 6} <= {each.step for each in job.snapshot().inspections}
        seen = job.rewound(5).snapshot.inspections
        assert seen[-1].step == 5
        assert [each.step for each in seen if each.step % 2 == 0] == [2, 4]


def test_a_branch_is_a_job_like_any_other(scheduler: Scheduler) -> None:
    branch = TrainingJob(done(scheduler).run.branch(5, lr=0.02), scheduler)
    assert (branch.state, branch.snapshot().step, branch.snapshot().lr) == ("ready", 5, 0.02)
    branch.play()
    rest(branch)
    assert kind_of(branch.run) == "completed"
    whole = Run(RICH, clouds())
    whole.advance(steps=5)
    whole.change(lr=0.02)
    whole.advance()
    assert record_of(branch.run) == record_of(whole)


def test_the_time_that_remains_is_that_of_all_networks(scheduler: Scheduler) -> None:
    job = job_of(scheduler, LONG)
    job.play()
    until(lambda: job.snapshot().remaining_seconds is not None)
    job.run.networks = 5
    snapshot = job.snapshot()
    assert snapshot.remaining_seconds is not None
    images = snapshot.remaining_seconds * snapshot.images_per_second
    epochs, steps = divmod(snapshot.step, 4)
    assert images == pytest.approx(5 * ((2000 - epochs) * 50 - steps * 16))
    job.stop()
