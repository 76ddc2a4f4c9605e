"""Carry out a sweep: train what is not done yet, wherever an executor has it trained, and keep each result as it comes.

What a run gives hangs on its task alone: not on how many workers there are, on which of them trains it, nor on what interrupts them.
"""

from __future__ import annotations

import platform
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass

import torch

from mlp_core.data import Dataset
from mlp_core.records import EpochRecord, StopReason
from mlp_core.runtime.devices import choose_matmul, find_device
from mlp_core.spec import RunSpec, SpecError
from mlp_core.sweep import cost
from mlp_core.sweep.executors import ExecutorLostError, WorkersExecutor, name_of
from mlp_core.sweep.plan import Plan, PlanError, Task, tasks
from mlp_core.sweep.store import Outcome, Store, StoreError, cells_of
from mlp_core.training import Run, ends
from mlp_core.training.checkpoints import Checkpoints
from mlp_core.training.replicates import Together
from mlp_core.words import Message

MOST_TRIES = 3  # of a task whose worker breaks each time: a network that the machine kills would break all there are
A_WORKER = 2  # tasks in flight: one in work, one waiting, so that none waits for this side
DATA = "; "  # what stands after it in the name of a machine is its data
POLL_SECONDS = 0.25  # between two looks at a wish to stop, and two reports


def check_here(plan: Plan) -> None:
    """Refuse a plan that this machine has not the devices for.

    Raises:
        PlanError: naming every cell that asks for another.
    """
    problems = list[SpecError]()
    for cell in plan.cells:
        try:
            find_device(cell.spec.device)
        except SpecError as error:
            problems.append(SpecError(Message("{cell}: {field}", cell=cell.name, field=error.field), error.rule, error.value))
    if problems:
        raise PlanError(problems)


def train(task: Task, data: Dataset) -> tuple[Outcome, ...]:
    """Train a task to its end on one thread. Same task, data and kind of machine: the same outcomes, bit for bit, but for the time taken.

    A loss that is not finite and memory that runs out are outcomes. Where the memory does not suffice for all at once, each is trained
    alone.
    """
    torch.set_num_threads(1)
    choose_matmul()
    work = pieces(task, data)
    while True:
        try:
            next(work)
        except StopIteration as end:
            outcomes: tuple[Outcome, ...] = end.value
            return outcomes


def pieces(task: Task, data: Dataset) -> Generator[float, None, tuple[Outcome, ...]]:
    """What `train` does, a training step or a part of a test at a time. Yields how much is done, from 0 to 1; returns the outcomes."""
    ended = yield from _trained(task.specs, data, 0.0, 1.0)
    if len(task.specs) > 1 and any(end.stop.kind not in {"completed", "diverged"} for end in ended):
        ended = []
        for index, spec in enumerate(task.specs):
            ended += yield from _trained([spec], data, index / len(task.specs), (index + 1) / len(task.specs))
    where = machine(data)
    return tuple(
        Outcome(spec, task.rung, cell, end.epochs, end.stop, end.seconds, where)
        for spec, cell, end in zip(task.specs, task.cells, ended, strict=True)
    )


@dataclass(frozen=True, slots=True)
class _Ended:
    """What came of one run; `seconds` of processor time."""

    epochs: tuple[EpochRecord, ...]
    stop: StopReason
    seconds: float


def _trained(specs: Sequence[RunSpec], data: Dataset, begin: float, end: float) -> Generator[float, None, list[_Ended]]:
    run = Run(specs[0], data) if len(specs) == 1 else Together(specs, data)
    run.checkpoints = Checkpoints()  # nobody goes back
    seconds = 0.0
    while not run.finished:
        started = time.thread_time()
        try:
            run.advance(seconds=0)  # one piece
        except Exception as error:
            run.stop("failed", ends.failed(run.step, error))
        seconds += time.thread_time() - started
        yield begin + (end - begin) * run.step / run.total_steps
    assert run.stop_reason is not None
    if isinstance(run, Together):
        return [_Ended(one.epochs, stop, seconds / len(specs)) for one, stop in zip(run.members, run.stop_reasons, strict=True)]
    return [_Ended(tuple(run.history.epochs), run.stop_reason, seconds)]


def machine(data: Dataset) -> str:
    """Where a run was trained, with what and on what: all that its last digits hang on beside its task."""
    processor = f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}"
    return f"{platform.node()}, {processor}, PyTorch {torch.__version__}, {choose_matmul().name}{DATA}{name_of(data)}"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sweep is.

    Args:
        runs, of_runs: finished, and all; of successive halving those of all rounds.
        fraction: of the work that is done, from 0 to 1.
        left_seconds: how long the rest would take at the speed of what was done in this go; None before anything was.
        workers: that there are now.
        lost: how often a worker broke in this go.
    """

    runs: int
    of_runs: int
    fraction: float
    left_seconds: float | None = None
    workers: int = 0
    lost: int = 0


class Remaining:
    """What is still to be trained in a go of a sweep that begins now. Work is weighed by the time that `cost` estimates for it.

    Args:
        plan, store: the sweep's.
        counts: training and test images of the data set, where they are known.

    Attributes:
        under_way: of a task that is in work, the seconds that are done, estimated.
    """

    def __init__(self, plan: Plan, store: Store, *counts: int) -> None:
        self._plan, self._store, self._counts = plan, store, counts
        self._rounds, self._started = cost.of_rounds(plan, *counts), time.monotonic()
        self._left, self._done, self.under_way = sum(self._rounds), 0.0, 0.0

    def of_round(self, rung: int) -> list[Task]:
        """The tasks of a round that are not done. The round before must be complete."""
        done, found = self._store.done(), self._store.outcomes()
        seconds = {task: self.seconds(task) for task in tasks(self._plan, rung, cells_of(self._plan, rung, found))}
        lacking = [task for task in seconds if not done.issuperset(task.keys)]
        self._rounds[rung] = sum(seconds.values())
        self._left = sum(seconds[task] for task in lacking) + sum(self._rounds[rung + 1 :])
        return lacking

    def seconds(self, task: Task) -> float:
        """Of one core, estimated."""
        return cost.of_task(task, *self._counts)

    def finish(self, task: Task) -> None:
        """Note that a task is done."""
        self._left, self._done, self.under_way = self._left - self.seconds(task), self._done + self.seconds(task), 0.0

    @property
    def fraction(self) -> float:
        """Of all work, how much is done."""
        return 1 - max(0.0, self._left - self.under_way) / sum(self._rounds)

    def progress(self, workers: int = 0, lost: int = 0) -> Progress:
        """How far it is, on so many workers, of which so many broke."""
        done, left = self._done + self.under_way, max(0.0, self._left - self.under_way)
        seconds = (time.monotonic() - self._started) * left / done if done else None
        return Progress(len(self._store.done()), self._plan.runs, self.fraction, seconds, workers, lost)


def carry_out(
    plan: Plan, store: Store, executor: WorkersExecutor, report: Callable[[Progress], None], stop: threading.Event | None = None
) -> None:
    """Train all of a plan that its store has not yet. Returns when everything is there, or soon after `stop` is set.

    A task whose worker breaks is carried out again; the third time it is an outcome, "failed". Whatever is raised, what was finished until
    then is in the store, and calling this again goes on from there, with another executor too.

    Args:
        report: is called after every result, and some times a second; on the caller's thread.

    Raises:
        ExecutorLostError: there is nobody any more who could train.
        StoreError: the file cannot be written, or was begun with other data.
    """
    for outcome in store.outcomes():
        if outcome.machine and (begun := outcome.machine.rpartition(DATA)[2]) != executor.data_name:
            raise StoreError(
                store.path, Message("was begun with other data ({begun}) than are here ({here})", begun=begun, here=executor.data_name)
            )
    going = _Going(plan, store, executor, report)
    for rung in range(len(plan.rungs)):
        if stop is not None and stop.is_set():
            return
        going.do(rung, stop or threading.Event())


class _Going:
    """A sweep under way."""

    def __init__(self, plan: Plan, store: Store, executor: WorkersExecutor, report: Callable[[Progress], None]) -> None:
        self.store, self.executor, self.report = store, executor, report
        self.remaining, self.lost = Remaining(plan, store), 0

    def do(self, rung: int, stop: threading.Event) -> None:
        """Carry out those tasks of a round that are not done, the longest first, so that in the end no worker waits long for another."""
        waiting = deque(sorted(self.remaining.of_round(rung), key=self.remaining.seconds, reverse=True))
        flying: dict[Future[tuple[Outcome, ...]], Task] = {}
        tries: Counter[Task] = Counter()
        self._tell()
        try:
            while (waiting or flying) and not stop.is_set():
                most = max(1, A_WORKER * self.executor.workers)
                while waiting and len(flying) < most:
                    task = waiting.popleft()
                    flying[self.executor.submit(train, task)] = task
                finished = wait(flying, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED).done
                for future in sorted(
                    finished, key=lambda one: isinstance(one.exception(), ExecutorLostError)
                ):  # results first: they are kept
                    task = flying.pop(future)
                    outcomes = self._outcomes(future, task, tries)
                    if outcomes is None:
                        waiting.appendleft(task)
                    else:
                        self.store.add(task, outcomes)
                        self.remaining.finish(task)
                self._tell()
        finally:
            for future in flying:
                future.cancel()

    def _outcomes(self, future: Future[tuple[Outcome, ...]], task: Task, tries: Counter[Task]) -> tuple[Outcome, ...] | None:
        """What came of a task; None where its worker broke, and it may be tried again."""
        try:
            return future.result()
        except ExecutorLostError:
            raise
        except BrokenExecutor:
            self.lost += 1
            tries[task] += 1
            if tries[task] < MOST_TRIES:
                return None
            return _failed(task, Message("Its worker broke each of {n} times, as where the system takes the memory back.", n=MOST_TRIES))
        except Exception as error:  # raised before a run of the task began
            return _failed(task, Message("It could not begin ({error}).", error=f"{type(error).__name__}: {error}"))

    def _tell(self) -> None:
        self.report(self.remaining.progress(self.executor.workers, self.lost))


def _failed(task: Task, why: str) -> tuple[Outcome, ...]:
    return tuple(
        Outcome(spec, task.rung, cell, (), StopReason("failed", 0, why), 0.0, "") for spec, cell in zip(task.specs, task.cells, strict=True)
    )
