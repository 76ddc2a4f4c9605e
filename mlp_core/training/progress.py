"""`Progress`: what is to be trained on what, and how far that has come, for all to read. Trains nothing and builds nothing."""

from __future__ import annotations

import math
import threading

from mlp_core.data import Dataset
from mlp_core.expression import resolve
from mlp_core.losses import CROSS_ENTROPY, Loss
from mlp_core.network.concise import Network
from mlp_core.records import History, HistorySnapshot, StopReason
from mlp_core.runtime.devices import find_device
from mlp_core.spec import RunSpec
from mlp_core.training.checkpoints import Checkpoints
from mlp_core.training.evaluation import Evaluation
from mlp_core.training.inspection import InspectionLog


class Progress:
    """One experiment on one data set, at its beginning.

    Args:
        spec: the experiment.
        data: images (n, ...) as uint8 (scaled to 0..1 as they are used) or float32, labels (n,) int64 from 0; or, where the loss asks
            for numbers, targets (n, 1) float32.
        loss: what the last layer means.

    Raises:
        SpecError: the device is not there.
        ExpressionError: the visitor's own activation cannot be compiled.
    """

    networks = 1  # trained at once

    def __init__(self, spec: RunSpec, data: Dataset, loss: Loss = CROSS_ENTROPY) -> None:
        self.spec, self.data, self.loss = spec, data, loss
        self.device = find_device(spec.device)
        self.activation = resolve(spec.activation)
        self.history = History()
        self.inspections = InspectionLog()
        self.checkpoints = Checkpoints()
        self.evaluation: Evaluation | None = None
        self.network: Network | None = None  # until the first piece of work builds it
        self.step = 0
        self.stop_reason: StopReason | None = None
        self.lock = threading.Lock()  # held while the history changes; hold it to read while another thread advances
        self.train_count = min(spec.train_size or len(data.train_labels), len(data.train_labels))
        self.steps_per_epoch = math.ceil(self.train_count / spec.batch_size)
        self.total_steps = self.steps_per_epoch * spec.epochs
        self.inputs = math.prod(data.train_images.shape[1:])
        self.outputs = loss.outputs(data.train_labels, data.test_labels)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Width of every layer from input to output."""
        return (self.inputs, *self.spec.hidden, self.outputs)

    @property
    def finished(self) -> bool:
        return self.stop_reason is not None

    @property
    def epoch(self) -> int:
        """Completed epochs, tested."""
        return len(self.history.epochs)

    @property
    def lr(self) -> float:
        """Learning rate of the next step."""
        changes = self.history.lr_changes
        return changes[-1].lr if changes else self.spec.lr

    @property
    def images_seen(self) -> int:
        """Training images used so far, each epoch counted anew."""
        epochs, steps = divmod(self.step, self.steps_per_epoch)
        return epochs * self.train_count + steps * self.spec.batch_size

    @property
    def tested(self) -> bool:
        """Whether `evaluation` is of the weights as they are."""
        return self.evaluation is not None and self.evaluation.step == self.step

    @property
    def evaluated(self) -> bool:
        """Whether there is nothing to evaluate: what can do no more, or is `tested` and, where somebody looks inside, inspected."""
        return self.finished or (self.tested and not self.inspections.lacks(self.step))

    @property
    def members(self) -> tuple[HistorySnapshot, ...]:
        """The histories of several seeds that train at once; of one alone, none."""
        return ()
