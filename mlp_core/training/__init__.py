"""Train one experiment: `Run`, and what it evaluates, keeps and measures on the way."""

from mlp_core.training.run import Run

__all__ = ["Run"]
