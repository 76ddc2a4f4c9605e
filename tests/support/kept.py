"""Kept runs and snapshots made by hand, for the tests of what is compared and kept."""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from mlp_core.jobs import JobSnapshot
from mlp_core.records import EpochRecord, HistorySnapshot, Schedule, SettingChange, StopKind, StopReason
from mlp_core.reports.comparison.book_bands import BOOK_DESIGNS, QUANTITIES, BookBand, band, known_runs
from mlp_core.reports.comparison.kept_runs import KeptRun
from mlp_core.reports.export import Experiment
from mlp_core.spec import RunSpec

STEPS_PER_EPOCH = 235


def history(
    test_accuracies: Sequence[float] = (), *, steps: int | None = None, changes: Sequence[tuple[int, float]] = ()
) -> HistorySnapshot:
    """A history of d2l's setting with these test accuracies, one an epoch; of `steps` steps, as many as those epochs by default."""
    n = STEPS_PER_EPOCH * len(test_accuracies) if steps is None else steps
    epochs = tuple(
        EpochRecord(epoch, epoch * STEPS_PER_EPOCH, 1 / epoch, 0.8, 1 / epoch + 0.1, accuracy)
        for epoch, accuracy in enumerate(test_accuracies, start=1)
    )
    of_lr = tuple(SettingChange(step, "lr", lr) for step, lr in changes)
    losses = array("d", (1 / step for step in range(1, n + 1)))
    return HistorySnapshot(array("q", range(1, n + 1)), losses, array("d", [0.5]) * n, 1, epochs, (), of_lr)


def book_history(name: str, epochs: int = 10) -> HistorySnapshot:
    """A history of one of the book's designs, in the middle of every band; after the tenth epoch it stays there."""
    records = []
    for epoch in range(1, epochs + 1):
        train_loss, train_accuracy, test_accuracy = (bands(name, quantity)[min(epoch, 10) - 1].middle for quantity in QUANTITIES)
        records.append(EpochRecord(epoch, epoch * STEPS_PER_EPOCH, train_loss, train_accuracy, 0.5, test_accuracy))
    return replace(history([0.8] * epochs), epochs=tuple(records))


def changed(past: HistorySnapshot, **values: float) -> HistorySnapshot:
    """The same history with another last epoch."""
    return replace(past, epochs=(*past.epochs[:-1], replace(past.epochs[-1], **values)))  # type: ignore[arg-type]


def kept(
    spec: RunSpec, test_accuracies: Sequence[float] = (), *, name: str = "", members: Sequence[Sequence[float]] = (), **past: object
) -> KeptRun:
    """A run as it is kept; `members` are the test accuracies of several seeds, `past` is as in `history`."""
    return KeptRun(
        id=1,
        name=name,
        spec=spec,
        history=history(members[0] if members else test_accuracies, **past),  # type: ignore[arg-type]
        steps_per_epoch=STEPS_PER_EPOCH,
        parameters=1,
        stop_reason=None,
        elapsed_seconds=1.0,
        members=tuple(map(history, members)),
    )


def content_of_file() -> dict[str, Any]:
    """An experiment's file: two epochs from three seeds, with a change of lr and one of the batch size in mid-run."""
    spec, changes = RunSpec(), (SettingChange(50, "lr", 0.01), SettingChange(100, "batch_size", 512))
    knots = Schedule(60_000, spec.batch_size, changes).knots(spec.epochs)
    seeds = [replace(history([accuracy, 0.8]), changes=changes, knots=knots) for accuracy in (0.5, 0.6, 0.7)]
    found: dict[str, Any] = json.loads(Experiment(spec, changes).to_json(snapshot(spec, seeds[0], members=seeds, stop="stopped")))
    return found


def snapshot(
    spec: RunSpec,
    past: HistorySnapshot,
    *,
    stop: StopKind | Literal[""] = "",
    members: Sequence[HistorySnapshot] = (),
    elapsed_seconds: float = 1.0,
) -> JobSnapshot:
    """A job as it rests after `past`; ended if `stop` says how."""
    step = past.steps[-1] if past.steps else 0
    return JobSnapshot(
        spec=spec,
        state="stopped" if stop else "paused",
        step=step,
        total_steps=STEPS_PER_EPOCH * spec.epochs,
        schedule=Schedule(60_000, spec.batch_size),
        history=past,
        evaluation=None,
        stop_reason=StopReason(stop, step, f"{stop.capitalize()} at step {step}.") if stop else None,
        note="",
        sharing=0,
        images_per_second=0.0,
        elapsed_seconds=elapsed_seconds,
        remaining_seconds=None,
        settings=spec,
        members=tuple(members),
    )


def bands(name: str, quantity: str) -> tuple[BookBand, ...]:
    """The bands of one of `BOOK_DESIGNS`, one an epoch."""
    runs = known_runs()[name]
    return tuple(band(runs, quantity, epoch) for epoch in range(1, BOOK_DESIGNS[name].spec.epochs + 1))
