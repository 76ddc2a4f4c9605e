"""Waiting for what other processes do, and making sure that none is left behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil  # type: ignore[import-untyped]

from tests.support.engine import PATIENCE_SECONDS


def until(happened: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> bool:
    """Wait until it has; returns whether it has within so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if happened():
            return True
        time.sleep(0.02)
    return happened()


def descendants(pid: int) -> list[psutil.Process]:
    """All processes that a process began, and those that they began."""
    return list(psutil.Process(pid).children(recursive=True))


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


@contextmanager
def nothing_left_of(process: psutil.Popen) -> Iterator[psutil.Popen]:
    """Kill it at the end, whatever happens, and what it began."""
    try:
        yield process
    finally:
        for one in (*descendants(process.pid), process) if process.is_running() else ():
            one.kill()
        process.wait()
