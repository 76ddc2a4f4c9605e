"""Places in a run that can be gone back to: what is kept of them, when, and how much of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from mlp_core.network.network import NetworkState
from mlp_core.optimizers import OptimizerState
from mlp_core.records import History, StepRecord

MAX_CHECKPOINTS = 32
MIN_CHECKPOINTS = 3  # fewer are none: of two, one would be the beginning and one the end
MAX_CHECKPOINT_BYTES = 32_000_000  # for all checkpoints of a run; taking one copies a tenth of that at the most, within a few milliseconds
EVEN_MARKS = 12
GENERATOR_BYTES = 5056  # the state of one of torch's generators; a checkpoint has two


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All that a run needs to go on from `step` as if nothing had happened, but its history. Nobody changes its tensors.

    `order` is the state of the generator of the images' order at the epoch's beginning; of that order, `position` images are done.
    `loss_sum` and `hits` are theirs. `record` is that of the step itself, None at step 0.
    """

    step: int
    network: NetworkState
    optimizer: OptimizerState
    order: Tensor
    position: int
    loss_sum: float
    hits: float
    record: StepRecord | None

    def past(self, history: History) -> History:
        """What `history` says up to here, with the newest step last, as it was then."""
        past = history.until(self.step)
        if self.record is not None and past.steps[-1:] != [self.record]:
            past.steps.append(self.record)
        return past


def marks(steps_per_epoch: int, epochs: int) -> tuple[int, ...]:
    """Steps worth keeping: 0, 1, 2, 5, 10, 20, 50, …, since most happens early, and about a dozen evenly spread ones that cover the run.

    The even ones are ends of epochs, and with few epochs equal parts of them.
    """
    total = steps_per_epoch * epochs
    rounds = (factor * 10**decade for decade in range(len(str(total))) for factor in (1, 2, 5))
    early = {0, *(step for step in rounds if step <= total)}
    if epochs > EVEN_MARKS:
        stride = steps_per_epoch * -(-epochs // EVEN_MARKS)
        return tuple(sorted(early | set(range(stride, total, stride)) | {total}))
    parts = EVEN_MARKS // epochs
    return tuple(sorted(early | {round(part * steps_per_epoch / parts) for part in range(1, epochs * parts + 1)}))


class Checkpoints:
    """The checkpoints of one run, at `marks` and in bounded memory: of marks that do not all fit, evenly many are left out.

    Args:
        marks: steps at which to take one, ascending; without any, none is ever kept.
        bytes_each: the size of one.
    """

    def __init__(self, marks: Sequence[int] = (), bytes_each: int = 0) -> None:
        self._marks, self._bytes_each = marks, bytes_each
        self._kept: dict[int, Checkpoint] = {}
        self.allow(MAX_CHECKPOINT_BYTES)

    def allow(self, limit_bytes: float) -> None:
        """Plan to take no more than `limit_bytes`, nor than `MAX_CHECKPOINT_BYTES`. What is kept already stays."""
        most = int(min(limit_bytes, MAX_CHECKPOINT_BYTES)) // max(1, self._bytes_each)
        self._planned = frozenset(_evenly(self._marks, min(MAX_CHECKPOINTS, most)))

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps kept, ascending."""
        return tuple(self._kept)

    @property
    def least_bytes(self) -> int:
        """What the fewest checkpoints take that are worth keeping."""
        return MIN_CHECKPOINTS * self._bytes_each

    @property
    def planned_bytes(self) -> int:
        """What the checkpoints hold once all are taken."""
        return self._bytes_each * len(self._planned | set(self._kept))

    @property
    def memory_bytes(self) -> int:
        """What they hold."""
        return self._bytes_each * len(self._kept)

    def due(self, step: int) -> bool:
        return step in self._planned

    def keep(self, checkpoint: Checkpoint) -> None:
        self._kept[checkpoint.step] = checkpoint

    def at(self, step: int) -> Checkpoint:
        """The checkpoint of `step`.

        Raises:
            ValueError: none is kept.
        """
        if step not in self._kept:
            kept = ", ".join(map(str, self._kept)) or "none"
            raise ValueError(f"step: must be one that is kept ({kept}), got {step!r}")
        return self._kept[step]

    def inherit(self, other: Checkpoints, step: int) -> None:
        """Share those of `other` up to and including `step`."""
        self._kept = {at: checkpoint for at, checkpoint in other._kept.items() if at <= step}

    def clear(self) -> None:
        self._kept, self._planned = {}, frozenset()


def _evenly(marks: Sequence[int], most: int) -> list[int]:
    """At most `most` of `marks`, the first and the last among them."""
    if len(marks) <= most:
        return list(marks)
    if most < MIN_CHECKPOINTS:
        return []
    return [marks[round(index * (len(marks) - 1) / (most - 1))] for index in range(most)]
