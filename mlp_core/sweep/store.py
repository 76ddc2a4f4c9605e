"""What came of a sweep, in one SQLite file: whatever interrupts it, what was added is in it, and the sweep can go on from there.

Every finished task is one transaction in write-ahead mode, so that a process killed in the middle leaves a whole file without it. Numbers
are written as JSON with as many digits as they need: what is read is, bit for bit, what was measured.
"""

from __future__ import annotations

import io
import json
import math
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from mlp_core.bounds import shown
from mlp_core.records import EpochRecord, StopKind, StopReason
from mlp_core.spec import LISTS, RunSpec, query_of
from mlp_core.sweep.plan import Plan, PlanError, Task
from mlp_core.words import Message

APPLICATION = int.from_bytes(b"MLPs", "big")  # SQLite's application_id: how a file of ours is told from any other
VERSION = 1  # SQLite's user_version
TABLES = """
CREATE TABLE sweep (plan TEXT NOT NULL);
CREATE TABLE outcomes (
    rung INTEGER NOT NULL,
    cell INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    spec TEXT NOT NULL,    -- JSON, as RunSpec.to_json writes it
    epochs TEXT NOT NULL,  -- JSON, a row [epoch, step, train_loss, train_accuracy, test_loss, test_accuracy] each
    kind TEXT NOT NULL,  -- how it ended
    step INTEGER NOT NULL,
    detail TEXT NOT NULL,  -- JSON, a text, or a template and the values in it, which can be said in any language
    seconds REAL NOT NULL,
    machine TEXT NOT NULL,
    PRIMARY KEY (rung, cell, seed)
) WITHOUT ROWID;
"""
EPOCH_FIELDS = tuple(one.name for one in fields(EpochRecord))
LAST = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")  # of an outcome, in a table


class StoreError(ValueError):
    """A file that cannot be used for a sweep. `str()` is a sentence that names it and says why."""

    def __init__(self, file: str | os.PathLike[str], why: str) -> None:
        self.file, self.why = os.fspath(file), why
        super().__init__(Message("{file}: {why}.", file=self.file, why=why))

    def __reduce__(self) -> tuple[type[StoreError], tuple[str, str]]:
        return StoreError, (self.file, self.why)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one run.

    Args:
        spec: the experiment.
        rung, cell: whose it is.
        epochs: all that were completed.
        stop: how it ended; one that diverged, or for which the memory did not suffice, is an outcome as well.
        seconds: of processor time, its share where several trained at once.
        machine: where, and with what.
    """

    spec: RunSpec
    rung: int
    cell: int
    epochs: tuple[EpochRecord, ...]
    stop: StopReason
    seconds: float
    machine: str

    @property
    def key(self) -> tuple[int, int, int]:
        """Round, cell and seed."""
        return self.rung, self.cell, self.spec.seed

    @property
    def completed(self) -> bool:
        return self.stop.kind == "completed"

    @property
    def score(self) -> float:
        """Test accuracy after the last epoch; 0 of a run that broke."""
        return self.epochs[-1].test_accuracy if self.completed and self.epochs else 0.0


def cells_of(plan: Plan, rung: int, outcomes: Iterable[Outcome]) -> tuple[int, ...]:
    """The cells that are trained in a round: all in the first, then the best of the round before, by mean test accuracy over the seeds.

    Of equal ones the earlier cell goes on. The round before must be complete.
    """
    if rung == 0:
        return tuple(range(len(plan.cells)))
    scores: dict[int, list[float]] = {}
    for outcome in outcomes:
        if outcome.rung == rung - 1:
            scores.setdefault(outcome.cell, []).append(outcome.score)
    best = sorted(scores, key=lambda cell: (-math.fsum(scores[cell]) / len(scores[cell]), cell))
    return tuple(sorted(best[: plan.rungs[rung].cells]))


class Store:
    """The file of a sweep, open. `Store.create` and `Store.open` make one; as a context it is closed at the end.

    One process adds to a file at a time; threads of that process may share a store.

    Attributes:
        plan: the sweep's.
    """

    def __init__(self, path: str | os.PathLike[str], plan: Plan, connection: sqlite3.Connection) -> None:
        self.path, self.plan = Path(path), plan
        self._connection, self._lock = connection, threading.Lock()
        self._outcomes: dict[tuple[int, int, int], Outcome] = {}

    @classmethod
    def create(cls, path: str | os.PathLike[str], plan: Plan) -> Store:
        """A new file for this plan.

        Raises:
            StoreError: there is a file already, or it cannot be written.
        """
        if Path(path).exists():
            raise StoreError(path, Message("is there already"))
        new = Path(f"{os.fspath(path)}.new")  # has the name only once it is whole
        try:
            new.unlink(missing_ok=True)
            with _said(path), closing(sqlite3.connect(new)) as connection:
                connection.executescript(
                    f"PRAGMA journal_mode = WAL; PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; {TABLES}"
                )
                connection.execute("INSERT INTO sweep VALUES (?)", (plan.to_json(),))
                connection.commit()
            new.rename(path)
        except OSError as error:
            raise StoreError(path, Message("cannot be read or written ({why})", why=str(error))) from error
        return cls.open(path)

    @classmethod
    def open(cls, path: str | os.PathLike[str], plan: Plan | None = None) -> Store:
        """The file of a sweep that was begun, to go on with it or to read it.

        Args:
            plan: what the file must be of; None for whatever it is of.

        Raises:
            StoreError: it is not there, not of a sweep, damaged, of a newer version, or of another plan.
        """
        if not Path(path).is_file():
            raise StoreError(path, Message("is not a file") if Path(path).exists() else Message("is not there"))
        with _said(path):
            connection = sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=rw", uri=True, check_same_thread=False)
            try:
                store = cls(path, _plan_in(path, connection), connection)
                if plan is not None and plan != store.plan:
                    raise StoreError(path, Message("holds another sweep than the one that is asked for"))
                store._read()
            except BaseException:
                connection.close()
                raise
        return store

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def done(self) -> set[tuple[int, int, int]]:
        """Round, cell and seed of every run that is finished."""
        with self._lock:
            return set(self._outcomes)

    def add(self, task: Task, outcomes: Sequence[Outcome]) -> None:
        """Keep what came of a task, all of it or, where something interrupts, nothing; what is there already stays.

        Raises:
            ValueError: they are not the outcomes of this task.
            StoreError: the file cannot be written.
        """
        if [outcome.key for outcome in outcomes] != list(task.keys):
            raise ValueError(f"outcomes: must be of {task.keys}, got {[outcome.key for outcome in outcomes]}")
        rows = [_row(outcome) for outcome in outcomes]
        with self._lock, _said(self.path), self._connection:
            self._connection.executemany("INSERT OR IGNORE INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        with self._lock:
            for outcome in outcomes:
                self._outcomes.setdefault(outcome.key, outcome)

    def outcomes(self) -> tuple[Outcome, ...]:
        """All that is finished, by round, cell and seed."""
        with self._lock:
            return tuple(self._outcomes[key] for key in sorted(self._outcomes))

    def table(self) -> list[dict[str, Any]]:
        """One row a finished run: its round, cell and seed, the values of the axes, its last epoch, how it ended, how long it took, where.

        Where no epoch was completed, the numbers of the last are NaN.
        """
        return [self._table_row(outcome) for outcome in self.outcomes()]

    def to_csv(self) -> str:
        """The table, lists as a link has them; numbers with as many digits as they need."""
        text: str = self._frame().to_csv(index=False, na_rep="nan", lineterminator="\n")
        return text

    def to_parquet(self) -> bytes:
        """The table as a Parquet file; lists, and what may be absent, as in the CSV."""
        content = io.BytesIO()
        self._frame().to_parquet(content, index=False)
        return content.getvalue()

    def to_json(self) -> str:
        """Everything: the plan, and of every run its experiment and all epochs; a number that is not finite is null."""
        runs = [
            {
                "rung": outcome.rung,
                "cell": outcome.cell,
                "spec": asdict(outcome.spec),
                "epochs": [{name: _finite(value) for name, value in asdict(epoch).items()} for epoch in outcome.epochs],
                "end": outcome.stop.kind,
                "detail": outcome.stop.detail,
                "seconds": outcome.seconds,
                "machine": outcome.machine,
            }
            for outcome in self.outcomes()
        ]
        return json.dumps({"version": VERSION, "plan": json.loads(self.plan.to_json()), "runs": runs}, allow_nan=False)

    def to_sqlite(self) -> bytes:
        """The file itself, whole, while it is being added to."""
        with self._lock, _said(self.path), closing(sqlite3.connect(":memory:")) as copy:
            self._connection.backup(copy)
            return copy.serialize()

    def _frame(self) -> pd.DataFrame:
        """The table with one type a column, as files have it: lists, and what is absent in some cells, as texts."""
        texts = [axis.field for axis in self.plan.axes if axis.field in LISTS or None in axis.values]
        table = [row | query_of({name: row[name] for name in texts}) for row in self.table()]
        return pd.DataFrame(table, columns=list(self._columns))

    @property
    def _columns(self) -> tuple[str, ...]:
        axes = tuple(axis.field for axis in self.plan.axes if axis.field != "epochs")
        return ("rung", "cell", "seed", *axes, "epochs", *LAST, "end", "detail", "seconds", "machine")

    def _table_row(self, outcome: Outcome) -> dict[str, Any]:
        last = outcome.epochs[-1] if outcome.epochs else None
        values = {
            "rung": outcome.rung,
            "cell": outcome.cell,
            "seed": outcome.spec.seed,
            **self.plan.cells[outcome.cell].values,
            "epochs": len(outcome.epochs),
            **{name: getattr(last, name, math.nan) for name in LAST},
            "end": outcome.stop.kind,
            "detail": outcome.stop.detail,
            "seconds": outcome.seconds,
            "machine": outcome.machine,
        }
        return {name: values[name] for name in self._columns}

    def _read(self) -> None:
        """Read and check all outcomes."""
        for row in self._connection.execute("SELECT * FROM outcomes"):
            try:
                outcome = _outcome(row, self.plan)
            except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
                raise StoreError(self.path, Message("is damaged: {what}", what=shown(row[:3]))) from error
            self._outcomes[outcome.key] = outcome


@contextmanager
def alone(path: str | os.PathLike[str]) -> Iterator[None]:
    """Be the only process that adds to a file, among those that ask for it. It ends with the process, too, however that ends.

    Raises:
        StoreError: another one is at it, or the folder cannot be written to.
    """
    lock = Path(f"{os.fspath(path)}.lock")
    with _said(path):
        held = sqlite3.connect(lock, timeout=0, isolation_level=None)
        try:
            held.execute("PRAGMA journal_mode = MEMORY")  # no file more
            held.execute("BEGIN EXCLUSIVE")  # a lock of the system's, whatever is in the file
        except sqlite3.OperationalError as error:
            held.close()
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            raise StoreError(path, Message("is being added to by another process")) from error
    try:
        yield
    finally:
        held.close()
        lock.unlink(missing_ok=True)


@contextmanager
def _said(path: str | os.PathLike[str]) -> Iterator[None]:
    """Say in words what SQLite raises."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise StoreError(path, Message("cannot be read or written ({why})", why=str(error))) from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # the second where damage is to be told in bytes that are no text
        raise StoreError(path, Message("is not the file of a sweep, or damaged ({why})", why=str(error))) from error


def _plan_in(path: str | os.PathLike[str], connection: sqlite3.Connection) -> Plan:
    def pragma(name: str) -> object:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]

    if pragma("application_id") != APPLICATION:
        raise StoreError(path, Message("is not the file of a sweep"))
    version = pragma("user_version")
    if version != VERSION:
        raise StoreError(path, Message("is of version {version}; this program reads version {own}", version=version, own=VERSION))
    if (found := pragma("quick_check")) != "ok":
        raise StoreError(path, Message("is damaged: {what}", what=shown(found)))
    (text,) = connection.execute("SELECT plan FROM sweep").fetchone() or ("",)
    try:
        return Plan.from_json(text)
    except (PlanError, TypeError) as error:
        raise StoreError(path, Message("is damaged: {what}", what=str(error))) from error


def _row(outcome: Outcome) -> tuple[Any, ...]:
    return (
        *outcome.key,
        outcome.spec.to_json(),
        json.dumps([astuple(epoch) for epoch in outcome.epochs], separators=(",", ":")),
        outcome.stop.kind,
        outcome.stop.step,
        json.dumps(_parts(outcome.stop.detail)),
        outcome.seconds,
        outcome.machine,
    )


def _outcome(row: tuple[Any, ...], plan: Plan) -> Outcome:
    """An outcome as `_row` wrote it, which must be one of the plan's runs."""
    rung, cell, seed, spec, epochs, kind, step, detail, seconds, machine = row
    if min(rung, cell) < 0 or seed - plan.base.seed not in range(plan.seeds):
        raise ValueError(row[:3])
    own = plan.cells[cell].from_seed(seed, plan.rungs[rung].epochs)
    if RunSpec.from_json(spec) != own or kind not in get_args(StopKind):
        raise ValueError(kind)
    records = tuple(EpochRecord(int(epoch), int(at), *map(float, numbers)) for epoch, at, *numbers in json.loads(epochs))
    if not isinstance(why := _whole(json.loads(detail)), str):
        raise TypeError(detail)
    return Outcome(own, rung, cell, records, StopReason(kind, int(step), why), float(seconds), str(machine))


def _parts(text: object) -> object:
    """A message as what it is made of, for JSON; any other text or number as it is."""
    if not isinstance(text, Message):
        return text if isinstance(text, str | int | float) else str(text)
    values = {name: _parts(value) for name, value in text.values.items()}
    return {"template": text.template, "plural": text.plural, "amount": text.amount, "values": values}


def _whole(parts: Any) -> Any:
    """The message that `_parts` was given."""
    if not isinstance(parts, dict):
        return parts
    values = {name: _whole(value) for name, value in parts["values"].items()}
    return Message(str(parts["template"]), plural=str(parts["plural"]), amount=float(parts["amount"]), **values)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
