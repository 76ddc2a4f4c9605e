"""Ten minutes of random actions in several sessions against one server: nothing may break, and nothing may grow.

python -m tests.load.soak [--minutes 10] [--sessions 4] [--seed 0]

Ends with status 1 if a page showed a box with an exception, the server's log holds a traceback, or memory grew.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from mlp_core.jobs.scheduled import PARKED_SECONDS
from pages.ui.navigation import PAGES
from tests.bench.watching import fresh_server
from tests.load.monkey import Monkey
from tests.load.student import Student

APP = Path(__file__).parents[2] / "app.py"
MEGABYTE = 1e6
WARM_UP_FRACTION = 0.3  # of the time: imports, caches, the allocator's own reserves
GROWTH_FRACTION = 0.10  # after that
REST_SECONDS = 2 * PARKED_SECONDS  # after all have left: runs have been given up and their memory given back
SESSION_SECONDS = 10  # for which the server under test keeps a session that was closed, instead of minutes: at rest it shall hold none
PAUSE_SECONDS = 0.2  # between two actions of a session
ACTIONS_A_TAB = 60  # then it is closed, and another opened


async def soak(url: str, server: psutil.Process, minutes: float, sessions: int, seed: int) -> tuple[list[int], list[str]]:
    """Resident bytes at rest after the warm-up and at the end, and what went wrong."""
    memory, problems = list[int](), list[str]()

    async def visitor(number: int, until: float) -> None:
        tab = 0
        while time.monotonic() < until:
            tab += 1
            async with Student(url, f"session {number}, tab {tab}") as student:
                monkey = Monkey(student, tuple(stem for stem, _, _ in PAGES), seed + 1000 * number + tab)
                await student.open("train")
                for _ in range(ACTIONS_A_TAB):
                    if time.monotonic() > until:
                        break
                    try:
                        await monkey.act()
                    except Exception as error:
                        problems.append(f"{student.name}: {type(error).__name__}: {error}; before: {monkey.done[-5:]}")
                        break
                    if student.exceptions:
                        problems.append(f"{student.name}: {student.exceptions.pop()}; after: {monkey.done[-5:]}")
                    await asyncio.sleep(PAUSE_SECONDS)

    for phase, fraction in enumerate((WARM_UP_FRACTION, 1 - WARM_UP_FRACTION)):
        until = time.monotonic() + 60 * minutes * fraction
        await asyncio.gather(*(visitor(100 * phase + number, until) for number in range(1, sessions + 1)))
        await asyncio.sleep(REST_SECONDS)
        memory.append(server.memory_info().rss)
    return memory, problems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--sessions", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    os.environ["STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL"] = str(SESSION_SECONDS)
    with tempfile.TemporaryDirectory() as folder, fresh_server(APP, Path(folder)) as (url, server):
        memory, problems = asyncio.run(soak(url, server, options.minutes, options.sessions, options.seed))
        log = "".join(path.read_text() for path in Path(folder).glob("*.log"))
    early, late = (size / MEGABYTE for size in memory)
    grown = late / early - 1
    print(
        f"{options.sessions} sessions, {options.minutes:g} min; memory when all had left: {early:,.0f} MB after the warm-up, "
        f"{late:,.0f} MB at the end ({100 * grown:+.0f} %)"
    )
    print(f"{len(problems)} problems on pages; {log.count('Traceback')} tracebacks in the log")
    for problem in problems[:10]:
        print("  ", problem)
    if "Traceback" in log:
        print(log[log.index("Traceback") - 200 :][:4000])
    sys.exit(bool(problems or "Traceback" in log or grown > GROWTH_FRACTION))


if __name__ == "__main__":
    main()
