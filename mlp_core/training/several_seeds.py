"""What five seeds of one experiment need while they train at once: their networks in one, all their batches in one. Records nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from mlp_core import optimizers
from mlp_core.data import Dataset
from mlp_core.losses import Loss
from mlp_core.network import concise as model
from mlp_core.network import scratch
from mlp_core.network.batched import Batched
from mlp_core.network.concise import generator_for
from mlp_core.spec import RunSpec
from mlp_core.training.evaluation import EvaluationInProgress
from mlp_core.training.workbench import Workbench, as_input, images_per_piece


class SeveralSeeds(Workbench):
    """A workbench for S seeds; what it has of one network (`network`, `measure`, `inspect`) is of the first seed.

    Every seed draws its weights, its order of the images and its dropout masks as it would alone.

    Args:
        spec, data, loss, sizes, device: as of a `Workbench`.
        seeds: one a network.

    Attributes:
        batched: all networks; `optimizer` is theirs.
        loss_sums, hit_sums: of every seed's images so far in this epoch.
    """

    def __init__(
        self, spec: RunSpec, data: Dataset, loss: Loss, sizes: tuple[int, ...], device: torch.device, seeds: Sequence[int]
    ) -> None:
        specs = [replace(spec, seed=seed) for seed in seeds]
        self._orders = [generator_for(one, "order") for one in specs]  # before the first epoch, which the base class begins
        super().__init__(specs[0], data, loss, sizes, device)
        made = [(model if spec.implementation == "concise" else scratch).build(one, sizes, device, loss=loss) for one in specs[1:]]
        self.batched = Batched([self.network, *made], spec, loss, [generator_for(one, "dropout", device) for one in specs])
        self.optimizer = (optimizers if spec.implementation == "concise" else scratch).make_optimizer(spec, self.batched.parameters())
        self._loss = loss
        self._test_piece = images_per_piece(sizes, len(seeds))

    def start_epoch(self) -> None:
        seeds, count = len(self._orders), len(self.train_labels)
        self._position, self.loss_sums, self.hit_sums = 0, [0.0] * seeds, [0.0] * seeds
        orders = torch.stack([torch.randperm(count, generator=generator) for generator in self._orders])
        steps = torch.split(orders, self._batch_size, dim=1)
        self._order = torch.cat([step.flatten() for step in steps]).to(self.train_labels.device)  # each step's batches lie together

    def next_batch(self) -> tuple[Tensor, Tensor]:
        """Every seed's next images (S, n, d), and labels (S, n) or targets (S, n, out)."""
        seeds = len(self._orders)
        chosen = self._order[seeds * self._position : seeds * (self._position + self._batch_size)]
        self._position += self._batch_size
        images, labels = as_input(self.train_images.index_select(0, chosen)), self.train_labels.index_select(0, chosen)
        return images.view(seeds, -1, images.shape[1]), labels.view(seeds, -1, *labels.shape[1:])

    def right(self, logits: Tensor, labels: Tensor) -> list[float]:
        """How many labels (S, n) the logits (S, n, out) of every seed get right; NaN where there is no right and wrong."""
        if self._loss.scores is None:
            return [math.nan] * len(logits)
        right: list[float] = (self._loss.scores(logits).argmax(dim=2) == labels).sum(dim=1).tolist()
        return right

    def count(self, losses: Sequence[float], hits: Sequence[float], images: int) -> None:
        """Add a step of every seed to the epoch's sums."""
        self.loss_sums = [total + loss * images for total, loss in zip(self.loss_sums, losses, strict=True)]
        self.hit_sums = [total + right for total, right in zip(self.hit_sums, hits, strict=True)]

    @torch.no_grad()
    def test_piece(self, test: EvaluationInProgress) -> bool:
        """Show the networks the next images of the test set; all of them where an epoch ends, else that of the first seed alone."""
        if not test.ends_epoch:
            return super().test_piece(test)
        if test.seen == 0:
            self._tested = torch.zeros(2, len(self._orders), dtype=torch.float64)
        part = slice(test.seen, test.seen + self._test_piece)
        labels = self.test_labels[part]
        losses, logits = self.batched.test(as_input(self.test_images[part]), labels)
        self._tested += torch.tensor([(losses.double() * len(labels)).tolist(), self.right(logits, labels)], dtype=torch.float64)
        test.add(logits[0], labels)
        return test.seen == len(self.test_labels)

    def tested(self) -> tuple[list[float], list[float]]:
        """Test loss and accuracy of every seed, after the last piece of the test that ends an epoch."""
        losses, accuracies = (self._tested / len(self.test_labels)).tolist()
        return losses, accuracies
