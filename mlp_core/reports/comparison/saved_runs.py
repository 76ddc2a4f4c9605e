"""Kept runs as bounded text, and back from text that anybody may have written: JSON, read as data and checked field by field."""

from __future__ import annotations

import json
import math
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import astuple, replace
from itertools import pairwise
from typing import Any, NamedTuple, get_args

from mlp_core.bounds import Bounds, SpecError, check_choice
from mlp_core.network import count as counts_of
from mlp_core.records import STEP_CAPACITY, EpochRecord, HistorySnapshot, Pieces, StopKind, StopReason
from mlp_core.reports.comparison.kept_runs import CAPACITY, MAX_PINNED, KeptRun, KeptRuns, cleaned_name, unique_name
from mlp_core.reports.export.experiment import STEP_BOUNDS, Experiment
from mlp_core.spec import MAX_EPOCHS, MAX_TRAIN_SIZE

VERSION = 1
MAX_LENGTH = 200_000  # characters of it all: a dozen runs of ten epochs take half of that
MAX_STEPS, MAX_STEPS_OF_MANY = 400, 120  # kept of a run's curve; of each of several seeds
DIGITS = 5  # of a minibatch's loss; what is written in tables, the epochs, is kept exactly
MAX_SEEDS = 100
MAX_DETAIL = 300
RUN_FIELDS = (
    "experiment", "renamed", "pinned", "shown", "style", "steps_per_epoch", "elapsed_seconds", "end", "history", "members",
)  # fmt: skip
HISTORY_FIELDS = ("steps", "losses", "accuracies", "pieces", "epochs", "knots")
FRACTION, LOSS = Bounds(0, 1), Bounds(-sys.float_info.max, sys.float_info.max)
EPOCH_FIELDS = {
    "epoch": Bounds(1, MAX_EPOCHS, whole=True),
    "step": STEP_BOUNDS,
    "train_loss": LOSS,
    "train_accuracy": FRACTION,
    "test_loss": LOSS,
    "test_accuracy": FRACTION,
}


class ReadBack(NamedTuple):
    """What a text held: the runs, the first reason why some of them could not be read, and how many had found no room in it."""

    kept: KeptRuns
    refused: SpecError | None
    left_out: int


def saved(kept: KeptRuns) -> str:
    """Kept runs as a text of at most `MAX_LENGTH` characters: pinned ones first, then the newest; curves are thinned."""
    chosen, room = dict[int, str](), MAX_LENGTH - 100
    for run in sorted(kept.runs, key=lambda run: (run.pinned, run.id), reverse=True):
        try:
            text = _written(run)
        except SpecError:  # more changes in mid-run than a file of an experiment may have
            continue
        if len(text) < room:
            chosen[run.id], room = text, room - len(text) - 1
    runs = ",".join(chosen[run.id] for run in kept.runs if run.id in chosen)
    return f'{{"version":{VERSION},"left_out":{len(kept.runs) - len(chosen)},"runs":[{runs}]}}'


def read_back(text: str, first_id: int = 1) -> ReadBack:
    """The runs of a text of `saved`, the oldest first; one that breaks a rule is left out.

    Raises:
        SpecError: the text is too long, not what `saved` writes, or of another version.
    """
    if len(text) > MAX_LENGTH:
        raise SpecError("kept runs", f"must be at most {MAX_LENGTH:,} characters", f"{len(text):,} characters")
    try:
        content = json.loads(text, parse_constant=float)
        text.encode()  # no half of a surrogate pair
    except (ValueError, RecursionError) as error:
        raise SpecError("kept runs", "must be JSON", text) from error
    content = _object("kept runs", content, ("version", "left_out", "runs"))
    Bounds(VERSION, VERSION, whole=True).check("version", content["version"])
    left_out = int(Bounds(0, CAPACITY, whole=True).check("left_out", content["left_out"]))
    kept, refused = KeptRuns(next_id=first_id), None
    for entry in _list("runs", content["runs"], CAPACITY):
        try:
            run = _read(entry, kept)
        except SpecError as error:
            refused = refused or error
        else:
            kept = KeptRuns((*kept.runs, run), next_id=run.id + 1)
    return ReadBack(kept, refused, left_out)


def _written(run: KeptRun) -> str:
    steps = MAX_STEPS_OF_MANY if run.members else MAX_STEPS
    content = {
        "experiment": json.loads(Experiment(run.spec, run.history.changes, run.name).to_json()),
        "renamed": run.renamed,
        "pinned": run.pinned,
        "shown": run.shown,
        "style": run.style,
        "steps_per_epoch": run.steps_per_epoch,
        "elapsed_seconds": run.elapsed_seconds,
        "end": None if (end := run.stop_reason) is None else [end.kind, end.step, end.detail[:MAX_DETAIL]],
        "history": _written_history(run.history.thinned(steps)),
        "members": [_written_history(member.thinned(steps)) for member in run.members],
    }
    return json.dumps(content, separators=(",", ":"), allow_nan=False)


def _written_history(history: HistorySnapshot) -> dict[str, Any]:
    return {
        "steps": list(history.steps),
        "losses": _rounded(history.losses),
        "accuracies": _rounded(history.accuracies),
        "pieces": [list(history.pieces.ends), _rounded(history.pieces.losses), _rounded(history.pieces.accuracies)],
        "epochs": [[value if math.isfinite(value) else None for value in astuple(epoch)] for epoch in history.epochs],
        "knots": [list(knot) for knot in history.knots],
    }


def _rounded(values: Iterable[float]) -> list[float | None]:
    return [float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None for value in values]


def _read(entry: object, kept: KeptRuns) -> KeptRun:
    """One run, to stand behind those that were read before."""
    content = _object("run", entry, RUN_FIELDS)
    experiment = Experiment.from_json(json.dumps(content["experiment"]))
    histories = [content["history"], *_list("members", content["members"], MAX_SEEDS)]
    history, *members = (replace(_read_history(one), changes=experiment.changes) for one in histories)
    pinned = _flag("pinned", content["pinned"])
    if pinned and sum(run.pinned for run in kept.runs) >= MAX_PINNED:
        raise SpecError("pinned", f"must be at most {MAX_PINNED} runs", MAX_PINNED + 1)
    return KeptRun(
        id=kept.next_id,
        name=unique_name(cleaned_name(experiment.name), kept.runs),
        spec=experiment.spec,
        history=history,
        steps_per_epoch=int(Bounds(1, MAX_TRAIN_SIZE, whole=True).check("steps_per_epoch", content["steps_per_epoch"])),
        parameters=counts_of(experiment.spec, experiment.spec.sizes).parameters,
        stop_reason=None if content["end"] is None else _end(content["end"]),
        elapsed_seconds=Bounds(0, 1e9).check("elapsed_seconds", content["elapsed_seconds"]),
        members=tuple(members),
        style=int(Bounds(0, 2 * CAPACITY, whole=True).check("style", content["style"])),
        shown=None if content["shown"] is None else _flag("shown", content["shown"]),
        pinned=pinned,
        renamed=_flag("renamed", content["renamed"]),
    )


def _end(value: object) -> StopReason:
    if not isinstance(value, list) or len(value) != 3 or not isinstance(value[2], str):
        raise SpecError("end", "must be a kind, a step and a text", value)
    check_choice("end", value[0], get_args(StopKind))
    if len(value[2]) > MAX_DETAIL:
        raise SpecError("end", f"must have at most {MAX_DETAIL} characters", value[2])
    return StopReason(value[0], int(STEP_BOUNDS.check("end", value[1])), value[2])


def _read_history(value: object) -> HistorySnapshot:
    content = _object("history", value, HISTORY_FIELDS)
    steps, losses, accuracies = _columns("steps", [content[name] for name in ("steps", "losses", "accuracies")])
    pieces = Pieces(*_columns("pieces", content["pieces"]))
    if not steps:
        raise SpecError("steps", "must not be empty", [])
    stride = max(pieces.sizes, default=1)
    if pieces.end > steps[-1] or (pieces.ends and steps[-1] > stride * STEP_CAPACITY):
        raise SpecError("pieces", "must be of the run's steps", pieces.end)
    epochs = tuple(_epoch(one, number) for number, one in enumerate(_list("epochs", content["epochs"], MAX_EPOCHS), start=1))
    _ascending("epochs: step", [epoch.step for epoch in epochs])
    knots = tuple(map(_knot, _list("knots", content["knots"], MAX_LENGTH)))
    return HistorySnapshot(steps, losses, accuracies, stride, epochs, (), (), knots, pieces)


def _columns(name: str, value: object) -> tuple[array[int], array[float], array[float]]:
    """Steps that ascend, a loss and an accuracy of each."""
    steps, losses, accuracies = (_list(name, column, MAX_LENGTH) for column in _list(name, value, 3, least=3))
    if not len(steps) == len(losses) == len(accuracies):
        raise SpecError(name, "must have a loss and an accuracy each", f"{len(steps)}, {len(losses)} and {len(accuracies)} values")
    whole = [int(STEP_BOUNDS.check(name, step)) for step in steps]
    _ascending(name, whole)
    numbers = (array("d", [_number(bounds, name, one) for one in column]) for bounds, column in ((LOSS, losses), (FRACTION, accuracies)))
    return array("q", whole), *numbers  # type: ignore[return-value]


def _epoch(value: object, number: int) -> EpochRecord:
    values = _list("epochs", value, len(EPOCH_FIELDS), least=len(EPOCH_FIELDS))
    if values[0] != number:
        raise SpecError("epochs", "must be numbered from 1", values[0])
    read = {name: _number(bounds, f"epochs: {name}", one) for (name, bounds), one in zip(EPOCH_FIELDS.items(), values, strict=True)}
    return EpochRecord(**read)  # type: ignore[arg-type]


def _number(bounds: Bounds, name: str, value: object) -> float:
    """A number within its bounds; for a loss that was not finite null stands, and is NaN."""
    return math.nan if value is None and bounds is LOSS else bounds.check(name, value)


def _knot(value: object) -> tuple[int, float]:
    step, epochs = _list("knots", value, 2, least=2)
    return int(STEP_BOUNDS.check("knots", step)), Bounds(0, MAX_EPOCHS).check("knots", epochs)


def _ascending(name: str, steps: Sequence[int]) -> None:
    if any(step <= before for before, step in pairwise((0, *steps))):
        raise SpecError(name, "must be above 0 and ascend", list(steps[:5]))


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise SpecError(name, "must be true or false", value)
    return value


def _object(name: str, value: object, fields: Sequence[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != set(fields):
        raise SpecError(name, f"must be an object with {', '.join(fields)}", value)
    return value


def _list(name: str, value: object, most: int, least: int = 0) -> list[Any]:
    if not isinstance(value, list):
        raise SpecError(name, "must be a list", value)
    if not least <= len(value) <= most:
        raise SpecError(name, f"must have {least} to {most:,} entries", f"{len(value):,} entries")
    return value
