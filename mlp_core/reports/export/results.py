"""What came of a run, as JSON in an experiment's file and in the browser's memory; and back, checked field by field, from what anybody may
have written.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from itertools import pairwise
from typing import Any, Protocol, get_args

from mlp_core.bounds import Bounds, SpecError, check_choice
from mlp_core.records import STEP_CAPACITY, EpochRecord, HistorySnapshot, Pieces, Schedule, SettingChange, StopKind, StopReason
from mlp_core.spec import MAX_EPOCHS, MAX_TRAIN_SIZE, RunSpec
from mlp_core.training.ends import retold
from mlp_core.words import Message, count, counted, listed

MAX_STEPS = 2400  # kept of every curve: d2l's own 2,350 whole, longer ones thinned; a figure draws 500
EXACT = 17  # significant digits of any float64
MAX_SEEDS = 20
MAX_DETAIL = 300
MAX_ENTRIES = 200_000  # of a list, whatever it is of
STEP_BOUNDS = Bounds(0, MAX_TRAIN_SIZE * MAX_EPOCHS, whole=True)
FRACTION, LOSS = Bounds(0, 1), Bounds(-1e39, 1e39)  # what float32 holds, and a little more
FIELDS = ("steps_per_epoch", "elapsed_seconds", "end", "history", "members")
HISTORY_FIELDS = ("steps", "losses", "accuracies", "pieces", "epochs", "knots")
EPOCH_FIELDS = {
    "epoch": Bounds(1, MAX_EPOCHS, whole=True),
    "step": STEP_BOUNDS,
    "train_loss": LOSS,
    "train_accuracy": FRACTION,
    "test_loss": LOSS,
    "test_accuracy": FRACTION,
}


class Recorded(Protocol):
    """A run as far as its results are written: a job's snapshot, or a run that is kept."""

    @property
    def steps_per_epoch(self) -> int: ...
    @property
    def elapsed_seconds(self) -> float: ...
    @property
    def stop_reason(self) -> StopReason | None: ...
    @property
    def history(self) -> HistorySnapshot: ...
    @property
    def members(self) -> tuple[HistorySnapshot, ...]: ...


@dataclass(frozen=True, slots=True)
class Results:
    """What came of a run; `members` has one history a seed, if there were several."""

    steps_per_epoch: int
    elapsed_seconds: float
    stop_reason: StopReason | None
    history: HistorySnapshot
    members: tuple[HistorySnapshot, ...] = ()


def written(run: Recorded, steps: int = MAX_STEPS, steps_of_many: int = MAX_STEPS, digits: int = EXACT) -> dict[str, Any]:
    """The results of a run as JSON's own types. An epoch is a row in the order of `EPOCH_FIELDS`; what is not finite is null.

    Args:
        steps: how many are kept of a curve; `steps_of_many` of each of several seeds.
        digits: of a minibatch's loss and accuracy; what is written in tables, the epochs, is kept exactly.
    """
    most = steps_of_many if run.members else steps
    return {
        "steps_per_epoch": run.steps_per_epoch,
        "elapsed_seconds": run.elapsed_seconds,
        "end": None if (end := run.stop_reason) is None else [end.kind, end.step, end.detail[:MAX_DETAIL]],
        "history": _written_history(run.history.thinned(most), digits),
        "members": [_written_history(member.thinned(most), digits) for member in run.members],
    }


def read(value: object, spec: RunSpec, changes: tuple[SettingChange, ...]) -> Results:
    """What `written` made, of a run of `spec` with these changes in mid-run; those that were still to come are not the run's yet.

    Raises:
        SpecError: a field is missing or breaks its rule, or cannot be of such a run.
    """
    content = checked_object("results", value, FIELDS)
    images = min(spec.train_size or MAX_TRAIN_SIZE, MAX_TRAIN_SIZE)
    in_an_epoch = Bounds(1, math.ceil(images / spec.batch_size), whole=True)
    steps_per_epoch = int(in_an_epoch.check("steps_per_epoch", content["steps_per_epoch"]))
    histories = [_read_history(one) for one in (content["history"], *checked_list("members", content["members"], MAX_SEEDS))]
    last = max(history.steps[-1] for history in histories)
    made = tuple(change for change in changes if change.step <= last)
    total = Schedule(steps_per_epoch * spec.batch_size, spec.batch_size, made).steps(spec.epochs)
    for history in histories:
        _check_length(history, total, spec.epochs)
    history, *members = (replace(history, changes=made) for history in histories)
    return Results(
        steps_per_epoch=steps_per_epoch,
        elapsed_seconds=Bounds(0, 1e9).check("elapsed_seconds", content["elapsed_seconds"]),
        stop_reason=None if content["end"] is None else retold(_end(content["end"], total), spec.epochs, len(members) or 1),
        history=history,
        members=tuple(members),
    )


def _written_history(history: HistorySnapshot, digits: int) -> dict[str, Any]:
    return {
        "steps": list(history.steps),
        "losses": _rounded(history.losses, digits),
        "accuracies": _rounded(history.accuracies, digits),
        "pieces": [list(history.pieces.ends), *(_rounded(means, digits) for means in history.pieces[1:])],
        "epochs": [[value if math.isfinite(value) else None for value in astuple(epoch)] for epoch in history.epochs],
        "knots": [list(knot) for knot in history.knots],
    }


def _rounded(values: Iterable[float], digits: int) -> list[float | None]:
    return [float(f"{value:.{digits}g}") if math.isfinite(value) else None for value in values]


def _end(value: object, total: int) -> StopReason:
    if not isinstance(value, list) or len(value) != 3 or not isinstance(value[2], str):
        raise SpecError("end", Message("must be a kind, a step and a text"), value)
    check_choice("end", value[0], get_args(StopKind))
    if len(value[2]) > MAX_DETAIL:
        raise SpecError("end", Message("must have at most {most} characters", most=MAX_DETAIL), value[2])
    return StopReason(value[0], int(Bounds(0, total, whole=True).check("end", value[1])), value[2])


def _read_history(value: object) -> HistorySnapshot:
    content = checked_object("history", value, HISTORY_FIELDS)
    steps, losses, accuracies = _columns("steps", [content[name] for name in ("steps", "losses", "accuracies")])
    pieces = Pieces(*_columns("pieces", content["pieces"]))
    if not steps:
        raise SpecError("steps", Message("must not be empty"), [])
    stride = max(pieces.sizes, default=1)
    if pieces.end > steps[-1] or (pieces.ends and steps[-1] > stride * STEP_CAPACITY):
        raise SpecError("pieces", Message("must be of the run's steps"), pieces.end)
    epochs = tuple(_epoch(one, number) for number, one in enumerate(checked_list("epochs", content["epochs"], MAX_EPOCHS), start=1))
    _ascending("epochs: step", [epoch.step for epoch in epochs])
    if epochs and epochs[-1].step > steps[-1]:
        raise SpecError("epochs: step", Message("must be one of the run's steps"), epochs[-1].step)
    knots = tuple(map(_knot, checked_list("knots", content["knots"], MAX_ENTRIES)))
    if any(after[0] < before[0] or after[1] < before[1] for before, after in pairwise(knots)):
        raise SpecError("knots", Message("must not descend"), knots[:5])
    return HistorySnapshot(steps, losses, accuracies, stride, epochs, (), (), knots, pieces)


def _check_length(history: HistorySnapshot, total: int, epochs: int) -> None:
    """Raise if it is longer than a run of `epochs` epochs, `total` steps, can be."""
    checked_list("epochs", list(history.epochs), epochs)
    if (longest := max([history.steps[-1], *(step for step, _ in history.knots[-1:])])) > total:
        raise SpecError("steps", Message("must be at most the {total} of the run", total=count(total)), longest)


def _columns(name: str, value: object) -> tuple[array[int], array[float], array[float]]:
    """Steps that ascend, a loss and an accuracy of each."""
    steps, losses, accuracies = (checked_list(name, column, MAX_ENTRIES) for column in checked_list(name, value, 3, least=3))
    if not len(steps) == len(losses) == len(accuracies):
        rule = Message("must have a loss and an accuracy each")
        raise SpecError(name, rule, listed([count(len(column)) for column in (steps, losses, accuracies)], "and"))
    whole = [int(STEP_BOUNDS.check(name, step)) for step in steps]
    _ascending(name, whole)
    numbers = (array("d", [_number(bounds, name, one) for one in column]) for bounds, column in ((LOSS, losses), (FRACTION, accuracies)))
    return array("q", whole), *numbers  # type: ignore[return-value]


def _epoch(value: object, number: int) -> EpochRecord:
    values = checked_list("epochs", value, len(EPOCH_FIELDS), least=len(EPOCH_FIELDS))
    if values[0] != number:
        raise SpecError("epochs", Message("must be numbered from 1"), values[0])
    read = {name: _number(bounds, f"epochs: {name}", one) for (name, bounds), one in zip(EPOCH_FIELDS.items(), values, strict=True)}
    return EpochRecord(**read)  # type: ignore[arg-type]


def _number(bounds: Bounds, name: str, value: object) -> float:
    """A number within its bounds; for a loss that was not finite null stands, and is NaN."""
    return math.nan if value is None and bounds is LOSS else bounds.check(name, value)


def _knot(value: object) -> tuple[int, float]:
    step, epochs = checked_list("knots", value, 2, least=2)
    return int(STEP_BOUNDS.check("knots", step)), Bounds(0, MAX_EPOCHS + 1).check("knots", epochs)


def _ascending(name: str, steps: Sequence[int]) -> None:
    if any(step <= before for before, step in pairwise((0, *steps))):
        raise SpecError(name, Message("must be above 0 and ascend"), list(steps[:5]))


def checked_object(name: str, value: object, fields: Sequence[str]) -> dict[str, Any]:
    """Return `value` if it is an object with exactly these fields."""
    if not isinstance(value, dict) or set(value) != set(fields):
        raise SpecError(name, Message("must be an object with {fields}", fields=listed(fields)), value)
    return value


def checked_list(name: str, value: object, most: int, least: int = 0) -> list[Any]:
    """Return `value` if it is a list of so many entries."""
    if not isinstance(value, list):
        raise SpecError(name, Message("must be a list"), value)
    if not least <= len(value) <= most:
        raise SpecError(
            name,
            Message("must have {least} to {most} entries", least=least, most=count(most)),
            counted(len(value), "{n} entry", "{n} entries"),
        )
    return value
