"""A run at a pace does so many steps a second and no more, computes what it would at full speed, and costs the others nothing."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from mlp_core.jobs import Scheduler, TrainingJob, job, scheduled
from mlp_core.training import Run
from mlp_core.training.replicates import Replicates
from tests.support.clockwork import Clockwork, played
from tests.support.engine import LONG, RICH, clouds, discard, job_of, record_of, rest, until, weights_of

ONE_IN_AN_HOUR = 1 / 3600


class Clock:
    """Stands in the place of the module `time`, and stands still until it is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    perf_counter = monotonic


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    one = Clock()
    for module in (job, scheduled):
        monkeypatch.setattr(module, "time", one)
    return one


def playing(pace: float | None, make: Callable[..., Run] = Run) -> TrainingJob:
    """A job that plays, and gets its turns from the test alone."""
    one = TrainingJob(make(LONG, clouds()), Scheduler(workers=0))
    one.set_pace(pace)
    one.play()
    return one


def turns_at(one: TrainingJob, clock: Clock, times: list[float]) -> list[int]:
    """The steps done after a turn at each of these times, in seconds from now; without a turn where none is due."""
    start, steps = clock.now, []
    for seconds in times:
        clock.now = start + seconds
        if one.due <= clock.now:
            one.take_turn()
        steps.append(one.run.step)
    return steps


def test_a_turn_does_the_steps_that_are_due(clock: Clock) -> None:
    assert turns_at(playing(4.0), clock, [0.0, 0.125, 0.25, 0.375, 0.5, 1.5, 1.625]) == [1, 1, 2, 2, 3, 7, 7]


def test_what_a_turn_could_not_do_is_not_made_up_for(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    one = playing(4.0)
    assert turns_at(one, clock, [0.0]) == [1]
    with monkeypatch.context() as patch:
        patch.setattr(scheduled, "TURN_SECONDS", 0.0)  # the machine does one piece of work in a turn
        assert turns_at(one, clock, [10.0]) == [2]
    assert turns_at(one, clock, [0.0, 0.125, 0.25]) == [3, 3, 4]


def test_tests_and_changes_keep_no_pace(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduled, "TURN_SECONDS", 0.0)
    one = playing(1.0)
    assert turns_at(one, clock, [0.0, 1.0, 2.0, 3.0]) == [1, 2, 3, 4]
    assert one.run.testing
    assert one.due <= clock.now, "the epoch's test goes on at once"
    one.take_turn()
    assert (one.run.testing, one.run.epoch, one.run.step) == (False, 1, 4)
    assert one.due > clock.now
    one.change(lambda run: run.change(lr=0.5))
    assert one.due <= clock.now
    one.take_turn()
    assert (one.run.settings.lr, one.run.step) == (0.5, 4)


@pytest.mark.parametrize(("make", "networks"), [(Run, 1), (Replicates, 5)])
def test_speed_and_remaining_time_are_those_of_the_pace(clock: Clock, make: Callable[..., Run], networks: int) -> None:
    """50 images in 4 steps; LONG is 2000 epochs of them."""
    one = playing(4.0, make)
    turns_at(one, clock, [step / 4 for step in range(9)])
    snapshot = one.snapshot()
    assert snapshot.images_per_second == pytest.approx(networks * (100 + 16 - 16) / 2)
    assert snapshot.remaining_seconds == pytest.approx((2000 * 50 - 116) / 50)
    one.set_pace(32.0)
    assert one.snapshot().images_per_second == 0.0, "what was measured at another pace says nothing"
    turns_at(one, clock, [step / 32 for step in range(9)])
    assert one.snapshot().images_per_second == pytest.approx(networks * 50 * 8)


def test_steps_that_are_asked_for_keep_no_pace(scheduler: Scheduler) -> None:
    one = job_of(scheduler, replace(LONG, epochs=3))
    one.set_pace(ONE_IN_AN_HOUR)
    one.step(6)
    rest(one)
    assert one.run.step == 6
    one.step_epoch()
    rest(one)
    assert (one.run.step, one.state) == (8, "paused")
    one.play()
    until(lambda: one.run.step == 9)
    one.step()
    rest(one)
    assert (one.run.step, one.state) == (10, "paused")


def test_a_slow_run_takes_no_turns_between_its_steps_and_obeys_at_once(scheduler: Scheduler) -> None:
    slow, quick = job_of(scheduler, LONG), job_of(scheduler)
    turns, take = [0], slow.take_turn

    def counted() -> None:
        turns[0] += 1
        take()

    slow.take_turn = counted  # type: ignore[method-assign]
    slow.set_pace(ONE_IN_AN_HOUR)
    slow.play()
    until(lambda: slow.run.step == 1)
    quick.play()
    rest(quick)
    assert quick.ended
    time.sleep(0.05)  # a worker that asks again and again would give it turns meanwhile
    assert (turns, slow.run.step, slow.state) == ([1], 1, "playing")
    assert scheduler.line == [slow]
    slow.pause()
    rest(slow)
    assert (slow.run.step, slow.run.evaluated) == (1, True)
    slow.play()
    until(lambda: slow.run.step == 2)
    slow.set_pace(None)
    until(lambda: slow.run.step > 100)
    slow.set_pace(ONE_IN_AN_HOUR)
    slow.stop()
    rest(slow)
    assert slow.state == "stopped"


def test_who_waits_until_it_is_due_claims_no_turns_for_that() -> None:
    order: list[str] = []
    late = Clockwork("late", 1.0, 9, order)
    late.due = math.inf

    def look() -> None:
        if len(order) == 10:
            late.due = -math.inf

    played(Scheduler(), Clockwork("early", 1.0, 14, order, look), late)
    assert order[:10] == ["early"] * 10
    assert "early" in order[10:13], "it has at most a turn more than its share, and not the ten that it let pass"


def test_a_slow_run_leaves_the_place_in_line_to_who_is_due() -> None:
    one, order = Scheduler(workers=0), list[str]()
    slow, due = Clockwork("slow", 1.0, 1, order), Clockwork("due", 1.0, 1, order)
    slow.due, due.used_seconds = time.monotonic() + 3600, 5.0
    for clockwork in (slow, due):
        one.keep(clockwork)
    assert [one.place_of(due), one.place_of(slow)] == [1, 2]


@pytest.mark.parametrize("make", [Run, Replicates])
def test_the_pace_leaves_no_trace_in_the_history(make: Callable[..., Run], scheduler: Scheduler) -> None:
    one = TrainingJob(make(RICH, clouds()), scheduler)
    one.set_pace(500.0)
    one.play()
    until(lambda: one.run.step >= 3)
    one.set_pace(100.0)
    until(lambda: one.run.step >= 6)
    one.step()
    rest(one)
    one.play()
    until(lambda: one.run.step >= 9)
    one.set_pace(None)
    rest(one)
    whole = make(RICH, clouds())
    whole.advance()
    assert one.state == "finished"
    assert record_of(one.run) == record_of(whole)
    assert weights_of(one.run) == weights_of(whole)


@pytest.mark.parametrize("pace", [0.0, -1.0, math.nan, math.inf])
def test_a_pace_that_cannot_be_is_refused(pace: float, scheduler: Scheduler) -> None:
    one = job_of(scheduler)
    with pytest.raises(ValueError, match=f"steps_per_second: must be a finite number above 0, got {pace}"):
        one.set_pace(pace)
    assert one.pace is None
    discard(one)
