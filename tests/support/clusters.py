"""A Dask cluster on the loopback, which a test may break."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from tests.support.architecture import ROOT
from tests.support.processes import nothing_left_of, until


@dataclass
class Cluster:
    """A scheduler and two workers, each a process with one thread."""

    address: str
    scheduler: psutil.Popen
    workers: list[psutil.Popen]


@contextmanager
def cluster_of_two(folder: Path) -> Iterator[Cluster]:
    """Begun in `folder`, and ended with the context. The workers join some seconds later."""
    file, surroundings = folder / "scheduler.json", os.environ | {"PYTHONPATH": str(ROOT)}

    def begun(*command: str) -> psutil.Popen:
        command = (sys.executable, "-m", "dask", *command, "--host", "127.0.0.1", "--no-dashboard")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return stack.enter_context(nothing_left_of(psutil.Popen(command, cwd=folder, env=surroundings, **quiet)))

    with ExitStack() as stack:
        scheduler = begun("scheduler", "--port", "0", "--scheduler-file", str(file))
        assert until(lambda: file.exists() and file.read_text().endswith("}"))
        address = json.loads(file.read_text())["address"]
        alone = ("--nthreads", "1", "--no-nanny", "--memory-limit", "2GB")
        workers = [begun("worker", address, *alone, "--local-directory", str(folder / name)) for name in "ab"]
        yield Cluster(address, scheduler, workers)
