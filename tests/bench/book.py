"""The book's own way to train the same network: torchvision's data set, a DataLoader, and a loop that reads its numbers batch by batch.

python -m tests.bench.book FOLDER

answers every number of workers on its standard input with the seconds of one epoch. It is a process of its own, with PyTorch's own
settings, as a reader of the book would run it.

Reference: Zhang, Lipton, Li and Smola, "Dive into Deep Learning", sections 3.5, 3.6 and 4.3 of edition 0.17, the
second in Chinese.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mlp_core.data import Dataset
from mlp_core.data.files import FILES
from scripts.make_sample import idx_bytes

ROOT = Path(__file__).parents[2]


class EpochSeconds(Protocol):
    """Train one epoch with so many workers; how long it took."""

    def __call__(self, workers: int) -> float: ...


@contextmanager
def book_loop(data: Dataset, folder: Path) -> Iterator[EpochSeconds]:
    """The loop in its process, with `data` unpacked into `folder` as torchvision wants it."""
    raw = folder / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    parts = (data.train_images, data.train_labels.byte(), data.test_images, data.test_labels.byte())
    for name, tensor in zip(FILES, parts, strict=True):
        (raw / name).write_bytes(idx_bytes(tensor.numpy()))
    command = [sys.executable, "-W", "ignore", "-m", "tests.bench.book", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        to_book, from_book = process.stdin, process.stdout
        assert to_book is not None
        assert from_book is not None

        def epoch_seconds(workers: int) -> float:
            print(workers, file=to_book, flush=True)
            answer = from_book.readline()
            if not answer:
                raise RuntimeError(f"the book's loop ended with {process.wait()}")
            return float(answer)

        yield epoch_seconds
        to_book.close()  # at the end of its input the process ends


def main(folder: Path) -> None:
    from torchvision import transforms  # noqa: PLC0415 (3 s that who only starts this process need not wait for)
    from torchvision.datasets import FashionMNIST  # noqa: PLC0415

    train_set, test_set = (FashionMNIST(str(folder), train=train, transform=transforms.ToTensor()) for train in (True, False))
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for line in sys.stdin:
        workers = int(line)
        start = time.perf_counter()
        _train_epoch(net, DataLoader(train_set, batch_size=256, shuffle=True, num_workers=workers), optimizer)
        _test(net, DataLoader(test_set, batch_size=256, shuffle=False, num_workers=workers))
        print(time.perf_counter() - start, flush=True)


def _train_epoch(net: nn.Module, batches: DataLoader[Any], optimizer: torch.optim.Optimizer) -> None:
    loss_of = nn.CrossEntropyLoss(reduction="none")
    loss_sum = hits = 0.0
    net.train()
    for images, labels in batches:
        logits = net(images)
        losses = loss_of(logits, labels)
        optimizer.zero_grad()
        losses.mean().backward()
        optimizer.step()
        loss_sum += float(losses.sum())
        hits += _hits(logits, labels)


@torch.no_grad()
def _test(net: nn.Module, batches: DataLoader[Any]) -> None:
    net.eval()
    sum(_hits(net(images), labels) for images, labels in batches)


def _hits(logits: Tensor, labels: Tensor) -> float:
    return float((logits.argmax(dim=1).type(labels.dtype) == labels).type(labels.dtype).sum())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
