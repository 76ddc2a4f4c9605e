"""`Trainable`: what a `TrainingJob` asks of what it trains, be it one network or several at once. Knows neither."""

from __future__ import annotations

import threading
from typing import Protocol

from mlp_core.network.concise import Network
from mlp_core.records import History, HistorySnapshot, StopReason
from mlp_core.spec import RunSpec
from mlp_core.training.checkpoints import Checkpoints, Moment
from mlp_core.training.evaluation import Evaluation
from mlp_core.training.inspection import InspectionLog


class Trainable(Protocol):
    """One experiment that is trained piece by piece; `Run` says what each of its calls does.

    Attributes:
        networks: how many are trained at once; `network`, `history` and `evaluation` are then the first one's.
        lock: held while what is read here changes; hold it to read several things that belong together.
        inspections: a log to which nothing needs to be added.
        checkpoints: without marks where none are taken.
    """

    spec: RunSpec
    networks: int
    lock: threading.Lock
    step: int
    history: History
    evaluation: Evaluation | None
    network: Network | None
    stop_reason: StopReason | None
    inspections: InspectionLog
    checkpoints: Checkpoints
    train_count: int
    steps_per_epoch: int
    total_steps: int

    @property
    def sizes(self) -> tuple[int, ...]: ...

    @property
    def finished(self) -> bool: ...

    @property
    def epoch(self) -> int: ...

    @property
    def images_seen(self) -> int: ...

    @property
    def testing(self) -> bool: ...

    @property
    def evaluated(self) -> bool: ...

    @property
    def members(self) -> tuple[HistorySnapshot, ...]: ...

    def prepare(self) -> None: ...

    def advance(self, *, steps: int | None = None, seconds: float | None = None) -> None: ...

    def evaluate(self, *, seconds: float | None = None) -> None: ...

    def stop(self, kind: str, detail: str) -> None: ...

    def abandon(self) -> None: ...

    def moment(self, step: int) -> Moment:
        """Raises ValueError for a step of which `checkpoints` keeps nothing."""

    def branch(self, step: int, lr: float) -> Trainable:
        """Raises ValueError for a step of which `checkpoints` keeps nothing."""
