"""What happened in a run, as plain data: steps, epochs, measured layers.

Wall-clock times are not in here, so that two histories of one spec are equal, bit for bit.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any, NamedTuple, overload

from mlp_core.words import exactly

STEP_CAPACITY = 20_000  # about 85 epochs of d2l's setting; 0.5 MB


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One minibatch: `loss` and `accuracy` (a fraction) are of its own images, before the update it caused."""

    step: int
    loss: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """One pass over the training images.

    `train_loss` and `train_accuracy` are means over the epoch's images as they were met (as d2l reports them, with dropout on);
    `test_loss` and `test_accuracy` are measured after it, dropout off. Accuracies are fractions.
    """

    epoch: int
    step: int
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float


@dataclass(frozen=True, slots=True)
class LayerStats:
    """One layer, measured on a probe batch at one step. Norms are Euclidean and absolute, computed in float64.

    `saturated_fraction` and `dead_units` are of the layer's activation; both are 0 for the output layer, which has none.
    `distinct_units` counts units whose outputs differ on at least one probe image.
    """

    layer: int  # 1 is the first hidden layer; the last one is the output layer
    units: int
    activation_mean: float
    activation_std: float
    saturated_fraction: float
    dead_units: int
    distinct_units: int
    weight_norm: float
    gradient_norm: float  # |dL/dW|


@dataclass(frozen=True, slots=True)
class ProbeRecord:
    """All layers at one step, first hidden layer first."""

    step: int
    layers: tuple[LayerStats, ...]


# Fields of a `RunSpec` that may change in mid-run -> what they are called there.
CHANGEABLE = {"lr": "lr", "weight_decay": "weight decay", "dropout": "dropout", "batch_size": "batch"}


@dataclass(frozen=True, slots=True)
class SettingChange:
    """A setting, one of `CHANGEABLE`, was changed after `step` steps: step `step + 1` is the first one with it."""

    step: int
    field: str
    value: float | tuple[float, ...]

    @property
    def words(self) -> str:
        """What it was changed to: "lr 0.01", "dropout 0.2, 0.5"."""
        values = (self.value or (0.0,)) if isinstance(self.value, tuple) else (self.value,)
        shown = values[:1] if len(set(values)) == 1 else values
        return f"{CHANGEABLE[self.field]} {', '.join(exactly(value, 6) for value in shown)}"


def settings_after(changes: Sequence[SettingChange]) -> dict[str, Any]:
    """Field -> value of all that was changed: the experiment as it goes on is `replace(spec, **settings_after(changes))`."""
    return {change.field: change.value for change in changes}


class _Stretch(NamedTuple):
    """Steps of one batch size: after how many others they begin, the epochs complete by then, and the images done of the next."""

    step: int
    epochs: int
    done: int
    batch_size: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """Which steps make up which epoch of a run, whatever its batch size is changed to on the way.

    A step takes the next `batch_size` images of the epoch's order, the epoch's last one what is left. A change counts from the next step
    on and the order goes on from where it is: every epoch stays one pass over the images.

    Args:
        images: how many there are to train on.
        batch_size: at the beginning.
        changes: of any settings, in order; those of the batch size count.
    """

    images: int
    batch_size: int
    changes: tuple[SettingChange, ...] = ()

    @property
    def steps_per_epoch(self) -> int:
        """Of an epoch at the first batch size."""
        return math.ceil(self.images / self.batch_size)

    def place(self, step: int) -> tuple[int, int]:
        """Epochs complete after so many steps, and images done of the next."""
        return self._further([stretch for stretch in self._stretches() if stretch.step <= step][-1], step)

    def steps(self, epochs: int) -> int:
        """After how many steps so many epochs are complete."""
        stretches = self._stretches()
        ends = [self._first_end(one) + (epochs - one.epochs - 1) * math.ceil(self.images / one.batch_size) for one in stretches]
        return next((end for end, following in zip(ends, stretches[1:], strict=False) if end <= following.step), ends[-1])

    def knots(self, epochs: int) -> tuple[tuple[int, float], ...]:
        """Steps and the epochs done by then, to the end, between which all steps are equally long; none where all of the run's are."""
        stretches, place = self._stretches(), 0.0
        knots = [(0, place)]
        for number, one in enumerate(stretches, start=1):
            end = stretches[number].step if number < len(stretches) else self.steps(epochs)
            first_end = self._first_end(one)
            if end > first_end:
                knots.append((first_end, one.epochs + 1.0))
                place = one.epochs + 1 + (end - first_end) / math.ceil(self.images / one.batch_size)
            else:
                place += (one.epochs + 1 - place) * (end - one.step) / (first_end - one.step)
            knots.append((end, place))
        return tuple(knots) if len(stretches) > 1 else ()

    def _stretches(self) -> list[_Stretch]:
        stretches = [_Stretch(0, 0, 0, self.batch_size)]
        for change in self.changes:
            if change.field == "batch_size" and isinstance(change.value, int):
                stretches.append(_Stretch(change.step, *self._further(stretches[-1], change.step), change.value))
        return stretches

    def _first_end(self, stretch: _Stretch) -> int:
        """The step at which the epoch ends that is under way when the stretch begins."""
        return stretch.step + math.ceil((self.images - stretch.done) / stretch.batch_size)

    def _further(self, stretch: _Stretch, step: int) -> tuple[int, int]:
        """What `place` says of a step of the stretch."""
        beyond = step - self._first_end(stretch)
        if beyond < 0:
            return stretch.epochs, stretch.done + (step - stretch.step) * stretch.batch_size
        epochs, steps = divmod(beyond, math.ceil(self.images / stretch.batch_size))
        return stretch.epochs + 1 + epochs, steps * stretch.batch_size


@dataclass(frozen=True, slots=True)
class StopReason:
    """Why a run ended. `kind` is "completed", "stopped", "diverged", "out_of_memory", "device_lost",
    "failed" or "abandoned"; `detail` is for a person."""

    kind: str
    step: int
    detail: str

    def __str__(self) -> str:
        return self.detail


class StepLog(Sequence[StepRecord]):
    """Records of steps in order, in bounded memory.

    Holds every step until it is full; then every second one is let go and from there on every second, fourth, … step is kept.
    The newest is always there, as the last.
    """

    def __init__(self, capacity: int = STEP_CAPACITY) -> None:
        self._capacity = capacity
        self.stride = 1  # every `stride`-th step is kept
        self._columns: tuple[array[int], array[float], array[float]] = array("q"), array("d"), array("d")

    def append(self, record: StepRecord) -> None:
        steps, losses, accuracies = self._columns
        if steps and steps[-1] % self.stride:
            for column in self._columns:
                column.pop()  # it was there only because it was the newest
        if len(self) >= self._capacity:
            self.stride *= 2
            kept = [step % self.stride == 0 for step in steps]
            self._columns = steps, losses, accuracies = (
                array("q", compress(steps, kept)),
                array("d", compress(losses, kept)),
                array("d", compress(accuracies, kept)),
            )
        steps.append(record.step)
        losses.append(record.loss)
        accuracies.append(record.accuracy)

    @property
    def columns(self) -> tuple[array[int], array[float], array[float]]:
        """Steps, losses and accuracies as three arrays of equal length; copies, so that a reader never sees one grow."""
        steps, losses, accuracies = self._columns
        n = len(accuracies)
        return steps[:n], losses[:n], accuracies[:n]

    def until(self, step: int) -> StepLog:
        """A log of its own of the steps up to and including `step`, as far as they are kept; it goes on as coarsely as this one."""
        log, (steps, losses, accuracies) = StepLog(self._capacity), self.columns
        end = bisect_right(steps, step)
        log.stride, log._columns = self.stride, (steps[:end], losses[:end], accuracies[:end])
        return log

    def __len__(self) -> int:
        return len(self._columns[-1])

    @overload
    def __getitem__(self, index: int) -> StepRecord: ...
    @overload
    def __getitem__(self, index: slice) -> list[StepRecord]: ...
    def __getitem__(self, index: int | slice) -> StepRecord | list[StepRecord]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        steps, losses, accuracies = self._columns
        return StepRecord(steps[index], losses[index], accuracies[index])

    def __iter__(self) -> Iterator[StepRecord]:
        return map(StepRecord, *self.columns)

    def __eq__(self, other: object) -> bool:
        """Equal bit for bit (NaN equals NaN)."""
        if not isinstance(other, StepLog):
            return NotImplemented
        mine = [column.tobytes() for column in self.columns]
        return self.stride == other.stride and mine == [column.tobytes() for column in other.columns]

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class HistorySnapshot:
    """A history at one moment: later training does not change it. `steps`, `losses` and `accuracies` are of equal length.

    `knots` are those of its `Schedule`.
    """

    steps: array[int]
    losses: array[float]
    accuracies: array[float]
    stride: int
    epochs: tuple[EpochRecord, ...]
    probes: tuple[ProbeRecord, ...]
    changes: tuple[SettingChange, ...] = ()
    knots: tuple[tuple[int, float], ...] = ()

    def until(self, step: int) -> HistorySnapshot:
        """What was recorded up to and including `step`."""
        end = bisect_right(self.steps, step)
        return HistorySnapshot(
            self.steps[:end],
            self.losses[:end],
            self.accuracies[:end],
            self.stride,
            tuple(record for record in self.epochs if record.step <= step),
            tuple(record for record in self.probes if record.step <= step),
            tuple(change for change in self.changes if change.step <= step),
            self.knots,
        )


@dataclass(slots=True)
class History:
    """All that a run recorded. The run appends; everybody else reads."""

    steps: StepLog = field(default_factory=StepLog)
    epochs: list[EpochRecord] = field(default_factory=list)
    probes: list[ProbeRecord] = field(default_factory=list)
    changes: list[SettingChange] = field(default_factory=list)
    knots: tuple[tuple[int, float], ...] = ()

    def snapshot(self) -> HistorySnapshot:
        steps, losses, accuracies = self.steps.columns
        return HistorySnapshot(
            steps, losses, accuracies, self.steps.stride, tuple(self.epochs), tuple(self.probes), tuple(self.changes), self.knots
        )

    def until(self, step: int) -> History:
        """A history of its own of what was recorded up to and including `step`."""
        past = self.snapshot().until(step)
        return History(self.steps.until(step), list(past.epochs), list(past.probes), list(past.changes))
