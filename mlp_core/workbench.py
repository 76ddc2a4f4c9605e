"""What a run needs only while it works: network, optimizer, the data on the device, the place in the epoch. Records nothing."""

from __future__ import annotations

import torch
from torch import Tensor

from mlp_core import model, optimizers, scratch
from mlp_core.data import Dataset
from mlp_core.ends import End
from mlp_core.model import generator_for
from mlp_core.probe import PROBE_IMAGES
from mlp_core.spec import RunSpec, weight_count

PIXEL_SCALE = 1 / 255
TEST_PIECE_FLOPS = 2_000_000_000  # about 50 ms on one core: what one piece of a test may cost
TEST_PIECE_IMAGES = 1000


class Workbench:
    """Ready for the first step of an epoch.

    Args:
        data: as of a `Run`; so is `end`.
        sizes: width of every layer, input and output included.

    Attributes:
        loss_sum, hits: of the epoch's images so far.
        probe_batch: images (n, d) and labels on which layers are measured.
    """

    def __init__(self, spec: RunSpec, data: Dataset, end: End, sizes: tuple[int, ...], device: torch.device) -> None:
        concise = spec.implementation == "concise"
        self.network = (model if concise else scratch).build(spec, sizes, device, loss=end.loss)
        self.optimizer = (optimizers if concise else scratch).make_optimizer(spec, self.network.parameters())
        train_count = min(spec.train_size or len(data.train_labels), len(data.train_labels))
        self.train_images = data.train_images[:train_count].reshape(train_count, -1).to(device)
        self.train_labels = data.train_labels[:train_count].to(device)
        self.test_images = data.test_images.reshape(len(data.test_images), -1).to(device)
        self.test_labels = data.test_labels.to(device)
        self.test_count = len(self.test_labels)
        self.probe_batch = (_as_input(self.train_images[:PROBE_IMAGES]), self.train_labels[:PROBE_IMAGES].clone())
        self._test_piece = max(1, min(TEST_PIECE_IMAGES, TEST_PIECE_FLOPS // (2 * weight_count(sizes))))
        self._batch_size = spec.batch_size
        self._generator = generator_for(spec, "order")
        self.start_epoch()

    def start_epoch(self) -> None:
        self.loss_sum, self.hits, self._position = 0.0, 0.0, 0
        self._order = torch.randperm(len(self.train_labels), generator=self._generator).to(self.train_labels.device)

    def next_batch(self) -> tuple[Tensor, Tensor]:
        chosen = self._order[self._position : self._position + self._batch_size]
        self._position += self._batch_size
        return _as_input(self.train_images.index_select(0, chosen)), self.train_labels.index_select(0, chosen)

    def test_batch(self, start: int) -> tuple[Tensor, Tensor]:
        end = start + self._test_piece
        return _as_input(self.test_images[start:end]), self.test_labels[start:end]


def _as_input(images: Tensor) -> Tensor:
    """(n, d) uint8 -> float32 in 0..1; float data stays as it is."""
    return images.float().mul_(PIXEL_SCALE) if images.dtype == torch.uint8 else images
