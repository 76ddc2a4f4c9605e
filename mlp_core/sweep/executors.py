"""Who trains the tasks of a sweep: processes of this machine that share one copy of the data, or the workers of a Dask cluster.

Both are executors that hand every function, as its last argument, the data set that its worker has. Nothing here reads what comes from
outside. But Dask moves Python objects as pickles between client, scheduler and workers, and whoever reaches one of these can run code on
all of them: a cluster is to be trusted, and closed to everybody else.
"""

from __future__ import annotations

import functools
import hashlib
import multiprocessing
import os
import shutil
import signal
import threading
import time
from abc import abstractmethod
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import torch
from torch import Tensor

from mlp_core.data import DataError, Dataset, load_fashion_mnist, load_sample
from mlp_core.words import Message

Result = TypeVar("Result")

COLUMNS = ("train_labels", "test_labels", "train_images", "test_images")  # int64 before uint8, so that each begins where it may
SHARED_FOLDER = Path("/dev/shm")  # of Linux; a container's may be small, and writing beyond it ends the process without a word
ENGINE = "mlp_core.sweep.carry_out"  # what a worker needs, loaded once and shared by all of this machine's
MOST_WAITING = 1000  # threads that wait for a cluster, each for one task
CONNECT_SECONDS = 10
LOST_SECONDS = 5  # for which a scheduler may be out of reach
LOOK_SECONDS = 0.5  # between two looks whether it is


class ExecutorLostError(BrokenExecutor):
    """There is nobody any more who could train. `str()` is a sentence."""


class DataMissingError(Exception):
    """A worker has not the data set that a task needs.

    Args:
        worker: its address.
    """

    def __init__(self, worker: str) -> None:
        self.worker = worker
        super().__init__(worker)


@functools.lru_cache(2)
def name_of(data: Dataset) -> str:
    """How many images a data set has, and the first digits of the SHA-256 of all it holds: "60000 images 1f2e3d4c"."""
    digest = hashlib.sha256()
    for name in COLUMNS:
        column = getattr(data, name).contiguous().numpy()
        digest.update(f"{column.dtype} {column.shape}".encode())
        digest.update(column)
    return f"{len(data.train_labels)} images {digest.hexdigest()[:8]}"


class WorkersExecutor(Executor):
    """An executor whose functions take the data set of their worker as their last argument.

    What a worker was doing when it broke raises a `BrokenExecutor`, and nothing else does; another takes its place.
    As a context that is left by an exception it is given up at once, with all that is under way.

    Attributes:
        data_name: of that data set.
    """

    data_name: str

    @property
    @abstractmethod
    def workers(self) -> int:
        """How many tasks are worked on at a time, now."""

    @abstractmethod
    def submit(self, work: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.shutdown(cancel_futures=kind is not None)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a process finds the data in shared memory: for every column the number of its first byte, its type and its shape."""

    name: str
    columns: tuple[tuple[int, torch.dtype, tuple[int, ...]], ...]

    def attached(self) -> tuple[Dataset, SharedMemory]:
        """The data set, and what must be kept as long as it is used."""
        memory = SharedMemory(self.name)
        train_labels, test_labels, train_images, test_images = (_tensor(memory, *column) for column in self.columns)
        return Dataset(train_images, train_labels, test_images, test_labels), memory


def _tensor(memory: SharedMemory, first: int, dtype: torch.dtype, shape: tuple[int, ...]) -> Tensor:
    count = torch.Size(shape).numel()
    return torch.frombuffer(memory.buf, dtype=dtype, count=count, offset=first).view(shape) if count else torch.empty(shape, dtype=dtype)


def _share(data: Dataset) -> tuple[SharedMemory, _Place]:
    """Copy a data set into memory that other processes can attach.

    Raises:
        ExecutorLostError: the system has less of it than that takes.
    """
    tensors = [getattr(data, name).contiguous() for name in COLUMNS]
    size = sum(tensor.nbytes for tensor in tensors)
    if SHARED_FOLDER.is_dir() and (free := shutil.disk_usage(SHARED_FOLDER).free) < size:
        megabytes = {"needed": -(-size // 10**6), "free": free // 10**6}
        raise ExecutorLostError(
            Message("The data take {needed} MB of shared memory, of which {folder} has {free}.", folder=SHARED_FOLDER, **megabytes)
        )
    memory, first, columns = SharedMemory(create=True, size=max(1, size)), 0, []
    for tensor in tensors:
        columns.append((first, tensor.dtype, tuple(tensor.shape)))
        _tensor(memory, *columns[-1]).copy_(tensor)
        first += tensor.nbytes
    return memory, _Place(memory.name, tuple(columns))


class LocalExecutor(WorkersExecutor):
    """Processes of this machine, each with one thread; see `local_executor`."""

    def __init__(self, workers: int, data: Dataset) -> None:
        self._workers, self.data_name = workers, name_of(data)
        self._memory, place = _share(data)
        self._context = _context()
        self._lifeline, self._end = self._context.Pipe(duplex=False)
        self._initargs = (place, self._lifeline)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="sweep")
        self._own, self._pools = threading.local(), list[ProcessPoolExecutor]()

    @property
    def workers(self) -> int:
        return self._workers

    def submit(self, work: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]:
        return self._threads.submit(self._in_own_process, work, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        if cancel_futures:
            self._end.close()
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        self._end.close()
        for pool in self._pools:
            pool.shutdown(wait)
        self._memory.close()
        self._memory.unlink()

    def _in_own_process(self, work: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
        """A thread has a pool of one process, so that a process that dies takes nothing along but its own task."""
        pool: ProcessPoolExecutor | None = getattr(self._own, "pool", None)
        if pool is None:
            pool = self._own.pool = ProcessPoolExecutor(1, self._context, _begin, self._initargs)
            self._pools.append(pool)
        future: Future[Result] = pool.submit(_with_data, work, *args, **kwargs)
        try:
            return future.result()
        except BrokenExecutor:
            self._own.pool = None
            raise


def local_executor(workers: int, data: Dataset) -> LocalExecutor:
    """Processes of this machine that train, one thread each. They hold no copy of the data, and share the libraries where they can.

    They end with this process, however it ends, and are deaf to Ctrl-C, which is for this process to answer.

    Args:
        workers: how many; as many as there are cores is most.

    Raises:
        ExecutorLostError: there is not enough shared memory for the data.
    """
    return LocalExecutor(workers, data)


def _context() -> BaseContext:
    """How processes are begun: as copies of one that has loaded the engine, or, where there is no such way, each from nothing."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([ENGINE])
    return context


_here: tuple[Dataset, SharedMemory] | None = None  # of a process of `LocalExecutor`


def _begin(place: _Place, lifeline: Connection) -> None:
    global _here  # noqa: PLW0603 (a process has one data set)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    _here = place.attached()


def _end_with(lifeline: Connection) -> None:
    """End this process when the other end is closed, by intention or by the death of who held it."""
    lifeline.poll(None)
    os._exit(0)


def _with_data(work: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
    assert _here is not None
    return work(*args, _here[0], **kwargs)


class DaskExecutor(WorkersExecutor):
    """The workers of a Dask cluster; see `dask_executor`."""

    def __init__(self, address: str, data: Dataset) -> None:
        try:
            from distributed import Client, comm  # noqa: PLC0415 (an extra)
        except ImportError as error:
            raise ExecutorLostError(Message("A scheduler needs Dask: pip install -r requirements-cluster.txt.")) from error
        self.address, self.data_name, self._data = address, name_of(data), data
        try:
            comm.get_address_host_port(comm.normalize_address(address), strict=True)  # what a client asks later, and then does not end
            self._client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            why = str(error) or type(error).__name__
            raise ExecutorLostError(Message("No scheduler answers at {address} ({why}).", address=address, why=why)) from error
        self._tasks = self._client.get_executor(pure=False)
        self._threads = ThreadPoolExecutor(MOST_WAITING, thread_name_prefix="sweep")
        self._closed = False

    @property
    def workers(self) -> int:
        try:
            return sum(self._client.nthreads().values()) if self._running else 0
        except (OSError, RuntimeError):  # it went away just now
            return 0

    def submit(self, work: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]:
        return self._threads.submit(self._on_worker, work, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._closed = self._closed or cancel_futures
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        self._client.close(CONNECT_SECONDS)

    def _on_worker(self, work: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
        while True:
            future: Future[Result] = self._tasks.submit(_with_named_data, self.data_name, work, *args, **kwargs)
            try:
                return self._result(future)
            except DataMissingError as missing:
                self._send_data(missing.worker)

    def _send_data(self, worker: str) -> None:
        try:
            self._client.run(_keep, self.data_name, self._data, workers=[worker])
        except Exception as error:
            raise BrokenExecutor(f"{worker} could not be sent the data.") from error

    def _result(self, future: Future[Result]) -> Result:
        """What a task of the cluster gives. Looked for again and again, since one handed in to a scheduler that is gone never ends."""
        while not wait([future], LOOK_SECONDS).done:
            if self._closed:
                future.cancel()
            elif not self._running:
                self._expect_scheduler()
        try:
            return future.result()
        except CancelledError as error:  # what a client does to all of them where its scheduler is gone
            self._expect_scheduler()
            raise BrokenExecutor("The scheduler began anew.") from error
        except Exception as error:
            if type(error).__name__ == "KilledWorker":
                raise BrokenExecutor(str(error)) from error
            raise

    @property
    def _running(self) -> bool:
        return bool(self._client.status == "running")

    def _expect_scheduler(self) -> None:
        """Give the scheduler some seconds to be there again.

        Raises:
            ExecutorLostError: it is not.
        """
        until = time.monotonic() + LOST_SECONDS
        while not self._closed:
            time.sleep(LOOK_SECONDS)
            if self._running:
                return
            if time.monotonic() > until:
                raise ExecutorLostError(Message("The scheduler at {address} does not answer any more.", address=self.address))


def dask_executor(address: str, data: Dataset) -> DaskExecutor:
    """The workers of a Dask cluster, those that join later too. Each needs this program's code, at best with the data where it finds it;
    one that has not the same data is sent them once.

    A run that has begun on a worker goes on there, for nobody, when this side gives up.

    Args:
        address: of the scheduler: "tcp://10.0.0.1:8786".

    Raises:
        ExecutorLostError: `distributed` is not installed, or no scheduler answers.
    """
    return DaskExecutor(address, data)


_kept: dict[str, Dataset] = {}  # of a worker of a cluster, by name


def _keep(name: str, data: Dataset) -> None:
    _kept[name] = data


def _with_named_data(name: str, work: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
    data = _kept.get(name) or next((found for found in _found() if name_of(found) == name), None)
    if data is None:
        from distributed import get_worker  # noqa: PLC0415

        raise DataMissingError(get_worker().address)
    return work(*args, data, **kwargs)


@functools.cache
def _found() -> tuple[Dataset, ...]:
    """The data sets that this machine has."""
    try:
        return load_fashion_mnist(allow_download=False, fallback=False), load_sample()
    except DataError:
        return (load_sample(),)
