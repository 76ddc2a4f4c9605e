"""A run as a page sees it, without a job: for panels that are handed a snapshot."""

from __future__ import annotations

from mlp_core.jobs import JobSnapshot
from mlp_core.records import HistorySnapshot
from mlp_core.training import Run


def snapshot_of(run: Run, state: str = "paused", members: tuple[HistorySnapshot, ...] = ()) -> JobSnapshot:
    """What a job in this state would say of the run."""
    return JobSnapshot(
        spec=run.spec,
        state=state,
        step=run.step,
        total_steps=run.total_steps,
        schedule=run.schedule,
        history=run.history.snapshot(),
        evaluation=run.evaluation,
        stop_reason=run.stop_reason,
        note="",
        sharing=0,
        images_per_second=0.0,
        elapsed_seconds=0.0,
        remaining_seconds=None,
        settings=run.settings,
        inspections=run.inspections.entries,
        members=members,
    )
