"""Sessions against a running server while something breaks: who is hit reads why, nobody else notices, and nothing stays behind."""

from __future__ import annotations

import asyncio

import pytest

from tests.faults.conftest import LONG, Server, goes_on, play, train
from tests.load.student import Student
from tests.support.switches import FAULTY_SEED, HELD_SEED, SHORT_PARKING_SECONDS

TAB = "0123456789abcdef" * 2


def label(student: Student) -> str:
    """Of the main button: Train, Pause or Resume."""
    button = student.button("run_play")
    return "" if button is None else str(button.label)


def test_a_step_that_raises_ends_its_run_with_words_and_no_other(server: Server) -> None:
    async def scene() -> None:
        async with Student(server.url, "the one") as one, Student(server.url, "the other") as other:
            await asyncio.gather(train(one, f"{LONG}&seed={FAULTY_SEED}"), train(other))
            server.switch("raise")
            await one.until(lambda: "by a defect (ZeroDivisionError)" in one.text, "the reason")
            assert "the curves up to there are kept" in one.text
            assert one.steps > 0
            await one.until(lambda: label(one) == "Train", "the end")
            await goes_on(other)
            assert "sharing" not in other.progress, "the run that broke has left the line"
            server.switch("raise", on=False)
            await one.press("run_play")
            await goes_on(one)
            assert one.exceptions == []

    play(scene())


def test_a_lost_connection_comes_back_to_the_same_run(server: Server) -> None:
    async def scene() -> None:
        async with Student(server.url, "the one") as one, Student(server.url, "the other") as other:
            await asyncio.gather(train(one), train(other))
            session, before = one.session, one.steps
            for _ in range(3):
                await one.reconnect()
                await goes_on(one)
                await goes_on(other)
            assert (one.session, label(one)) == (session, "Pause")
            assert one.steps > before
            await one.press("run_stop")
            await one.until(lambda: label(one) == "Train", "the end")
            await goes_on(other)

    play(scene())


def test_who_comes_back_too_late_reads_what_became_of_the_run(server: Server) -> None:
    async def scene() -> None:
        async with Student(server.url, "the one") as one, Student(server.url, "the other") as other:
            await asyncio.gather(train(one), train(other))
            before = one.steps
            await one.close(politely=False)
            await asyncio.sleep(2 * SHORT_PARKING_SECONDS)
            await one.connect(one.session)
            await one.refresh()
            assert f"Given up at step {one.steps}" in one.text
            assert label(one) == "Train"
            assert one.steps >= before, "the curves up to there are kept"
            await one.press("run_play")
            await asyncio.gather(goes_on(one), goes_on(other))

    play(scene())


@pytest.mark.parametrize("named", ["before the run", "during the run"])
def test_a_refresh_finds_the_run_of_its_tab(server: Server, named: str) -> None:
    async def scene() -> None:
        async with Student(server.url, "before") as before:
            await train(before, tab=TAB if named == "before the run" else "")
            if named == "during the run":
                await before.name_tab(TAB)
            steps = before.steps
        async with Student(server.url, "after the refresh") as after:
            await after.open("train", LONG)
            assert after.steps == 0
            await after.name_tab(TAB)
            assert after.steps >= steps
            await goes_on(after)

    play(scene())


def test_a_duplicated_tab_takes_nothing_from_the_first(server: Server) -> None:
    """Both have one name, as where the browser did not tell them apart: they show one run until one of them begins another."""

    async def scene() -> None:
        async with Student(server.url, "first") as first:
            await train(first, tab=TAB)
            async with Student(server.url, "duplicate") as duplicate:
                await duplicate.open("train", LONG)
                await duplicate.name_tab(TAB)
                await goes_on(duplicate)
                await duplicate.press("run_reset")
                assert duplicate.steps == 0
                await goes_on(first)
                await train(duplicate, f"{LONG}&seed=5", tab=TAB)
                await goes_on(first)
                await goes_on(duplicate)
                assert "A new design is waiting" not in first.text
            await asyncio.sleep(2 * SHORT_PARKING_SECONDS)
            await goes_on(first)
            assert label(first) == "Pause"

    play(scene())


def test_a_clock_set_back_by_an_hour_disturbs_nobody(server: Server) -> None:
    async def scene() -> None:
        async with Student(server.url, "the one") as one, Student(server.url, "the latecomer") as late:
            await train(one)
            server.switch("clock")
            await goes_on(one)
            await train(late)
            await asyncio.gather(goes_on(one), goes_on(late))
            assert " left" in one.progress
            server.switch("clock", on=False)
            await one.reconnect()
            await asyncio.gather(goes_on(one), goes_on(late))

    play(scene())


@pytest.mark.parametrize("politely", [True, False], ids=["closed", "vanished"])
def test_who_leaves_in_the_first_step_while_queued_or_paused_leaves_nothing(server: Server, politely: bool) -> None:
    async def scene() -> None:
        async with Student(server.url, "the one who stays") as stays:
            await train(stays)
            paused, queued, first_step = leaving = [Student(server.url, name) for name in ("paused", "queued", "first step")]
            for student in leaving:
                await student.connect()
            await train(paused)
            await paused.press("run_play")
            assert label(paused) == "Resume"
            server.switch("hold")
            await train(first_step, f"{LONG}&seed={HELD_SEED}", begun=False)
            await train(queued, begun=False)
            await queued.until(lambda: "sharing this server with 2 other runs" in queued.progress, "company")
            assert "in line" in queued.progress
            assert (queued.steps, first_step.steps) == (0, 0)
            for student in leaving:
                await student.close(politely=politely)
            server.switch("hold", on=False)
            await goes_on(stays)
            await stays.until(lambda: "sharing" not in stays.progress, "being alone")
            await goes_on(stays)

    play(scene())


@pytest.mark.parametrize("seconds", [0.6, 3.0], ids=["while the session is still counted", "after that"])
def test_a_script_that_outlives_its_visit_holds_no_run(server: Server, seconds: float) -> None:
    """Streamlit cannot end a script in the middle of something long, and this one takes a run when nobody is there any more."""

    async def scene() -> None:
        async with Student(server.url) as student:
            await train(student)
            server.switch("late", content=str(seconds))
            late = asyncio.create_task(student.refresh())
            await asyncio.sleep(0.2)
            assert not late.done()
            late.cancel()
        await asyncio.sleep(2 * seconds)

    play(scene())
