"""The test set as a network sees it, gathered a part at a time."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mlp_core.losses import CROSS_ENTROPY, Loss


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The test set after `step` steps.

    `labels` and `predicted` are (n,) uint8, `probabilities` (n, classes) float16; `loss` is the mean cross-entropy in nats and
    `accuracy` a fraction. Of a regression, `labels` and `predicted` are (n, 1) float32, `probabilities` has no columns, `loss` is the mean
    of ½(o − y)² and `accuracy` is NaN.
    """

    step: int
    labels: np.ndarray
    predicted: np.ndarray
    probabilities: np.ndarray
    loss: float
    accuracy: float

    def confusion(self) -> np.ndarray:
        """Counts (classes, classes): row is the label, column the prediction."""
        classes = self.probabilities.shape[1]
        cells = self.labels.astype(np.int64) * classes + self.predicted
        return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


class EvaluationInProgress:
    """What has been seen of the test set so far. `ends_epoch` says whether an epoch waits for the result."""

    def __init__(self, step: int, *, ends_epoch: bool = False, loss: Loss = CROSS_ENTROPY) -> None:
        self.step, self.ends_epoch = step, ends_epoch
        self._loss = loss
        self.seen = 0
        self._labels: list[Tensor] = []
        self._probabilities: list[Tensor] = []
        self._predicted: list[Tensor] = []
        self._loss_sum = 0.0

    def add(self, logits: Tensor, labels: Tensor) -> None:
        """Take the next images: outputs (n, out) and labels (n,), or targets (n, 1)."""
        self.seen += len(labels)
        if self._loss.scores is None:
            self._loss_sum += (logits - labels).square().double().sum().item() / 2
            self._labels.append(labels.cpu())
            self._predicted.append(logits.cpu())
            self._probabilities.append(torch.empty(len(labels), 0))
        else:
            logits = self._loss.scores(logits)
            log_probabilities = logits.float().log_softmax(dim=1)
            self._loss_sum -= log_probabilities.gather(1, labels[:, None]).double().sum().item()
            self._labels.append(labels.to("cpu", torch.uint8))
            self._predicted.append(logits.argmax(dim=1).to("cpu", torch.uint8))
            self._probabilities.append(log_probabilities.exp().to("cpu", torch.float16))

    def result(self) -> Evaluation:
        labels, predicted = torch.cat(self._labels), torch.cat(self._predicted)
        return Evaluation(
            step=self.step,
            labels=labels.numpy(),
            predicted=predicted.numpy(),
            probabilities=torch.cat(self._probabilities).numpy(),
            loss=self._loss_sum / self.seen,
            accuracy=math.nan if self._loss.scores is None else int((labels == predicted).sum()) / self.seen,
        )
