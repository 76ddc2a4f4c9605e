"""`TrainingState`: what a run needs only while it trains: network, optimizer, the data on the device, the place in the epoch."""

import torch
from torch import Tensor

from mlp_core.activations import Activation
from mlp_core.data import Dataset
from mlp_core.losses import Loss
from mlp_core.network import NETWORKS, generator_for
from mlp_core.optimizers import Optimizer
from mlp_core.records import StepRecord
from mlp_core.spec import RunSpec, weight_count
from mlp_core.training.checkpoints import Checkpoint
from mlp_core.training.evaluation import EvaluationInProgress
from mlp_core.training.inspection import PROBE_IMAGES

PIXEL_SCALE = 1 / 255
TEST_PIECE_FLOPS = 2_000_000_000  # about 50 ms on one core: what one piece of a test may cost
TEST_PIECE_IMAGES = 1000


def images_per_piece(sizes: tuple[int, ...], networks: int = 1) -> int:
    """How many test images are looked at in one go by so many networks of these widths."""
    return max(1, min(TEST_PIECE_IMAGES, TEST_PIECE_FLOPS // (2 * networks * weight_count(sizes))))


class TrainingState:
    """Ready for the first step of an epoch.

    Args:
        data: as of a `Run`; so is `loss`.
        sizes: width of every layer, input and output included.
        activation: that of `spec`; looked up there if absent.

    Attributes:
        loss_sum, hits: of the epoch's images so far.
        probe_batch: images (n, d) and labels on which layers are measured.
    """

    def __init__(
        self, spec: RunSpec, data: Dataset, loss: Loss, sizes: tuple[int, ...], device: torch.device, activation: Activation | None = None
    ) -> None:
        self.network = NETWORKS[spec.implementation](spec, sizes, device, loss=loss, activation=activation)
        self.optimizer = Optimizer(spec, self.network.parameters())
        self.train_images = data.train_images[: spec.train_size].flatten(1).to(device)
        self.train_labels = data.train_labels[: spec.train_size].to(device)
        self.test_images = data.test_images.flatten(1).to(device)
        self.test_labels = data.test_labels.to(device)
        self.probe_batch = (as_input(self.train_images[:PROBE_IMAGES]), self.train_labels[:PROBE_IMAGES].clone())
        self._test_piece = images_per_piece(sizes)
        self._batch_size = spec.batch_size
        self._generator = generator_for(spec, "order")
        self.start_epoch()

    def start_epoch(self) -> None:
        self.loss_sum, self.hits, self._position = 0.0, 0.0, 0
        self._order_state = self._generator.get_state()
        self._order = torch.randperm(len(self.train_labels), generator=self._generator).to(self.train_labels.device)

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
