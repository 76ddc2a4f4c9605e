"""Runs that go on while nobody calls them: `TrainingJob`, and the one `Scheduler` of a process that gives every job its turns."""

from mlp_core.jobs.job import TrainingJob
from mlp_core.jobs.scheduler import MemoryBudgetError, Scheduler
from mlp_core.jobs.snapshot import JobSnapshot, Rewound

__all__ = ["JobSnapshot", "MemoryBudgetError", "Rewound", "Scheduler", "TrainingJob"]
