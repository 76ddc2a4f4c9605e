"""Look back: move the page to an earlier step of a run at rest, and branch off from there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from mlp_core.jobs import JobSnapshot, TrainingJob
from mlp_core.network import Network
from mlp_core.spec import BOUNDS, SpecError
from pages.ui.refusals import accept, refusal, refuse
from pages.ui.run.run_controls import worded
from pages.ui.text import count
from pages.ui.unbroken import button

Branch = Callable[[TrainingJob, int, float], None]  # goes on from a step with an lr
STAYS = "This one stays among the runs side by side."


@dataclass(frozen=True, slots=True)
class RunAtStep:
    """What the panels show: a run as it stood at a step. `cursor` is that step, None where it is the newest."""

    snapshot: JobSnapshot
    network: Network | None
    cursor: int | None = None


def rewind_panel(job: TrainingJob, now: JobSnapshot, branch: Branch, outcome: str = STAYS) -> RunAtStep:
    """A slider over the steps that the run kept, and the moment it is at; while the run moves, the newest.

    Args:
        branch: trains on from an earlier step; may raise `SpecError`.
        outcome: what then becomes of this run, as a sentence.
    """
    newest = RunAtStep(now, job.run.network)
    earlier = [step for step in now.checkpoint_steps if step < now.step]
    if job.moving or not earlier:
        return newest
    with st.container(horizontal=True, vertical_alignment="bottom", key="rewind_row"):
        step = st.select_slider(
            "Look back",
            [*earlier, now.step],
            value=now.step,
            key=f"rewind_{now.step}",  # begins at the newest step whenever the run has come to rest
            format_func=lambda step: f"step {count(step)}" if step < now.step else "now",
            help="Moves everything on this page to a step that the run kept: few of the first steps and the ends of epochs.",
        )
        if step == now.step:
            return newest
        _branching(job, step, now.lr / 10, branch, outcome)
    if (error := refusal("branch", job)) is not None:
        st.error(worded(error), icon=":material/error:")
    rewound = job.rewound(step)
    return RunAtStep(rewound.snapshot, rewound.network, step)


def _branching(job: TrainingJob, step: int, suggested_lr: float, branch: Branch, outcome: str) -> None:
    """Another learning rate from that step on, in a run of its own."""
    st.text_input("Another lr from there on", key="branch_lr", placeholder=f"{suggested_lr:g}", width=180, max_chars=20)
    help = f"A new run with this one's past up to there. {outcome}"
    button(f"Branch from step {count(step)}", "branch", "call_split", _branch, job, step, suggested_lr, branch, help=help)


def _branch(job: TrainingJob, step: int, suggested_lr: float, branch: Branch) -> None:
    text = st.session_state.get("branch_lr", "").strip()
    try:
        lr = BOUNDS["lr"].read("lr", text) if text else suggested_lr
        branch(job, step, float(lr))
    except SpecError as error:
        refuse("branch", job, error)
    else:
        accept("branch")
