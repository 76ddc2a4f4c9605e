"""Sweeps under way: one a plan and data set for all visitors of the process, each with its file, trained in turns with everybody's runs or
by a cluster.

What is finished is kept in a file of the folder that the environment variable `MLP_SWEEPS` names, where it outlives the server; without
one, in a folder that ends with the process. The oldest files go, so that no visitor can fill a disk.
"""

import atexit
import functools
import hashlib
import logging
import os
import tempfile
import threading
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

from mlp_core.data import Dataset
from mlp_core.jobs import Computation, Scheduler
from mlp_core.jobs.scheduled import Job
from mlp_core.sweep.carry_out import Progress, Remaining, carry_out, pieces
from mlp_core.sweep.executors import dask_executor, name_of
from mlp_core.sweep.plan import Plan, Task, most_bytes
from mlp_core.sweep.store import Store, StoreError
from mlp_core.words import Message

FOLDER, CLUSTER = "MLP_SWEEPS", "MLP_DASK"  # environment variables
WAL = "-wal"  # what the name of a file's log has after the file's own
MOST_FILES = 200  # in the folder, of all visitors; each has a few megabytes at the most
MOST_OPEN = 50  # sweeps of the process that are at hand without their file being read anew

_log = logging.getLogger(__name__)
_lock = threading.RLock()
_sweeps: dict[Path, "Sweep"] = {}  # the one used last at the end


class Sweep:
    """A plan that is carried out, or was, or will be; for all visitors.

    Attributes:
        store: what is finished.
        job: what trains it, or did last; None before it was first begun.
        error: why the last go ended before its end, as a sentence; empty where nothing was wrong.
        lost: whether that was the cluster's fault.
    """

    def __init__(self, store: Store, data: Dataset) -> None:
        self.store, self.plan, self.data = store, store.plan, data
        self.job: Computation[None] | OnCluster | None = None
        self.error, self.lost = "", False
        self._remaining: Remaining | None = None  # of a go that is trained here

    @property
    def moving(self) -> bool:
        return self.job is not None and self.job.state == "playing"

    @property
    def finished(self) -> bool:
        return not self.moving and len(self.store.done()) >= self.plan.runs

    @property
    def progress(self) -> Progress | None:
        """Of the go under way; None before it has begun to work."""
        if isinstance(self.job, OnCluster):
            return self.job.progress
        return self._remaining.progress() if self._remaining is not None else None

    def go_on(self, scheduler: Scheduler, cluster: str = "") -> None:
        """Train what is not there yet.

        Args:
            cluster: the address of a Dask scheduler; without one it is done here, in turns.

        Raises:
            MemoryBudgetError: the scheduler has no room for its networks.
        """
        with _lock:
            if self.moving:
                return
            self.error, self.lost, self._remaining = "", False, None
            if cluster:
                self.job = OnCluster(self, scheduler, cluster)
            else:
                self.job = Computation(self._pieces(), scheduler, most_bytes(self.plan))

    def _pieces(self) -> Generator[float, None, None]:
        """Train everything here, a step at a time."""
        try:
            remaining = self._remaining = Remaining(self.plan, self.store, len(self.data.train_labels), len(self.data.test_labels))
            for rung in range(len(self.plan.rungs)):
                for task in remaining.of_round(rung):
                    yield from self._task(task, remaining)
        except StoreError as error:
            self.error = error.args[0]

    def _task(self, task: Task, remaining: Remaining) -> Generator[float, None, None]:
        seconds, work = remaining.seconds(task), pieces(task, self.data)
        while True:
            try:
                remaining.under_way = seconds * next(work)
            except StopIteration as end:
                self.store.add(task, end.value)
                remaining.finish(task)
                yield remaining.fraction
                return
            yield remaining.fraction


class OnCluster(Job):
    """A sweep that a cluster carries out: it wants no turns here, and ends as other jobs do when nobody holds it.

    Args:
        sweep: which one.
        scheduler: of this process, which looks after it.
        address: of the cluster's.

    Attributes:
        progress: the cluster's last; None before its first.
    """

    def __init__(self, sweep: Sweep, scheduler: Scheduler, address: str) -> None:
        super().__init__(scheduler)
        self.state = "playing"
        self.progress: Progress | None = None
        self._sweep, self._address, self._stop = sweep, address, threading.Event()
        threading.Thread(target=self._carry_out, name="sweep", daemon=True).start()

    @property
    def moving(self) -> bool:
        return False

    def stop(self) -> None:
        """End for good; what the cluster is working on is lost."""
        self._stop.set()
        if self.state == "playing":
            self.state = "stopped"

    def expire(self) -> bool:
        if self.lifetime.over():
            self.stop()
        return False

    def take_turn(self) -> None:
        raise AssertionError("it wants none")

    def _carry_out(self) -> None:
        ended = "finished"
        try:
            with dask_executor(self._address, self._sweep.data) as executor:
                carry_out(self._sweep.plan, self._sweep.store, executor, self._note, self._stop)
        except Exception as error:
            _log.warning("A sweep on the cluster at %s ended: %s", self._address, error)
            ended = "failed"
            if self.state == "playing":  # else it was stopped, and another go may have begun
                words = error.args[0] if error.args and isinstance(error.args[0], Message) else str(error)
                self._sweep.error, self._sweep.lost = words, not isinstance(error, StoreError)
        if self.state == "playing":
            self.state = ended

    def _note(self, progress: Progress) -> None:
        self.progress = progress


def sweep_of(plan: Plan, data: Dataset) -> Sweep | None:
    """The sweep of this plan on these data, if it was ever begun and its file is still there."""
    path = _path(plan, data)
    with _lock:
        if (sweep := _sweeps.pop(path, None)) is None:
            if not path.is_file():
                return None
            sweep = Sweep(Store.open(path, plan), data)
        _sweeps[path] = sweep
        for other in [path for path, one in _sweeps.items() if not one.moving][: max(0, len(_sweeps) - MOST_OPEN)]:
            _sweeps.pop(other)
        return sweep


def new_sweep(plan: Plan, data: Dataset) -> Sweep:
    """The same, with a new file where there is none.

    Raises:
        StoreError: it cannot be written.
    """
    with _lock:
        if (sweep := sweep_of(plan, data)) is not None:
            return sweep
        _make_room()
        path = _path(plan, data)
        Store.create(path, plan).close()
        sweep = sweep_of(plan, data)
        assert sweep is not None
        return sweep


def sweep_with(job: Job) -> Sweep | None:
    """The sweep that a job trains."""
    return next((sweep for sweep in tuple(_sweeps.values()) if sweep.job is job), None)


def cluster() -> str:
    """The address of the cluster that the page's sweeps go to; empty where they are trained here."""
    return os.environ.get(CLUSTER, "").strip()


def _path(plan: Plan, data: Dataset) -> Path:
    name = hashlib.sha256(f"{plan.to_json()} {name_of(data)}".encode()).hexdigest()[:24]
    return _folder() / f"sweep-{name}.sqlite"


def _folder() -> Path:
    if not (named := os.environ.get(FOLDER, "").strip()):
        return _private_folder()
    folder = Path(named)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(folder, Message("cannot be read or written ({why})", why=str(error))) from error
    return folder


@functools.cache
def _private_folder() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="mlp-sweeps-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


def _make_room() -> None:
    """Remove the files that were written to longest ago, where there are too many; none of a sweep that goes on.

    Who shows such a sweep has it open, and can read it on.
    """
    files = sorted(_folder().glob("sweep-*.sqlite"), key=_written)
    for path in files[: max(0, len(files) - MOST_FILES + 1)]:
        if (sweep := _sweeps.get(path)) is None or not sweep.moving:
            _sweeps.pop(path, None)
            for end in ("", WAL, "-shm"):
                Path(f"{path}{end}").unlink(missing_ok=True)


def _written(path: Path) -> float:
    """When a file was written to last: what another server adds to it goes into its log first."""
    times = [0.0]
    for one in (path, Path(f"{path}{WAL}")):
        with suppress(FileNotFoundError):
            times.append(one.stat().st_mtime)
    return max(times)
