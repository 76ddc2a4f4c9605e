"""A computation is done in turns beside everybody's runs, and ends when it is done, stopped, broken or forgotten."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator

import pytest

from mlp_core.jobs import Computation, MemoryBudgetError, Scheduler, scheduled
from tests.support.clockwork import Clockwork
from tests.support.engine import LONG, job_of, until


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    scheduler = Scheduler()
    yield scheduler
    scheduler.close()


def pieces(count: int, seconds: float = 0.0) -> Generator[float, None, str]:
    for done in range(1, count + 1):
        time.sleep(seconds)
        yield done / count
    return f"{count} pieces"


def endless() -> Generator[float, None, None]:
    while True:
        time.sleep(0.001)
        yield 0.25


def broken() -> Generator[float, None, None]:
    yield 0.5
    raise ZeroDivisionError


def test_it_has_its_result_when_all_pieces_are_done(scheduler: Scheduler) -> None:
    computation = Computation(pieces(500), scheduler)
    assert computation.await_rest(10)
    assert (computation.state, computation.result, computation.fraction_done) == ("finished", "500 pieces", 1.0)
    assert not computation.moving
    assert computation.used_seconds > 0


def test_it_stops_after_the_piece_under_way_and_stays_stopped(scheduler: Scheduler) -> None:
    computation = Computation(endless(), scheduler)
    until(lambda: computation.fraction_done == 0.25)
    assert not computation.await_rest(0.01)
    computation.stop()
    assert computation.await_rest(1)
    until(lambda: not scheduler._in_turn)
    assert (computation.state, computation.result) == ("stopped", None)


def test_a_defect_ends_it_alone(scheduler: Scheduler) -> None:
    failing, other = Computation(broken(), scheduler), Computation(pieces(3), scheduler)
    assert failing.await_rest(10)
    assert other.await_rest(10)
    assert (failing.state, other.state) == ("failed", "finished")


def test_it_shares_the_time_with_a_run(scheduler: Scheduler) -> None:
    job = job_of(scheduler, LONG)
    job.play()
    computation = Computation(endless(), scheduler)
    until(lambda: computation.used_seconds > 0.2 and job.run.step > 20)
    step = job.run.step
    until(lambda: job.run.step > step)
    computation.stop()


def test_it_ends_when_nobody_holds_it_any_more(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduled, "PARKED_SECONDS", 0.05)
    computation, holder = Computation(endless(), scheduler), object()
    computation.lifetime.claim(holder)
    until(lambda: computation.fraction_done > 0)
    computation.lifetime.park(holder)
    until(lambda: computation.state == "stopped")


def test_others_have_their_turns_meanwhile(scheduler: Scheduler) -> None:
    order: list[str] = []
    computation = Computation(endless(), scheduler)
    scheduler.keep(Clockwork("other", 0.001, 3, order))
    until(lambda: len(order) == 3)
    computation.stop()


@pytest.mark.parametrize("in_turn", [True, False])
def test_what_it_held_is_free_once_it_is_stopped_though_it_is_still_shown(*, in_turn: bool) -> None:
    freed, stepping, go = threading.Event(), threading.Event(), threading.Event()

    def holding() -> Generator[float, None, None]:
        try:
            while True:
                stepping.set()
                assert not in_turn or go.wait(10)
                yield 0.5
        finally:
            freed.set()

    computation = Computation(holding(), Scheduler(workers=0))
    turn = threading.Thread(target=computation.take_turn)
    turn.start()
    if in_turn:
        assert stepping.wait(10)
    else:
        turn.join()
    computation.stop()
    assert freed.is_set() is not in_turn  # a piece under way is done to its end
    go.set()
    turn.join()
    assert freed.is_set()
    assert (computation.state, computation.fraction_done) == ("stopped", 0.5)


def test_what_it_needs_counts_until_it_ends_and_is_refused_where_it_does_not_fit() -> None:
    small = Scheduler(memory_bytes=1_000_000)
    first = Computation(endless(), small, 700_000)
    with pytest.raises(MemoryBudgetError, match="of the 1 MB"):
        Computation(endless(), small, 700_000)
    first.stop()
    assert Computation(pieces(3), small, 700_000).await_rest(10)
    small.close()
