"""A page's bench of jobs: what takes a place ends what was there, and a session that ends parks them all."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from mlp_core.data import load_sample
from mlp_core.jobs import TrainingJob
from mlp_core.jobs.scheduler import Scheduler
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from pages.ui.page_jobs import Bench
from tests.support.engine import until


@dataclass(frozen=True)
class Pair:
    jobs: tuple[TrainingJob, ...]


@pytest.fixture
def pairs(scheduler: Scheduler) -> list[Pair]:
    """Two pairs of jobs, all under way."""
    spec = RunSpec(hidden=(4,), epochs=100, train_size=256, device="cpu")
    pairs = [Pair(tuple(TrainingJob(Run(spec, load_sample()), scheduler) for _ in range(2))) for _ in range(2)]
    for job in (job for pair in pairs for job in pair.jobs):
        job.play()
    return pairs


def test_what_takes_a_place_ends_what_was_there(pairs: list[Pair]) -> None:
    bench: Bench[Pair] = Bench()
    before, after = pairs
    bench.put("here", before)
    assert bench["here"] is before
    bench.put("here", after)
    assert bench["here"] is after
    until(lambda: all(job.ended for job in before.jobs))
    assert not any(job.ended for job in after.jobs)


def test_places_do_not_disturb_each_other(pairs: list[Pair]) -> None:
    bench: Bench[Pair] = Bench()
    for place, pair in zip("ab", pairs, strict=True):
        bench.put(place, pair)
    bench.clear("a")
    assert (bench["a"], bench["b"]) == (None, pairs[1])
    until(lambda: all(job.ended for job in pairs[0].jobs))
    assert not any(job.ended for job in pairs[1].jobs)
    bench.clear("nowhere")


def test_a_session_that_ends_parks_all_its_jobs(pairs: list[Pair]) -> None:
    bench: Bench[Pair] = Bench()
    for place, pair in zip("ab", pairs, strict=True):
        bench.put(place, pair)
    bench.release()
    assert all(job.parked and not job.ended for pair in pairs for job in pair.jobs)
    assert bench["a"] is None


def test_a_job_that_another_session_shows_is_not_parked(pairs: list[Pair]) -> None:
    mine: Bench[Pair] = Bench()
    other: Bench[Pair] = Bench()
    mine.put("here", pairs[0])
    other.put("here", pairs[0])
    mine.release()
    assert not any(job.parked for job in pairs[0].jobs)
