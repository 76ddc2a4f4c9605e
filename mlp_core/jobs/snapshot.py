"""A job at one moment, as plain data for a page: `JobSnapshot` and, of a step that was kept, `Rewound`. Later training changes neither."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mlp_core.network import Network
from mlp_core.records import HistorySnapshot, StopReason
from mlp_core.spec import RunSpec
from mlp_core.training.checkpoints import KeptStep
from mlp_core.training.evaluation import Evaluation
from mlp_core.training.inspection import Inspection


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """A job at one moment.

    `state` is "ready", "playing", "paused", "finished" or "stopped"; `note` says why where nobody asked for that state; `sharing` counts
    the jobs that take turns, this one included, and `place` is this one's in the line for the next turn, from 1; both are 0 at rest, and
    `place` is where nobody else wants a turn. `lr` is that of the next step; `inspections` were made while somebody looked
    inside, oldest first; `checkpoint_steps` can be gone back to; `members` are the histories of several seeds, if there are several.
    """

    spec: RunSpec
    state: str
    step: int
    total_steps: int
    steps_per_epoch: int
    history: HistorySnapshot
    evaluation: Evaluation | None
    stop_reason: StopReason | None
    note: str
    sharing: int
    images_per_second: float
    elapsed_seconds: float
    remaining_seconds: float | None
    lr: float
    inspections: tuple[Inspection, ...] = ()
    checkpoint_steps: tuple[int, ...] = ()
    members: tuple[HistorySnapshot, ...] = ()
    place: int = 0

    @property
    def fraction_done(self) -> float:
        return self.step / self.total_steps


@dataclass(frozen=True, slots=True)
class Rewound:
    """A job as it stood at a kept step: resting there, with a network of its own. `snapshot.elapsed_seconds` alone is of now."""

    snapshot: JobSnapshot
    network: Network


def rewound(snapshot: JobSnapshot, kept: KeptStep, step: int) -> Rewound:
    """The job of `snapshot` as it stood at an earlier step, as `kept`."""
    history = snapshot.history.until(step)
    earlier = (inspection for inspection in snapshot.inspections if inspection.step < step)
    then = replace(
        snapshot,
        state="paused",
        step=step,
        history=history,
        evaluation=kept.evaluation,
        stop_reason=None,
        note="",
        sharing=0,
        place=0,
        images_per_second=0.0,
        remaining_seconds=None,
        lr=lr_after(snapshot.spec, history),
        inspections=(*earlier, kept.inspection),
        checkpoint_steps=tuple(at for at in snapshot.checkpoint_steps if at <= step),
    )
    return Rewound(then, kept.network)


def lr_after(spec: RunSpec, history: HistorySnapshot) -> float:
    """The learning rate of the step after the last one in `history`."""
    return history.lr_changes[-1].lr if history.lr_changes else spec.lr
