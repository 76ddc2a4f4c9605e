"""What five seeds at once cost beside one run: of d2l's network, and of the small networks of the plane. Prints; asserts no time.

python -m tests.bench.bench_replicates

One thread and its own time, so that others on the machine count little, and the library of matrix products that the app chooses. One and
five take turns, and ratios are taken within a round. An epoch includes its test and what a run measures of its layers. Beside the large
network stand the bare products of five, batched: no way to train five can cost less.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from mlp_core.data import Dataset, load_fashion_mnist
from mlp_core.labs.nonlinearity.plane import dataset, points_of, split
from mlp_core.losses import LOSSES
from mlp_core.runtime.devices import choose_matmul
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from mlp_core.training.replicates import DEFAULT_SEEDS, Replicates
from tests.bench.loops import BATCH, SIZES, TEST_BATCH, MatrixProducts
from tests.bench.machine import machine_line

ROUNDS, PLANE_ROUNDS = 7, 15
PLANE_EPOCHS = 20  # a round
LARGE_GOAL, PLANE_GOAL = 4.0, 1.5


@dataclass(frozen=True, slots=True)
class PlaneDesign:
    """A preset of the playground: `points` points of a shape, a part of them for the test, and what learns them."""

    shape: str
    points: int
    test_share: float
    spec: RunSpec
    loss: str


SMALL = RunSpec(hidden=(8,), init="he_normal", optimizer="adam", lr=0.03, batch_size=10, epochs=2000, device="cpu")
DEEPER = RunSpec(hidden=(8, 8), init="he_normal", optimizer="adam", lr=0.01, batch_size=20, epochs=2000, device="cpu")
TANH = RunSpec((8, 8), "tanh", init="xavier_normal", optimizer="adam", lr=0.01, batch_size=20, epochs=2000, device="cpu")
PLANE = {
    "XOR, 2-8-1": PlaneDesign("xor", 300, 0.5, SMALL, "logistic"),
    "Spiral, 2-8-8-1": PlaneDesign("spiral", 400, 0.2, DEEPER, "logistic"),
    "Three arms, 2-8-8-3": PlaneDesign("arms", 400, 0.2, DEEPER, "cross_entropy"),
    "Hills and hollows, 2-8-8-1": PlaneDesign("bumps", 500, 0.2, TANH, "squared"),
}


class BatchedProducts:
    """Nothing but the matrix products of an epoch of all networks and its test, on operands that lie ready; as batched as they get."""

    def __init__(self, data: Dataset) -> None:
        inputs, hidden, outputs = SIZES
        self._steps, self._tests = len(data.train_labels) // BATCH, len(data.test_labels) // TEST_BATCH
        self.W1, self.W2 = torch.randn(DEFAULT_SEEDS, hidden, inputs), torch.randn(DEFAULT_SEEDS, outputs, hidden)
        self.X, self.H, self.O = (torch.randn(DEFAULT_SEEDS, *shape) for shape in ((BATCH, inputs), (hidden, BATCH), (outputs, BATCH)))
        self.test_X, self.test_H = torch.randn(TEST_BATCH, inputs), torch.randn(DEFAULT_SEEDS, hidden, TEST_BATCH)
        self.dW1, self.dW2, self.dH, self.dO = (torch.empty_like(like) for like in (self.W1, self.W2, self.H, self.O))
        self.test_Z, self.test_O = torch.empty(DEFAULT_SEEDS * hidden, TEST_BATCH), torch.empty(DEFAULT_SEEDS, outputs, TEST_BATCH)

    def epoch(self) -> None:
        for _ in range(self._steps):
            torch.bmm(self.W1, self.X.mT, out=self.dH)
            torch.bmm(self.W2, self.H, out=self.dO)
            torch.bmm(self.O, self.H.mT, out=self.dW2)
            torch.bmm(self.W2.mT, self.O, out=self.dH)
            torch.bmm(self.H, self.X, out=self.dW1)
        for _ in range(self._tests):
            torch.mm(self.W1.flatten(0, 1), self.test_X.T, out=self.test_Z)
            torch.bmm(self.W2, self.test_H, out=self.test_O)


def _epochs(run: Run, epochs: int) -> Callable[[], None]:
    return lambda: run.advance(steps=epochs * run.steps_per_epoch)


def interleaved(contestants: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of every contestant in every round, after a first that does not count; each round begins with another one."""
    names = list(contestants)
    for contestant in contestants.values():
        contestant()
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            start = time.thread_time()
            contestants[name]()
            seconds[name].append(time.thread_time() - start)
    return seconds


def line(label: str, seconds: dict[str, list[float]], more: str, less: str, epochs: int, remark: str = "") -> str:
    """Milliseconds of an epoch of both, and how many times as long `more` takes: medians over the rounds."""
    of_less, of_more = (1000 * statistics.median(seconds[name]) / epochs for name in (less, more))
    times = statistics.median(a / b for a, b in zip(seconds[more], seconds[less], strict=True))
    return f"{label:34}{of_less:9.1f}{of_more:9.1f}{times:7.2f}  {remark}".rstrip()


def large_lines(data: Dataset) -> list[str]:
    spec = RunSpec(epochs=100, device="cpu")
    contestants: dict[str, Callable[[], object]] = {
        "one": _epochs(Run(spec, data), 1),
        "five": _epochs(Replicates(spec, data), 1),
        "products of one": MatrixProducts(data).epoch,
        "products of five": BatchedProducts(data).epoch,
    }
    seconds = interleaved(contestants, ROUNDS)
    return [
        line("784-256-10, batch 256, SGD", seconds, "five", "one", 1, f"(goal: at most {LARGE_GOAL})"),
        line("  bare products, of one and of five", seconds, "products of five", "products of one", 1),
        line("  one run, bare products of five", seconds, "products of five", "one", 1),
    ]


def plane_line(label: str, design: PlaneDesign) -> str:
    train, test = split(points_of(design.shape, design.points, 0.0, 0), design.test_share, 0)
    data, loss = dataset(train, test, ("x", "y")), LOSSES[design.loss]
    runs = {"one": Run(design.spec, data, loss), "five": Replicates(design.spec, data, loss)}
    seconds = interleaved({name: _epochs(run, PLANE_EPOCHS) for name, run in runs.items()}, PLANE_ROUNDS)
    return line(label, seconds, "five", "one", PLANE_EPOCHS, f"(goal: at most {PLANE_GOAL})")


def main() -> None:
    data = load_fashion_mnist()
    if data.is_sample:
        sys.exit("This needs the full set: " + " ".join(data.notes))
    torch.set_num_threads(1)
    print(machine_line(choose_matmul().name))
    print(f"medians of {ROUNDS} (large) and {PLANE_ROUNDS} (plane) interleaved rounds, milliseconds of one thread an epoch\n")
    print(f"{'':34}{'one':>9}{f'{DEFAULT_SEEDS} seeds':>9}{'ratio':>7}")
    print("\n".join(large_lines(data)))
    for label, design in PLANE.items():
        print(plane_line(label, design))


if __name__ == "__main__":
    main()
