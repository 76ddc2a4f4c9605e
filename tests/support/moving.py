"""Ways to move a run on that must not matter for its numbers."""

from __future__ import annotations

import torch
from hypothesis import strategies as st

from mlp_core.training import Run
from mlp_core.training.replicates import Replicates

MOVES = st.one_of(
    st.tuples(st.just("steps"), st.integers(0, 9)),
    st.tuples(st.sampled_from(["moment", "seconds", "evaluate", "evaluate in part", "look", "watch", "prepare"]), st.just(0)),
)


def make(run: Run, move: str, steps: int) -> None:
    """Move a run on, or do something to it that must not matter."""
    match move:
        case "steps":
            run.advance(steps=steps)
        case "moment":
            run.advance(seconds=0.0)
        case "seconds":
            run.advance(seconds=0.001)
        case "evaluate":
            run.evaluate()
        case "evaluate in part":
            run.evaluate(seconds=0.0)
        case "look":
            run.inspections.look()
        case "watch":
            torch.rand(3)  # a page may draw from torch's own generator
            run.history.snapshot()
            if isinstance(run, Replicates):
                assert len(run.members) == 5
        case "prepare":
            run.prepare()
