"""Runs that go on while nobody calls them: `TrainingJob`, and the one `Scheduler` of a process that gives every job its turns."""

from mlp_core.jobs.job import JobSnapshot, Rewound, TrainingJob
from mlp_core.jobs.scheduler import MemoryBudgetError, Scheduler

__all__ = ["JobSnapshot", "MemoryBudgetError", "Rewound", "Scheduler", "TrainingJob"]
