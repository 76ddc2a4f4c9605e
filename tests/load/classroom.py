"""A lesson: students who come, train, look, pause, wander, stop and leave, against one server. Measures; asserts nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from itertools import pairwise

import psutil  # type: ignore[import-untyped]

from tests.load.student import Student

DESIGN = "epochs=100&pace=full"  # d2l's network, for longer than a lesson
SWEEP = "epochs=15&train_size=60000&seeds=5"  # 30 runs, as many images as the page allows, for longer than a lesson
OTHER_PAGES = ("activations", "nonlinearity", "stability", "start")
ARRIVAL_SECONDS = 10.0  # within which all of them come; "in the same minute", and then some
WANDERERS = 6
LOOK_SECONDS = 0.05  # between two looks at what a page says
LEAVING_SECONDS = 60.0  # after the last one left, at most: jobs are parked for 15 s
MEGABYTE = 1e6

Servers = Mapping[str, psutil.Process]  # by their addresses


@dataclass(slots=True)
class Lesson:
    """What was measured. Delays in seconds, memory in bytes; `rates` in images/s by student, over `seconds` of undisturbed training."""

    students: int
    servers: int
    seconds: float = 0.0
    rates: list[float] = field(default_factory=list)
    page_delays: list[float] = field(default_factory=list)
    busy_page_delays: list[float] = field(default_factory=list)
    tick_delays: list[float] = field(default_factory=list)
    intervals: list[float] = field(default_factory=list)  # between two updates of a page, seconds
    update_bytes: float = 0.0
    update_messages: float = 0.0
    click_delays: list[float] = field(default_factory=list)
    stop_delays: list[float] = field(default_factory=list)
    memory: dict[str, int] = field(default_factory=dict)
    threads: dict[str, int] = field(default_factory=dict)
    exceptions: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    @property
    def images_per_second(self) -> float:
        return sum(self.rates)

    @property
    def slowest_share(self) -> float:
        """What the slowest student gets, as a fraction of an equal share."""
        return min(self.rates) * len(self.rates) / sum(self.rates)

    def note(self, when: str, servers: Servers) -> None:
        self.memory[when] = sum(process.memory_info().rss for process in servers.values())
        self.threads[when] = sum(process.num_threads() for process in servers.values())


async def lesson(servers: Servers, students: int, seconds: float, say: Callable[[str], None]) -> Lesson:
    """Hold a lesson of about 90 s and `seconds` of undisturbed training. Each student stays with one server, as behind a load balancer
    with session affinity.
    """
    measured = Lesson(students, len(servers))
    measured.note("after start", servers)
    await warm_up(servers, measured)
    await _emptied(servers, measured, "before the lesson")
    room = await _trained(servers, students, seconds, measured, say)
    say("some pause, some wander")
    await asyncio.gather(*(_pause_and_resume(student) for student in room[WANDERERS::3]), *(_wander(s, measured) for s in room[:WANDERERS]))
    await _ended(room, measured, say)
    await _emptied(servers, measured)
    return measured


async def short_lesson(servers: Servers, students: int, seconds: float, say: Callable[[str], None]) -> Lesson:
    """Students who come, train, stop and leave: what is needed to compare two versions of the app."""
    measured = Lesson(students, len(servers))
    await _ended(await _trained(servers, students, seconds, measured, say), measured, say)
    return measured


async def lesson_beside_a_sweep(servers: Servers, students: int, seconds: float, say: Callable[[str], None]) -> Lesson:
    """As `short_lesson`, while one more visitor has a sweep going: the rates are those of the students alone."""
    measured = Lesson(students, len(servers))
    async with Student(next(iter(servers)), "who sweeps") as sweeper:
        await sweeper.open("sweep", SWEEP)
        await sweeper.press("sweep_start")
        await _ended(await _trained(servers, students, seconds, measured, say), measured, say)
        if (stop := sweeper.button("sweep_stop")) is None or stop.disabled:
            measured.exceptions.append("the sweep did not last as long as the lesson")
        measured.exceptions += sweeper.exceptions
    return measured


async def _trained(servers: Servers, students: int, seconds: float, measured: Lesson, say: Callable[[str], None]) -> list[Student]:
    """A room of students who have come and trained undisturbed for so many seconds."""
    say(f"{students} students come")
    urls = list(servers)
    room = [Student(urls[number % len(urls)], f"student {number}") for number in range(1, students + 1)]
    await asyncio.gather(*(_arrive(student, number * ARRIVAL_SECONDS / students, measured) for number, student in enumerate(room)))
    await asyncio.gather(*(student.until(lambda student=student: student.steps > 0, "the first step") for student in room))  # type: ignore[misc]
    say("all train")
    await undisturbed(room, seconds, measured)
    measured.note("all train", servers)
    return room


async def _ended(room: list[Student], measured: Lesson, say: Callable[[str], None]) -> None:
    say("all stop")
    for student in room:
        await _stop(student, measured)
    say("all leave")
    await leave(room)
    for student in room:
        measured.click_delays += student.delays["click"]
        measured.exceptions += student.exceptions


async def warm_up(servers: Servers, measured: Lesson) -> None:
    """One student alone on each server: imports, data, caches. What stays when they have left is what the servers weigh."""
    async with AsyncExitStack() as stack:
        first = [await stack.enter_async_context(Student(url, "the first")) for url in servers]
        for student in first:
            await student.open("start")
        measured.note("start page", servers)
        await asyncio.gather(*map(_try_all, first))
        measured.note("one trains", servers)


async def _try_all(student: Student) -> None:
    """A short run, the other pages, and a run that goes on."""
    await student.open("train", "epochs=1&train_size=2000&pace=full")
    await student.press("run_play")
    await student.until(lambda: (button := student.button("run_play")) is not None and button.label == "Train", "the first run's end")
    for page in OTHER_PAGES:
        await student.open(page)
    await student.open("train", DESIGN)
    await student.press("run_play")
    await student.until(lambda: student.steps > 300, "some training")


async def _arrive(student: Student, delay: float, measured: Lesson) -> None:
    await asyncio.sleep(delay)
    await student.connect()
    await student.open("train", DESIGN)
    measured.page_delays += student.delays["page"]
    await student.press("run_play")


async def undisturbed(room: list[Student], seconds: float, measured: Lesson) -> None:
    started = time.perf_counter()
    sent_bytes, messages = _sent(room)
    for student in room:
        student.delays["tick"].clear()
        student.updates.clear()
    measured.rates = await asyncio.gather(*(_images_per_second(student, seconds) for student in room))
    measured.seconds = time.perf_counter() - started
    measured.tick_delays = [delay for student in room for delay in student.delays["tick"]]
    measured.intervals = [later - earlier for student in room for earlier, later in pairwise(student.updates)]
    updates = sum(len(student.updates) for student in room) or 1
    measured.update_bytes, measured.update_messages = (
        (after - before) / updates for before, after in zip((sent_bytes, messages), _sent(room), strict=True)
    )


def _sent(room: list[Student]) -> tuple[int, int]:
    """Bytes and messages that have come to all of them."""
    return sum(student.sent_bytes for student in room), sum(student.messages for student in room)


async def _images_per_second(student: Student, seconds: float) -> float:
    """From the first tick in this time to the last: in a crowd ticks are seconds apart, and between them a page tells nothing new."""
    seen, end = [(time.perf_counter(), student.steps)], time.perf_counter() + seconds
    while time.perf_counter() < end:
        await asyncio.sleep(LOOK_SECONDS)
        if student.steps != seen[-1][1]:
            seen.append((time.perf_counter(), student.steps))
    (first, steps_before), (last, steps) = seen[min(1, len(seen) - 1)], seen[-1]
    return 256 * (steps - steps_before) / (last - first) if last > first else 0.0


async def _pause_and_resume(student: Student) -> None:
    await student.press("run_play")
    await asyncio.sleep(1)
    await student.press("run_play")


async def _wander(student: Student, measured: Lesson) -> None:
    """Other pages and back: the run is still there, and further on."""
    before = student.steps
    student.delays["page"].clear()
    for page in OTHER_PAGES:
        await student.open(page)
    await student.open("train")
    await student.until(lambda: student.steps > before, "the run, further on")
    measured.busy_page_delays += student.delays["page"]


async def _stop(student: Student, measured: Lesson) -> None:
    """Seconds from the press until the page shows a run at rest."""
    started = time.perf_counter()
    with suppress(LookupError):
        await student.press("run_stop")
        await student.until(lambda: (button := student.button("run_stop")) is None or button.disabled, "the run's end")
        measured.stop_delays.append(time.perf_counter() - started)


async def leave(room: list[Student]) -> None:
    """Every second one closes the tab; the others vanish."""
    for number, student in enumerate(room):
        await student.close(politely=number % 2 == 0)


async def _emptied(servers: Servers, measured: Lesson, when: str = "all have left") -> None:
    """Wait until the server has given back what it will."""
    deadline = time.monotonic() + LEAVING_SECONDS
    await asyncio.sleep(20)  # jobs are parked for 15 s
    while time.monotonic() < deadline:
        measured.note(when, servers)
        if when in ("before the lesson",) or measured.threads[when] <= measured.threads["before the lesson"]:
            return
        await asyncio.sleep(1)
