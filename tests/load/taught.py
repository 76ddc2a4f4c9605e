"""A class in a lesson: students who join by a code, bet, train and follow their teacher. Measures; asserts nothing.

The app is a copy with a lesson of its own, whose training goes on for longer than it is measured.
"""

from __future__ import annotations

import asyncio
import random
import re
import shutil
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs

import psutil  # type: ignore[import-untyped]
from streamlit.proto.WidgetStates_pb2 import WidgetState

from tests.load.classroom import ARRIVAL_SECONDS, Lesson, leave, undisturbed, warm_up
from tests.load.student import ANSWER_SECONDS, Student

ROOT = Path(__file__).parents[2]
LESSON = Path(__file__).with_name("lesson.toml")
BETTING_SECONDS = 10.0  # within which all of them bet
LOOK_SECONDS = 0.01  # between two looks at the teacher's screen
COUNTS = re.compile(r": (\d+)(?: and then \d+)*(?:;|$)")  # of the first vote, in the words of the chart


@dataclass(slots=True)
class Taught:
    """What was measured, in seconds.

    Args:
        training: what is measured of a class that only trains.
        joined: from the address of the class to its question on a student's page.
        bets, busy_bets: from a press on Bet to the bar on the teacher's screen; while nobody trains, and while all do.
        followed: from the teacher's press on Reveal or Next to what a student's page shows then.
    """

    training: Lesson
    joined: list[float] = field(default_factory=list)
    bets: list[float] = field(default_factory=list)
    busy_bets: list[float] = field(default_factory=list)
    followed: list[float] = field(default_factory=list)
    class_delays: list[float] = field(default_factory=list)


def with_own_lesson(folder: Path) -> Path:
    """A copy of the app with the lesson of this scenario: its entry point."""
    for name in ("pages", "mlp_core", "static", ".streamlit"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "lessons").mkdir()
    shutil.copy(LESSON, folder / "lessons" / "load.toml")
    return Path(shutil.copy(ROOT / "app.py", folder))


async def taught_lesson(url: str, server: psutil.Process, students: int, seconds: float, say: Callable[[str], None]) -> Taught:
    """Hold a lesson: all join, bet, train undisturbed for so many seconds, go on to the next step, and bet while they train."""
    measured = Taught(Lesson(students, 1))
    await warm_up({url: server}, measured.training)  # or whose step is the first of the process is charged for all that it imports
    async with AsyncExitStack() as stack:
        teacher = await stack.enter_async_context(Student(url, "the teacher"))
        code = await _opened(teacher)
        say(f"{students} students join")
        room = [Student(url, f"student {number}") for number in range(1, students + 1)]
        await asyncio.gather(*(_join(student, code, place * ARRIVAL_SECONDS / students, measured) for place, student in enumerate(room)))
        say("all bet")
        measured.bets = await _bet(teacher, room, 1)
        measured.followed += await _followed(teacher, "class_reveal", room, "_run")
        await asyncio.gather(*(student.press(_key(student, "button", "_run")) for student in room))
        await asyncio.gather(*(student.until(lambda student=student: student.steps > 0, "the first step") for student in room))  # type: ignore[misc]
        say("all train")
        await undisturbed(room, seconds, measured.training)
        measured.training.note("all train", {url: server})
        say("all go on, and bet while they train")
        measured.followed += await _followed(teacher, "lesson_next", room, "_bet", "radio")
        measured.busy_bets = await _bet(teacher, room, 2)
        say("all leave")
        await leave(room)
        for student in (*room, teacher):
            measured.training.exceptions += student.exceptions
            measured.training.click_delays += student.delays["click"]
            measured.class_delays += student.delays["class"]
    return measured


async def _opened(teacher: Student) -> str:
    """The code of a new class."""
    await teacher.open("lesson", "name=load")
    await teacher.name_tab("f" * 32, browser=_secret())
    await teacher.press("teach")
    return parse_qs(teacher.query)["class"][0]


async def _join(student: Student, code: str, delay: float, measured: Taught) -> None:
    await asyncio.sleep(delay)
    started = time.perf_counter()
    await student.connect()
    await student.open("lesson", f"class={code}")
    await student.name_tab(_secret(), browser=_secret())
    await student.until(lambda: student.element("radio") is not None, "the question")
    measured.joined.append(time.perf_counter() - started)


async def _bet(teacher: Student, room: list[Student], step: int) -> list[float]:
    """Seconds from each bet to the moment when the teacher's screen shows as many."""
    await teacher.switch_on(f"class_bets_{step}_1")
    pressed, shown = list[float](), list[float]()

    async def bet(student: Student) -> None:
        await asyncio.sleep(random.uniform(0, BETTING_SECONDS))
        key = _key(student, "radio", "_bet")
        radio = student.element("radio")
        assert radio is not None
        await student.send(WidgetState(id=radio.id, string_value=random.choice(radio.options)))
        pressed.append(time.perf_counter())
        await student.press(key.removesuffix("_bet") + "_place")

    async def watch() -> None:
        while len(shown) < len(room):
            await asyncio.sleep(LOOK_SECONDS)
            count = sum(int(count) for count in COUNTS.findall(teacher.seen("class_votes")))
            shown.extend([time.perf_counter()] * (count - len(shown)))

    async with asyncio.timeout(BETTING_SECONDS + ANSWER_SECONDS):
        await asyncio.gather(watch(), *map(bet, room))
    return [late - early for early, late in zip(pressed, shown, strict=True)]


async def _followed(teacher: Student, button: str, room: list[Student], key: str, kind: str = "button") -> list[float]:
    """Seconds from the teacher's press on a button to a student's page that has an element whose key ends so."""
    started = time.perf_counter()

    async def follow(student: Student) -> float:
        await student.until(lambda: _key(student, kind, key) != "", "what the teacher shows")
        return time.perf_counter() - started

    _, *seconds = await asyncio.gather(teacher.press(button), *map(follow, room))
    return seconds  # type: ignore[return-value]


def _key(student: Student, kind: str, end: str) -> str:
    """The key of the first enabled element of a kind whose key ends so; nothing where there is none."""
    keys = (element.id.split("-", 2)[-1] for found, element in student.controls if found == kind)
    return next((key for key in keys if key.endswith(end)), "")


def _secret() -> str:
    return f"{random.getrandbits(128):032x}"
