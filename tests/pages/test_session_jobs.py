"""A session's jobs: what is started under a name ends what was there, and a session that ends parks them all."""

from __future__ import annotations

from collections.abc import Generator

import pytest
import streamlit as st
from streamlit.runtime.caching.cache_resource_api import clear_session_cache

from mlp_core.data import load_sample
from mlp_core.jobs import Computation, TrainingJob
from mlp_core.jobs.scheduler import Scheduler
from mlp_core.spec import RunSpec, SpecError
from mlp_core.training import Run
from pages.ui import session
from pages.ui.session import JobGroup, Planned, SessionJobs, TitledJob
from tests.support.engine import until
from tests.support.pages.visit import SESSION, opened, press, visit
from tests.support.pages.visit import until as until_page


@pytest.fixture
def pairs(scheduler: Scheduler) -> list[JobGroup]:
    """Two pairs of jobs, all under way."""
    spec = RunSpec(hidden=(4,), epochs=100, train_size=256, device="cpu")
    pairs = [JobGroup(None, started=[TitledJob("", TrainingJob(Run(spec, load_sample()), scheduler)) for _ in range(2)]) for _ in range(2)]
    for job in (job for pair in pairs for job in pair.jobs):
        job.play()
    return pairs


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> SessionJobs:
    """Those of this test's session."""
    jobs = SessionJobs()
    monkeypatch.setattr(session, "jobs", lambda: jobs)
    return jobs


def test_what_is_held_under_a_name_ends_what_was_there(pairs: list[JobGroup]) -> None:
    jobs = SessionJobs()
    before, after = pairs
    jobs.hold("here", before)
    assert jobs.group("here") is before
    jobs.hold("here", after)
    assert jobs.group("here") is after
    until(lambda: all(job.ended for job in before.jobs))
    assert not any(job.ended for job in after.jobs)


def test_names_do_not_disturb_each_other(pairs: list[JobGroup]) -> None:
    jobs = SessionJobs()
    for name, pair in zip("ab", pairs, strict=True):
        jobs.hold(name, pair)
    jobs.give_up("a")
    assert (jobs.group("a"), jobs.group("b")) == (None, pairs[1])
    until(lambda: all(job.ended for job in pairs[0].jobs))
    assert not any(job.ended for job in pairs[1].jobs)
    jobs.give_up("nothing")


def test_a_session_that_ends_parks_all_its_jobs(pairs: list[JobGroup]) -> None:
    jobs = SessionJobs()
    for name, pair in zip("ab", pairs, strict=True):
        jobs.hold(name, pair)
    jobs.release()
    assert all(job.parked and not job.ended for pair in pairs for job in pair.jobs)
    assert jobs.group("a") is None


def test_shared_work_ends_when_the_last_session_leaves_it(scheduler: Scheduler) -> None:
    def endless() -> Generator[float, None, None]:
        while True:
            yield 0.5

    work, other = Computation(endless(), scheduler), Computation(endless(), scheduler)
    first, second = SessionJobs(), SessionJobs()
    for jobs in (first, second):
        jobs.share("here", work)
    first.leave("here")
    assert not first.lifetimes()
    second.park()
    second.claim()
    assert work.moving
    second.share("here", other)  # in its place
    assert work.await_rest(10)
    assert other.moving
    second.release()
    assert other.parked


def test_a_job_that_another_session_shows_neither_parks_nor_ends(pairs: list[JobGroup]) -> None:
    mine, other = SessionJobs(), SessionJobs()
    for name, pair in zip("ab", pairs, strict=True):
        mine.hold(name, pair)
        other.hold(name, pair)
    mine.give_up("b")
    mine.release()
    assert not any(job.parked or job.ended for pair in pairs for job in pair.jobs)


def _refuse() -> Run:
    raise SpecError("batch_size", "must be smaller", 7)


def test_what_cannot_be_started_ends_its_group_with_a_message(jobs: SessionJobs) -> None:
    session.start_group("here", "key", [Planned("a", _refuse), Planned("b", _refuse)])
    group = jobs.group("here")
    assert group is not None
    assert str(group.error) == "batch_size: must be smaller, got 7"
    assert not group.moving


def test_of_runs_that_begin_together_all_are_started_or_none(jobs: SessionJobs) -> None:
    made = Run(RunSpec(hidden=(4,), train_size=256, device="cpu"), load_sample())
    session.start_group("here", "key", [Planned("a", lambda: made), Planned("b", _refuse)], at_once=2)
    group = jobs.group("here")
    assert group is not None
    assert not group.started
    assert group.error is not None
    until(lambda: made.finished)


def test_emptied_caches_take_no_work_from_a_session_that_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_goes_on", lambda _: True)
    with visit("pages/train.py") as page:
        press(opened(page, hidden="8", train_size="500", epochs="100", batch_size="1"), "run_play")
        job, scheduler = page.session_state["_job"], session.engine()[0]
        until_page(page, lambda _: job.run.step > 3)
        st.cache_resource.clear()
        st.cache_data.clear()
        step = job.run.step
        until_page(page, lambda _: job.run.step > step)
        assert page.session_state["_job"] is job
        assert session.engine()[0] is scheduler
        assert job.lifetime.ends is None
        assert job.state == "playing"
        assert any(mine.job(session.TAB_JOB) is job for mine in session._sessions.values())
        monkeypatch.undo()
        clear_session_cache(SESSION)  # as Streamlit does when the session ends
        assert job.lifetime.ends is not None
        assert not any(mine.job(session.TAB_JOB) is job for mine in session._sessions.values())
