"""A server with faults on switches for every test of this folder, and a witness of what it holds."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from tests.bench.watching import fresh_server
from tests.load.student import Student
from tests.support import switches
from tests.support.browser.driving import project
from tests.support.idx_files import small_set, write_set

APP = Path(__file__).parent / "apps" / "faulty.py"
PATIENCE_SECONDS = 60.0
IMAGES = 12_000
LONG = "hidden=16&epochs=100&batch_size=8&pace=full"  # of 1,500 steps each: does not end while a test looks on


@dataclass(frozen=True, slots=True)
class Server:
    """The server under test. `data` is the folder of images that it was started with; `cache` is where it would put a download."""

    url: str
    process: psutil.Process
    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def cache(self) -> Path:
        return self.folder / "cache" / "mlp-playground"

    def switch(self, name: str, on: bool = True, content: str = "") -> None:
        path = self.folder / "switches" / name
        path.write_text(content) if on else path.unlink(missing_ok=True)

    def restore_data(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.copytree(self.folder / "whole", self.data)

    async def census(self, student: Student) -> tuple[list[str], int]:
        """Names of the threads that work for runs and data, and the bytes that runs hold."""
        await student.open("", "census=1")
        counted = json.loads(student.text)
        return counted["threads"], counted["bytes"]

    @property
    def log(self) -> str:
        return "".join(path.read_text() for path in self.folder.glob("*.log"))


@pytest.fixture(scope="session")
def running_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("faulty")
    for name in ("switches", "app", "cache"):
        (folder / name).mkdir()
    write_set(folder / "whole", small_set(train=IMAGES, test=200))
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:  # for the server alone: this process has its own data
            patch.setenv(switches.FOLDER, str(folder / "switches"))
            patch.setenv("MLP_DATA_DIR", str(folder / "data"))
            patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
            url, process = stack.enter_context(fresh_server(project(APP, folder / "app"), folder))
        yield Server(url, process, folder)


@pytest.fixture
def server(running_server: Server) -> Iterator[Server]:
    """Without any fault at first. Afterwards nothing may be left: no thread, no memory, and no traceback but expected ones."""
    before = running_server.log
    running_server.restore_data()
    running_server.switch("forget")
    yield running_server
    for switch in (running_server.folder / "switches").iterdir():
        switch.unlink()
    play(_emptied(running_server))
    assert running_server.log[len(before) :].count("Traceback") == running_server.log[len(before) :].count(switches.DEFECT)


def play(scene: Coroutine[Any, Any, None]) -> None:
    """Run a scene to its end, in a thread of its own: Playwright, once started, keeps a loop running in that of the tests."""
    with ThreadPoolExecutor(1) as stage:
        stage.submit(asyncio.run, scene).result()


async def _emptied(server: Server) -> None:
    async with Student(server.url, "the witness") as witness:
        held = await server.census(witness)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while held != ([], 0):
            assert time.monotonic() < deadline, f"all have left, and the server still holds {held}"
            await asyncio.sleep(0.2)
            held = await server.census(witness)


async def goes_on(student: Student, steps: int = 20) -> None:
    """The run on this student's screen comes so many steps further."""
    goal = student.steps + steps
    await student.until(lambda: student.steps >= goal, f"step {goal}")
    assert student.exceptions == []


async def train(student: Student, query: str = LONG, *, tab: str = "", begun: bool = True) -> None:
    """Open the training page in a tab of this name, and press Train."""
    await student.open("train", query)
    if tab:
        await student.name_tab(tab)
    assert "The link asks for something that cannot be" not in student.text
    await student.press("run_play")
    if begun:
        await student.until(lambda: student.steps > 0, "the first step")
