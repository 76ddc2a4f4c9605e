"""Turns are shared by time, everybody's place in the line is true, and no job, however heavy or broken, costs the others theirs."""

from __future__ import annotations

import logging
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core.jobs import TrainingJob
from mlp_core.jobs.scheduled import ScheduledRun
from mlp_core.jobs.scheduler import Scheduler
from mlp_core.training import Run
from tests.support.clockwork import Clockwork, played
from tests.support.engine import LONG, SPEC, Gate, clouds, discard, until

pytestmark = pytest.mark.usefixtures("impatient_workers")


class TestTheLine:
    @settings(max_examples=60, derandomize=True)
    @given(costs=st.lists(st.tuples(st.floats(0.001, 1.0), st.integers(1, 12)), min_size=1, max_size=6), moment=st.integers(0, 20))
    def test_a_place_is_the_order_in_which_each_has_its_next_turn(self, costs: list[tuple[float, int]], moment: int) -> None:
        order: list[str] = []
        places: dict[str, int] = {}
        one = Scheduler()

        def look() -> None:
            if len(order) == moment + 1:
                places.update({job.name: one.place_of(job) for job in pool})

        pool = [Clockwork(str(i), cost, turns, order, look) for i, (cost, turns) in enumerate(costs)]
        played(one, *pool)
        given = list(dict.fromkeys(order[moment:]))  # the turn under way, and then whoever has the next one of its own
        assert {name for name, place in places.items() if place} == set(given)
        assert sorted(given, key=places.__getitem__) == given
        assert sorted(places[name] for name in given) == list(range(1, len(given) + 1))

    def test_of_equal_jobs_is_the_order_in_which_they_came(self) -> None:
        one = Scheduler()
        pool = [TrainingJob(Run(LONG, clouds()), one) for _ in range(3)]
        gate = Gate(pool[0].run)
        pool[0].play()
        gate.await_step()
        for job in pool[1:]:
            job.play()
        assert [(job.snapshot().place, job.snapshot().sharing) for job in pool] == [(1, 3), (2, 3), (3, 3)]
        pool[1].pause()  # its network, as it stands, is tested in a turn of its own
        assert [(job.snapshot().place, job.snapshot().sharing) for job in pool] == [(1, 3), (0, 0), (3, 3)]
        pool[2].stop()
        assert (pool[2].snapshot().place, pool[2].snapshot().sharing) == (0, 0)
        assert one.place_of(TrainingJob(Run(SPEC, clouds()), one)) == 0
        for job in pool:
            discard(job)
        gate.let()
        one.close()

    def test_is_not_mentioned_to_who_is_alone(self) -> None:
        one = Scheduler()
        job = TrainingJob(Run(LONG, clouds()), one)
        job.play()
        until(lambda: job.run.step > 0)
        assert (job.snapshot().sharing, job.snapshot().place) == (1, 0)
        discard(job)
        one.close()


def test_a_job_that_ends_frees_its_turn_at_once() -> None:
    order: list[str] = []
    left: list[tuple[int, int]] = []
    one = Scheduler()

    def look() -> None:
        left.append((short.turns, len(one.line)))

    short = Clockwork("short", 1.0, 3, order)
    long = Clockwork("long", 1.0, 20, order, look)
    played(one, long, short)
    assert order == ["long", "short"] * 3 + ["long"] * 17
    assert left == [(3 - done, 2) for done in range(3)] + [(0, 1)] * 17, "in line for exactly as long as it had turns to come"


@pytest.mark.parametrize("cost", [0.5, 1.0, 3.0])
def test_a_job_of_long_steps_has_no_more_time_than_the_others(cost: float) -> None:
    """Beside 29 with turns of 30 ms: after each of its steps it waits until all have caught up."""
    order: list[str] = []
    heavy = Clockwork("heavy", cost, 4, order)
    rest = [Clockwork(str(i), 0.03, 400, order) for i in range(29)]
    played(Scheduler(), heavy, *rest)
    turns = [place for place, name in enumerate(order) if name == "heavy"]
    for before, after in pairwise(turns):
        between = order[before + 1 : after]
        for job in rest:
            assert between.count(job.name) * 0.03 >= cost - 0.03 - 1e-9


def test_a_network_of_eight_times_2048_leaves_the_others_their_share() -> None:
    one, data = Scheduler(memory_bytes=500_000_000), clouds(train=5000)  # of long epochs, so that nobody comes to the end
    giant = TrainingJob(Run(replace(LONG, hidden=(2048,) * 8), data), one)
    small = [TrainingJob(Run(replace(LONG, seed=seed), data), one) for seed in range(2)]
    giant.run.prepare()
    with one.changed:
        for job in (giant, *small):
            job.play()
    turns = [0.0]  # what the giant had used after each
    while giant.run.step < 5:  # a step of it takes longer than a turn
        until(lambda: giant.used_seconds > turns[-1])
        with one.changed:
            turns.append(giant.used_seconds)
            least = min(job.used_seconds for job in small)
    for job in (giant, *small):
        discard(job)
    one.close()
    assert least >= turns[-2] - 1e-9, "before its last turn all had had as much as it"
    assert min(job.run.step for job in small) > 5 * giant.run.step


def test_a_job_that_breaks_its_contract_takes_nobody_with_it(caplog: pytest.LogCaptureFixture) -> None:
    order: list[str] = []

    def fail() -> None:
        raise ValueError("a defect")

    one = Scheduler()
    broken, sound = Clockwork("broken", 1.0, 3, order, fail), Clockwork("sound", 1.0, 5, order)
    with caplog.at_level(logging.ERROR):
        played(one, broken, sound)
    assert order == ["broken", *["sound"] * 5]
    assert one.line == []
    assert "a defect" in caplog.text


def test_the_turn_that_builds_a_network_is_not_charged() -> None:
    """The process's first loads its kernels too, for a second: who is charged for that stands still until all others have had as much."""
    scheduler = Scheduler()
    job = ScheduledRun(Run(LONG, clouds()), scheduler)
    job.state = "playing"
    job.take_turn()
    assert (job.run.step > 0, job.used_seconds) == (True, 0.0)
    job.take_turn()
    assert job.used_seconds > 0
