"""What can be measured of training runs, one or several beside each other, as soon as an epoch has ended."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from mlp_core.jobs import TrainingJob
from mlp_core.records import EpochRecord
from pages.ui import session
from pages.ui.measures import Kind, Measure, State
from pages.ui.run.job_groups import ShownRun, shown_runs
from pages.ui.session import JobGroup, Planned


def at_epoch(run: ShownRun, read: Callable[[EpochRecord], float], after: int | None) -> float | None:
    """A number of the record of an epoch, the last by default; of several seeds their median. None before all of them have ended it."""
    epoch = after or run.snapshot.spec.epochs
    if any(len(member.epochs) < epoch for member in run.members):
        return None
    return median(read(member.epochs[epoch - 1]) for member in run.members)


def _of_epoch(label: str, kind: Kind, read: Callable[[EpochRecord], float]) -> Measure:
    return Measure(label, kind, lambda run, after: at_epoch(run, read, after), per_epoch=True)


def _diverged(run: ShownRun, _: int | None) -> float | None:
    reason = run.snapshot.stop_reason
    return None if reason is None else float(reason.kind == "diverged")


LOSSES = {
    "train_loss": _of_epoch("Training loss", "number", lambda epoch: epoch.train_loss),
    "test_loss": _of_epoch("Test loss", "number", lambda epoch: epoch.test_loss),
    "diverged": Measure("Diverged (1: yes, 0: no)", "count", _diverged),
}
ACCURACIES = {
    "train_accuracy": _of_epoch("Training accuracy", "fraction", lambda epoch: epoch.train_accuracy),
    "test_accuracy": _of_epoch("Test accuracy", "fraction", lambda epoch: epoch.test_accuracy),
    "gap": _of_epoch("Training accuracy minus test accuracy", "fraction", lambda epoch: epoch.train_accuracy - epoch.test_accuracy),
}
OF_CLASSES = LOSSES | ACCURACIES  # of runs on labels, and not on numbers


def first_layer_gradient(run: ShownRun, _: int | None) -> float | None:
    """|∂L/∂W₁| before the first step."""
    probes = run.snapshot.history.probes
    return probes[0].layers[0].gradient_norm if probes else None


FIRST_GRADIENT = {"first_layer_gradient": Measure("|∂L/∂W| of the first layer before training", "number", first_layer_gradient)}


def state_of(jobs: Sequence[TrainingJob], runs: int) -> State:
    """How far so many runs are, as many as are started of them; "none" where one was stopped by hand, failed, or was changed on the way."""
    if not jobs or any(change not in job.run.planned for job in jobs for change in job.run.history.changes):
        return "none"
    if any(not job.ended or job.moving for job in jobs):
        return "moving"
    reasons = [job.run.stop_reason for job in jobs]
    whole = all(reason is not None and reason.kind in ("completed", "diverged") for reason in reasons)
    return ("done" if len(jobs) == runs else "moving") if whole else "none"


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

    def hidden(self) -> bool:
        return self._group is None and session.jobs().group(self.name) is not None

    def source(self, label: str | None) -> Any:
        if self._group is None or self.state() == "none":
            return None
        runs = shown_runs(self._group)
        return runs if label is None else next((run for run in runs if label in ("", run.title)), None)

    @property
    def _group(self) -> JobGroup | None:
        group = session.jobs().group(self.name)
        return group if group is not None and group.key == self.key else None
