"""What can be measured of training runs, one or several beside each other, as soon as an epoch has ended."""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from mlp_core.jobs import TrainingJob
from mlp_core.records import EpochRecord, LayerStats
from mlp_core.words import Message
from pages.ui import session
from pages.ui.measures import Kind, Measure, State, once
from pages.ui.run.job_groups import ShownRun, shown_runs
from pages.ui.session import JobGroup, Planned


def at_epoch(run: ShownRun, read: Callable[[EpochRecord], float], after: int | None) -> float | None:
    """A number of the record of an epoch, the last by default; of several seeds their median. None before all of them have ended it."""
    epoch = after or run.snapshot.spec.epochs
    if any(len(member.epochs) < epoch for member in run.members):
        return None
    return median(read(member.epochs[epoch - 1]) for member in run.members)


def _of_epoch(label: str, meaning: str, kind: Kind, read: Callable[[EpochRecord], float]) -> Measure:
    return Measure(label, meaning, kind, lambda run, after: at_epoch(run, read, after), per_epoch=True)


def _diverged(run: ShownRun) -> float | None:
    reason = run.snapshot.stop_reason
    return None if reason is None else reason.kind == "diverged"


OTHER_SETTINGS = Message("What was run last has other settings.")
MEAN, AFTER = Message("Mean over an epoch's batches"), Message("After an epoch")
LOSSES = {
    "train_loss": _of_epoch(Message("Training loss"), MEAN, "number", lambda epoch: epoch.train_loss),
    "test_loss": _of_epoch(Message("Test loss"), AFTER, "number", lambda epoch: epoch.test_loss),
    "diverged": once(Message("Diverged (1: yes, 0: no)"), Message("Whether the loss stopped being a finite number"), "count", _diverged),
}
ACCURACIES = {
    "train_accuracy": _of_epoch(Message("Training accuracy"), MEAN, "fraction", lambda epoch: epoch.train_accuracy),
    "test_accuracy": _of_epoch(Message("Test accuracy"), AFTER, "fraction", lambda epoch: epoch.test_accuracy),
    "gap": _of_epoch(
        Message("Training minus test accuracy"),
        Message("Of the same epoch"),
        "fraction",
        lambda epoch: epoch.train_accuracy - epoch.test_accuracy,
    ),
}
OF_CLASSES = LOSSES | ACCURACIES  # of runs on labels, and not on numbers


def of_layers(run: ShownRun, after: int | None, read: Callable[[Sequence[LayerStats]], float]) -> float | None:
    """A number of the layers as they were measured at the end of an epoch, the last by default."""
    history = run.snapshot.history
    epoch = after or run.snapshot.spec.epochs
    if len(history.epochs) < epoch:
        return None
    return next((read(probe.layers) for probe in history.probes if probe.step == history.epochs[epoch - 1].step), None)


def _first_gradient(run: ShownRun) -> float | None:
    probes = run.snapshot.history.probes
    return probes[0].layers[0].gradient_norm if probes else None


def _dead_fraction(layers: Sequence[LayerStats]) -> float:
    """Of all hidden units."""
    hidden = layers[:-1]
    return sum(layer.dead_units for layer in hidden) / sum(layer.units for layer in hidden) if hidden else math.nan


OF_LAYERS = {
    "first_layer_gradient": once(Message("First layer's gradient"), Message("|∂L/∂W₁| before training"), "number", _first_gradient),
    "distinct_units": Measure(
        Message("Distinct units"),
        Message("Of the first hidden layer, whose outputs differ on at least one of the images that the layers are measured on"),
        "count",
        lambda run, after: of_layers(run, after, lambda layers: layers[0].distinct_units if len(layers) > 1 else math.nan),
        per_epoch=True,
    ),
    "dead_fraction": Measure(
        Message("Dead units"),
        Message("Hidden units that put out 0 for all images that the layers are measured on"),
        "fraction",
        lambda run, after: of_layers(run, after, _dead_fraction),
        per_epoch=True,
    ),
}


def state_of(jobs: Sequence[TrainingJob], runs: int) -> State:
    """How far so many runs are, as many as are started of them; "none" where one was stopped by hand, failed, or was changed on the way."""
    if (
        not jobs
        or all(job.state == "ready" for job in jobs)
        or any(change not in job.run.planned for job in jobs for change in job.run.history.changes)
    ):
        return "none"
    if any(not job.ended or job.moving for job in jobs):
        return "moving"
    reasons = [job.run.stop_reason for job in jobs]
    whole = all(reason is not None and reason.kind in ("completed", "diverged") for reason in reasons)
    return ("done" if len(jobs) == runs else "moving") if whole else "none"


def unmeasured(jobs: Sequence[TrainingJob]) -> str:
    """Why runs are not measured though they are of the experiment; empty where nothing is wrong with them."""
    for job in jobs:
        for change in job.run.history.changes:
            if change not in job.run.planned:
                return Message("It was changed on the way, to {setting}.", setting=change.words)
        if (reason := job.run.stop_reason) is not None and reason.kind not in ("completed", "diverged"):
            return reason.detail
    return ""


@dataclass(frozen=True)
class Runs:
    """Runs that are trained beside each other.

    Args:
        name: under which the session holds them.
        key: of the experiment.
        planned: all of them, with their labels.
        epochs: of each.
        at_once: how many train at a time.
    """

    name: str
    key: Hashable
    planned: Sequence[Planned]
    measures: Mapping[str, Measure]
    epochs: int
    at_once: int = 1

    trains = True

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(planned.title for planned in self.planned) if len(self.planned) > 1 else ()

    def start(self) -> None:
        if self.state() == "moving":
            for job in self._group.jobs if self._group is not None else ():
                job.play()
        else:
            session.start_group(self.name, self.key, self.planned, self.at_once)

    def state(self) -> State:
        group = self._group
        return "none" if group is None or group.error is not None else state_of(group.jobs, len(self.planned))

    def unmeasured(self) -> str:
        return OTHER_SETTINGS if self.hidden() else unmeasured(self._group.jobs) if self._group is not None else ""

    def hidden(self) -> bool:
        return self._group is None and session.jobs().group(self.name) is not None

    def rest(self) -> None:
        pass

    def source(self, label: str | None) -> Any:
        if self._group is None or self.state() == "none":
            return None
        runs = shown_runs(self._group)
        return runs if label is None else next((run for run in runs if label in ("", run.title)), None)

    @property
    def _group(self) -> JobGroup | None:
        group = session.jobs().group(self.name)
        return group if group is not None and group.key == self.key else None
