"""What happened in a run, as plain data: steps, epochs, measured layers.

Wall-clock times are not in here, so that two histories of one spec are equal, bit for bit.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, overload

from mlp_core.words import Message, exactly, listed

STEP_CAPACITY = 20_000  # about 85 epochs of d2l's setting; 0.5 MB
SHORTEST_PIECE = 8  # steps; with up to four records of each, shorter ones would save little
StopKind = Literal["completed", "stopped", "diverged", "out_of_memory", "device_lost", "failed", "abandoned"]


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
CHANGEABLE = {"lr": "lr", "weight_decay": Message("weight decay"), "dropout": Message("dropout"), "batch_size": Message("batch")}
CHANGED_TO = {  # and what is said of a value that they were changed to
    "lr": Message("lr {value}"),
    "weight_decay": Message("weight decay {value}"),
    "dropout": Message("dropout {value}"),
    "batch_size": Message("batch {value}"),
}


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
        return Message(CHANGED_TO[self.field], value=listed([exactly(value, 6) for value in shown]))


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
    """Why a run ended; `detail` is for a person."""

    kind: StopKind
    step: int
    detail: str

    def __str__(self) -> str:
        return self.detail


class Pieces(NamedTuple):
    """What a long log still knows of its older steps beside their extremes: piece after piece, from the first step on, the means."""

    ends: array[int]  # the last step of each
    losses: array[float]
    accuracies: array[float]

    @classmethod
    def none(cls) -> Pieces:
        return cls(array("q"), array("d"), array("d"))

    @property
    def end(self) -> int:
        """The last step that is in a piece; of all later ones there is the record."""
        return self.ends[-1] if self.ends else 0

    @property
    def sizes(self) -> list[int]:
        """How many steps each is made of."""
        return [end - before for before, end in zip((0, *self.ends), self.ends, strict=False)]

    def until(self, step: int) -> Pieces:
        """Those that end by `step`."""
        count = bisect_right(self.ends, step)
        return Pieces(self.ends[:count], self.losses[:count], self.accuracies[:count])


class Recent(NamedTuple):
    """Mean loss and accuracy of the last steps, and how many these are."""

    loss: float
    accuracy: float
    steps: int


class _Piece(NamedTuple):
    """Steps that are to be one piece: the sums of their losses and accuracies, and where their records are."""

    end: int
    size: int
    loss: float
    accuracy: float
    records: range

    def joined(self, other: _Piece) -> _Piece:
        records = range(self.records.start, other.records.stop)
        return _Piece(other.end, self.size + other.size, self.loss + other.loss, self.accuracy + other.accuracy, records)


class StepLog(Sequence[StepRecord]):
    """Records of steps in order, in bounded memory.

    Holds every step until it is full; then all but the newest are put into pieces of 8, 16, 32, … steps (single ones may be shorter), of
    which it keeps the means, and the records with the lowest and the highest loss and accuracy. The first step is always there too.

    Args:
        capacity: of records, at least 20; the newest twentieth of them stays whole.
    """

    def __init__(self, capacity: int = STEP_CAPACITY) -> None:
        self.capacity = capacity
        self.stride = 1  # steps in the longest piece
        self.pieces = Pieces.none()  # never changed, only replaced
        self._columns: tuple[array[int], array[float], array[float]] = array("q"), array("d"), array("d")

    @classmethod
    def of(cls, history: HistorySnapshot, capacity: int = STEP_CAPACITY) -> StepLog:
        """The log that a snapshot was taken of, with as much room as is given."""
        log = cls(capacity)
        log.stride, log.pieces = history.stride, history.pieces
        log._columns = history.steps[:], history.losses[:], history.accuracies[:]
        if len(log) > capacity:
            log._thin()
        return log

    def append(self, record: StepRecord) -> None:
        if len(self) >= self.capacity:
            self._thin()
        steps, losses, accuracies = self._columns
        steps.append(record.step)
        losses.append(record.loss)
        accuracies.append(record.accuracy)

    def _thin(self) -> None:
        """Put all but the newest twentieth into pieces, and join these two by two until a quarter of the room is free."""
        steps, losses, accuracies = self._columns
        length = max(self.stride, SHORTEST_PIECE)
        pieces, first, newest = [], 0, len(steps) - self.capacity // 20
        for end, loss, accuracy, size in zip(*self.pieces, self.pieces.sizes, strict=True):
            last = bisect_right(steps, end, first)
            pieces.append(_Piece(end, size, loss * size, accuracy * size, range(first, last)))
            first = last
        for start in range(first, newest, length):
            here = range(start, min(start + length, newest))
            loss, accuracy = (math.fsum(of[here.start : here.stop]) for of in (losses, accuracies))
            pieces.append(_Piece(steps[here[-1]], len(here), loss, accuracy, here))
        while 4 * len(pieces) + self.capacity // 20 > self.capacity * 3 // 4:
            pieces = [one.joined(*others) if others else one for one, *others in (pieces[i : i + 2] for i in range(0, len(pieces), 2))]
        kept = {0, *range(newest, len(steps))}
        for piece in pieces:
            kept |= {choose(piece.records, key=of.__getitem__) for of in (losses, accuracies) for choose in (min, max) if piece.records}
        self.stride = max(piece.size for piece in pieces)
        self.pieces = Pieces(
            array("q", (piece.end for piece in pieces)),
            array("d", (piece.loss / piece.size for piece in pieces)),
            array("d", (piece.accuracy / piece.size for piece in pieces)),
        )
        self._columns = steps, losses, accuracies = (
            array("q", (steps[i] for i in sorted(kept))),
            array("d", (losses[i] for i in sorted(kept))),
            array("d", (accuracies[i] for i in sorted(kept))),
        )

    @property
    def columns(self) -> tuple[array[int], array[float], array[float]]:
        """Steps, losses and accuracies as three arrays of equal length; copies, so that a reader never sees one grow."""
        steps, losses, accuracies = self._columns
        n = len(accuracies)
        return steps[:n], losses[:n], accuracies[:n]

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
        mine, theirs = ([column.tobytes() for column in (*log.columns, *log.pieces)] for log in (self, other))
        return self.stride == other.stride and mine == theirs

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class HistorySnapshot:
    """A history at one moment: later training does not change it. `steps`, `losses` and `accuracies` are of equal length.

    Of a long run the older steps are not all there, as said of `StepLog`, whose `stride` and `pieces` these are. `knots` are those of its
    `Schedule`.
    """

    steps: array[int]
    losses: array[float]
    accuracies: array[float]
    stride: int
    epochs: tuple[EpochRecord, ...]
    probes: tuple[ProbeRecord, ...]
    changes: tuple[SettingChange, ...] = ()
    knots: tuple[tuple[int, float], ...] = ()
    pieces: Pieces = field(default_factory=Pieces.none)

    def recent(self, count: int) -> Recent:
        """Of the last `count` steps, as far back as there are any; whole pieces where the steps are not kept."""
        single = min(count, len(self.steps) - bisect_right(self.steps, self.pieces.end))
        steps, loss, accuracy = single, *(sum(of[len(of) - single :]) for of in (self.losses, self.accuracies))
        for size, piece_loss, piece_accuracy in zip(
            self.pieces.sizes[::-1], self.pieces.losses[::-1], self.pieces.accuracies[::-1], strict=True
        ):
            if steps >= count:
                break
            steps, loss, accuracy = steps + size, loss + size * piece_loss, accuracy + size * piece_accuracy
        return Recent(loss / steps, accuracy / steps, steps) if steps else Recent(math.nan, math.nan, 0)

    def thinned(self, capacity: int) -> HistorySnapshot:
        """The same with at most so many steps."""
        if len(self.steps) <= capacity:
            return self
        log = StepLog.of(self, capacity)
        steps, losses, accuracies = log.columns
        return replace(self, steps=steps, losses=losses, accuracies=accuracies, stride=log.stride, pieces=log.pieces)

    def until(self, step: int) -> HistorySnapshot:
        """What was recorded up to and including `step`, as far as it is kept; of a piece that ends later, its records."""
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
            self.pieces.until(step),
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
        records = tuple(self.epochs), tuple(self.probes), tuple(self.changes)
        return HistorySnapshot(steps, losses, accuracies, self.steps.stride, *records, self.knots, self.steps.pieces)

    def until(self, step: int) -> History:
        """A history of its own of what was recorded up to and including `step`."""
        past = self.snapshot().until(step)
        return History(StepLog.of(past, self.steps.capacity), list(past.epochs), list(past.probes), list(past.changes))
