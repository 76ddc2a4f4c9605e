"""What training holds while it works: network, optimizer, batches, and the test in progress; and what a test gives."""

import contextlib
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mlp_core.activations import Activation
from mlp_core.data import Dataset
from mlp_core.losses import CROSS_ENTROPY, Loss
from mlp_core.network import NETWORKS, Network, generator_for
from mlp_core.network.network import images_per_piece, probed_images
from mlp_core.optimizers import Optimizer
from mlp_core.records import StepRecord
from mlp_core.spec import RunSpec
from mlp_core.training.checkpoints import Checkpoint
from mlp_core.training.inspection import Inspection


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


PIXEL_SCALE = 1 / 255


@dataclass(frozen=True, slots=True)
class KeptStep:
    """A kept step seen again: a network of its own with the weights of then, what it says of the test set, a look inside."""

    network: Network
    evaluation: Evaluation
    inspection: Inspection


class TrainingState:
    """Ready for the first step of an epoch.

    Args:
        data: as of a `Run`; so is `loss`.
        sizes: width of every layer, input and output included.
        activation: that of `spec`; looked up there if absent.

    Attributes:
        precision: hold it open around a training step, so that its matrix products are of the spec's precision.
        loss_sum, hits: of the epoch's images so far.
        probe_batch: images (n, d) and labels on which layers are measured.
    """

    def __init__(
        self, spec: RunSpec, data: Dataset, loss: Loss, sizes: tuple[int, ...], device: torch.device, activation: Activation | None = None
    ) -> None:
        self.network = NETWORKS[spec.implementation](spec, sizes, device, loss=loss, activation=activation)
        self.optimizer = Optimizer(spec, self.network.parameters())
        rounds = spec.precision == "bfloat16"
        self.precision = torch.autocast(device.type, torch.bfloat16) if rounds else contextlib.nullcontext()
        self.train_images = data.train_images[: spec.train_size].flatten(1).to(device)
        self.train_labels = data.train_labels[: spec.train_size].to(device)
        self.test_images = data.test_images.flatten(1).to(device)
        self.test_labels = data.test_labels.to(device)
        probed = probed_images(sizes, self.network.activation)
        self.probe_batch = (as_input(self.train_images[:probed]), self.train_labels[:probed].clone())
        self._test_piece = images_per_piece(sizes, self.network.activation)
        self._batch_size = spec.batch_size
        self._generator = generator_for(spec, "order")
        self.start_epoch()

    def follow(self, settings: RunSpec) -> None:
        """Take the next step with other settings, of those that may change in mid-run."""
        self.optimizer.spec, self.optimizer.lr, self._batch_size = settings, settings.lr, settings.batch_size
        self.network.set_dropout(settings.dropout)

    def start_epoch(self) -> None:
        self.loss_sum, self.hits, self._position = 0.0, 0.0, 0
        self._order_state = self._generator.get_state()
        self._order = torch.randperm(len(self.train_labels), generator=self._generator).to(self.train_labels.device)

    @property
    def epoch_done(self) -> bool:
        """Whether the next step would be the first of another epoch."""
        return self._position >= len(self.train_labels)

    def next_batch(self) -> tuple[Tensor, Tensor]:
        chosen = self._order[self._position : self._position + self._batch_size]
        self._position += self._batch_size
        return as_input(self.train_images.index_select(0, chosen)), self.train_labels.index_select(0, chosen)

    @torch.no_grad()
    def test_piece(self, test: EvaluationInProgress) -> bool:
        """Show the network the next images of the test set. Returns whether these were the last."""
        part = slice(test.seen, test.seen + self._test_piece)
        test.add(self.network.logits(as_input(self.test_images[part])), self.test_labels[part])
        return test.seen == len(self.test_labels)

    def checkpoint(self, step: int, record: StepRecord | None) -> Checkpoint:
        """Where training stands, after `step` steps, the last of which is `record`."""
        state = self.network.state(), self.optimizer.state(), self._order_state
        return Checkpoint(step, *state, self._position, self.loss_sum, self.hits, record)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go back, or on, to where training stood."""
        self.network.load_state(checkpoint.network)
        self.optimizer.load_state(checkpoint.optimizer)
        self._generator.set_state(checkpoint.order)
        self.start_epoch()
        self._position, self.loss_sum, self.hits = checkpoint.position, checkpoint.loss_sum, checkpoint.hits


def as_input(images: Tensor) -> Tensor:
    """(n, d) uint8 -> float32 in 0..1; float data stays as it is."""
    return images.float().mul_(PIXEL_SCALE) if images.dtype == torch.uint8 else images
