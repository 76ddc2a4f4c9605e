"""What the engine is measured against: the bare matrix products of an epoch, and the fastest plain loop that trains the same network."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlp_core.data import Dataset

BATCH, TEST_BATCH = 256, 1000
SIZES = (784, 256, 10)


class MatrixProducts:
    """Nothing but the products of one epoch and its test, on operands that lie ready: what no loop can be faster than."""

    def __init__(self, data: Dataset) -> None:
        full, rest = divmod(len(data.train_labels), BATCH)
        self._train = [(_Operands(BATCH), full), *([(_Operands(rest), 1)] if rest else [])]
        self._test = (_Operands(TEST_BATCH), len(data.test_labels) // TEST_BATCH)

    def epoch(self) -> None:
        for operands, times in self._train:
            for _ in range(times):
                operands.forward()
                operands.backward()
        operands, times = self._test
        for _ in range(times):
            operands.forward()


class _Operands:
    """Factors and results for one batch of n images; the gradient of the images is not needed."""

    def __init__(self, n: int) -> None:
        inputs, hidden, outputs = SIZES
        generator = torch.Generator().manual_seed(0)
        self.x, self.h, self.g1, self.g2 = (torch.randn(n, width, generator=generator) for width in (inputs, hidden, hidden, outputs))
        self.w1, self.w2 = torch.randn(hidden, inputs, generator=generator), torch.randn(outputs, hidden, generator=generator)
        self.z1, self.z2, self.dw1, self.dw2 = (torch.empty_like(like) for like in (self.h, self.g2, self.w1, self.w2))

    def forward(self) -> None:
        torch.mm(self.x, self.w1.t(), out=self.z1)
        torch.mm(self.h, self.w2.t(), out=self.z2)

    def backward(self) -> None:
        torch.mm(self.g2.t(), self.h, out=self.dw2)
        torch.mm(self.g2, self.w2, out=self.g1)
        torch.mm(self.g1.t(), self.x, out=self.dw1)


class PlainLoop:
    """A plain PyTorch loop with nothing around it: images stay in memory as bytes, sums stay in tensors, two numbers are read an epoch."""

    def __init__(self, data: Dataset) -> None:
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(SIZES[0], SIZES[1]), nn.ReLU(), nn.Linear(SIZES[1], SIZES[2]))
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1)
        self.train_images, self.test_images = data.train_images.flatten(1), data.test_images.flatten(1)
        self.train_labels, self.test_labels = data.train_labels, data.test_labels

    def epoch(self) -> tuple[float, float]:
        """Mean training loss and test accuracy."""
        loss_sum, hits = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        for chosen in torch.split(torch.randperm(len(self.train_labels)), BATCH):
            labels = self.train_labels.index_select(0, chosen)
            logits = self.net(_scaled(self.train_images.index_select(0, chosen)))
            loss = F.cross_entropy(logits, labels)
            self.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            with torch.no_grad():
                loss_sum += loss * len(labels)
                hits += (logits.argmax(1) == labels).sum()
        return loss_sum.item() / len(self.train_labels), self._test_accuracy()

    @torch.no_grad()
    def _test_accuracy(self) -> float:
        hits = torch.zeros((), dtype=torch.int64)
        for images, labels in zip(torch.split(self.test_images, TEST_BATCH), torch.split(self.test_labels, TEST_BATCH), strict=True):
            hits += (self.net(_scaled(images)).argmax(1) == labels).sum()
        return hits.item() / len(self.test_labels)


def _scaled(images: Tensor) -> Tensor:
    return images.float().mul_(1 / 255)
