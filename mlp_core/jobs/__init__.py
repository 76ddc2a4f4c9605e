"""Work that goes on while nobody calls it: `TrainingJob`, `Computation`, and the one `Scheduler` of a process that gives each its turns."""

from mlp_core.jobs.computation import Computation
from mlp_core.jobs.job import JobSnapshot, Rewound, TrainingJob
from mlp_core.jobs.scheduler import MemoryBudgetError, Scheduler

__all__ = ["Computation", "JobSnapshot", "MemoryBudgetError", "Rewound", "Scheduler", "TrainingJob"]
