"""Faults for a server under test: each begins when a file of its name appears in a folder, and ends with it. Runs inside the server."""

from __future__ import annotations

import errno
import functools
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FOLDER = "SWITCHES"
DEFECT = "a defect that a test switched on"
NOBODY = "http://127.0.0.1:9/"  # the port "discard", where nobody listens
ANSWER_SECONDS = 1.0  # that a mirror has
SHORT_PARKING_SECONDS = 2.0  # instead of the 15 that a closed page has; longer than a busy machine takes to come back
SHORT_IDLE_SECONDS = 0.2  # after which a worker without work ends
HOUR_SECONDS = 3600.0
FAULTY_SEED, HELD_SEED = 666, 777


def is_on(name: str) -> bool:
    return (Path(os.environ[FOLDER]) / name).exists()


def forget_once() -> None:
    """Between its start and the first use a server knows no data: come to that point again."""
    from mlp_core.data import fashion_mnist as data  # noqa: PLC0415

    if is_on("forget"):
        (Path(os.environ[FOLDER]) / "forget").unlink(missing_ok=True)  # another session of this moment may have been first
        data.forget()


def late_seconds() -> float:
    """How long a script takes before it asks for its jobs."""
    return float((Path(os.environ[FOLDER]) / "late").read_text()) if is_on("late") else 0.0


@functools.cache
def install() -> None:
    """Once a process: put every fault in its place."""
    from mlp_core.data import download  # noqa: PLC0415
    from mlp_core.data import fashion_mnist as data  # noqa: PLC0415
    from mlp_core.jobs import scheduled, scheduler  # noqa: PLC0415
    from mlp_core.training import run as training  # noqa: PLC0415
    from tests.support.idx_files import small_set  # noqa: PLC0415
    from tests.support.mirror import published  # noqa: PLC0415

    folder = Path(os.environ[FOLDER])
    scheduled.PARKED_SECONDS = SHORT_PARKING_SECONDS
    scheduler.IDLE_SECONDS = SHORT_IDLE_SECONDS
    data.DEBIAN_FOLDER = folder / "no-such-folder"
    download.MIRRORS = _Mirrors()
    download.PUBLISHED_GZ = published(small_set())
    download.ANSWER_SECONDS, download.RETRIES = ANSWER_SECONDS, 0
    shutil.move = _onto_a_full_disk(shutil.move)
    training.Run.advance = _broken(training.Run.advance)  # type: ignore[method-assign]
    real_time = time.time
    time.time = lambda: real_time() - HOUR_SECONDS * is_on("clock")


class _Mirrors:
    """The one mirror that there is at the moment."""

    def __iter__(self) -> Iterator[str]:
        yield (Path(os.environ[FOLDER]) / "mirror").read_text() if is_on("mirror") else NOBODY


def _onto_a_full_disk(move: Callable[..., Any]) -> Callable[..., Any]:
    def move_or_fail(*arguments: Any) -> Any:
        if is_on("full"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return move(*arguments)

    return move_or_fail


def _broken(advance: Callable[..., Any]) -> Callable[..., Any]:
    def advance_or_fail(run: Any, *arguments: Any, **options: Any) -> Any:
        if run.spec.seed == FAULTY_SEED and is_on("raise"):
            raise ZeroDivisionError(DEFECT)
        while run.spec.seed == HELD_SEED and is_on("hold"):
            time.sleep(0.01)
        return advance(run, *arguments, **options)

    return advance_or_fail
