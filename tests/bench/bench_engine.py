"""How fast the app trains beside a bare loop, how soon it answers, what it weighs. Prints; asserts no time.

python -m tests.bench.bench_engine

All contestants train d2l's network (784-256-10, batch 256, SGD) on the whole of Fashion-MNIST and test it once an epoch, on one thread and
with the library of matrix products that the app chooses; only the book's loop runs as the book leaves it. They take turns, so that
whatever else the machine does meets all of them alike, and ratios are taken within a round.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import torch
from playwright.sync_api import Page

from mlp_core.data import Dataset, load_fashion_mnist
from mlp_core.jobs import TrainingJob
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from pages.ui import session
from tests.bench.book import EpochSeconds, book_loop
from tests.bench.hosting import beside_server
from tests.bench.loops import MatrixProducts, PlainLoop
from tests.bench.machine import machine_line
from tests.bench.watching import chromium, fresh_server, press_train, rerun_seconds, reset, resident_megabytes, visit

APP = Path(__file__).parents[2] / "app.py"
ROUNDS, FEWEST_ROUNDS = 5, 3
BUDGET_SECONDS = 180  # after which no new round begins: a busy machine takes several times as long
WATCHED_EPOCHS = 2  # of which the second and third of a run are timed: the first one also builds the page's charts
RERUNS = 12

FIVE_NUMBERS = "In five numbers"
BY_HAND, ROUNDED = "advance, by hand", "advance, bfloat16"
PRODUCTS, PLAIN, ADVANCE, WATCHED, BOOK_4, BOOK_0 = "products", "plain", "advance", "watched", "book, 4 workers", "book, 0 workers"


@dataclass(slots=True)
class Measured:
    """Seconds of an epoch by contestant, one entry a round; and what was measured of the page and of its process."""

    epochs: dict[str, list[float]] = field(default_factory=dict)
    first_points: list[float] = field(default_factory=list)
    cold_first_point: float = 0.0
    reruns: list[float] = field(default_factory=list)
    megabytes_before: float = 0.0
    megabytes: float = 0.0

    def ratio(self, slower: str, faster: str) -> float:
        """How many times as long an epoch of `slower` takes as one of `faster`, as the median over the rounds."""
        return statistics.median(a / b for a, b in zip(self.epochs[slower], self.epochs[faster], strict=True))


def measure_page(measured: Measured, folder: Path) -> None:
    """What the first visitor of a fresh server meets."""
    with fresh_server(APP, folder) as (url, server), chromium() as browser:
        page = visit(browser, url)
        measured.megabytes_before = resident_megabytes(server)
        measured.cold_first_point = press_train(page)
        page.get_by_text("Epoch 2 of").wait_for()
        measured.megabytes = resident_megabytes(server)
        reset(page)
        measured.reruns = rerun_seconds(page, RERUNS)


def measure_epochs(measured: Measured, data: Dataset, book: EpochSeconds, url: str) -> None:
    """Let the contestants take turns, each round beginning with another one."""
    torch.set_num_threads(1)
    session.engine()
    products, plain = MatrixProducts(data), PlainLoop(data)
    specs = {ADVANCE: RunSpec(epochs=100), BY_HAND: RunSpec(epochs=100, implementation="by_hand")}
    specs[ROUNDED] = RunSpec(epochs=100, precision="bfloat16")
    with chromium() as browser:
        page = visit(browser, url)
        contestants: dict[str, Callable[[], float]] = {
            PRODUCTS: lambda: _seconds(products.epoch),
            PLAIN: lambda: _seconds(plain.epoch),
            **{name: _epochs_of(Run(spec, data)) for name, spec in specs.items()},
            WATCHED: lambda: _watched_epoch(page, measured),
            BOOK_4: lambda: book(4),
            BOOK_0: lambda: book(0),
        }
        for contestant in (PRODUCTS, PLAIN, *specs):  # the first of everything is slow
            contestants[contestant]()
        names, began = list(contestants), time.monotonic()
        for turn in range(ROUNDS):
            if turn >= FEWEST_ROUNDS and time.monotonic() - began > BUDGET_SECONDS:
                break
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                measured.epochs.setdefault(name, []).append(contestants[name]())
                print(f"round {turn + 1}: {name} {measured.epochs[name][-1]:.2f} s/epoch", file=sys.stderr)


def _epochs_of(run: Run) -> Callable[[], float]:
    """Seconds of a run's next epoch."""
    return lambda: _seconds(lambda: run.advance(steps=run.steps_per_epoch))


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _watched_epoch(page: Page, measured: Measured) -> float:
    """Seconds of an epoch of a job that the page has started and goes on showing."""
    measured.first_points.append(press_train(page))
    (job,) = (job for job in session.engine()[0]._jobs if isinstance(job, TrainingJob) and job.state == "playing")
    _wait_for_epoch(job, 1)
    seconds = _seconds(lambda: _wait_for_epoch(job, 1 + WATCHED_EPOCHS)) / WATCHED_EPOCHS
    reset(page)
    return seconds


def _wait_for_epoch(job: TrainingJob, epoch: int) -> None:
    while job.run.epoch < epoch:
        if job.ended:
            raise RuntimeError(f"the watched run ended early: {job.run.stop_reason}")
        time.sleep(0.005)


def table(measured: Measured, images: int) -> str:
    """All that was measured, with the goals beside it."""
    rows = {
        PRODUCTS: ("bare matrix products of an epoch", ""),
        PLAIN: ("(a) a plain PyTorch loop", ""),
        ADVANCE: (
            "(b) Run.advance",
            f"b/a {measured.ratio(PLAIN, ADVANCE):.2f} (goal: at least 1.2); "
            f"{measured.ratio(ADVANCE, PRODUCTS):.2f} x the products (goal: at most 1.5)",
        ),
        BY_HAND: ("    its gradients written out", f"{measured.ratio(PLAIN, BY_HAND):.2f} of (a)'s speed"),
        ROUNDED: ("    with bfloat16 products", f"{measured.ratio(PLAIN, ROUNDED):.2f} of (a)'s speed"),
        WATCHED: ("(c) the app, a browser watching", f"c/a {measured.ratio(PLAIN, WATCHED):.2f} (goal: at least 0.96)"),
        BOOK_4: ("the book's loop, its 4 workers", f"(c) is {measured.ratio(BOOK_4, WATCHED):.1f} x as fast (goal: at least 5)"),
        BOOK_0: ("the book's loop, no workers", f"(c) is {measured.ratio(BOOK_0, WATCHED):.1f} x as fast"),
    }
    lines = [f"{'':34}{'s/epoch':>9}{'images/s':>11}"]
    for name, (label, remark) in rows.items():
        seconds = statistics.median(measured.epochs[name])
        lines.append(f"{label:34}{seconds:9.2f}{images / seconds:11,.0f}  {remark}".rstrip())
    first, rerun = statistics.median(measured.first_points), 1000 * statistics.median(measured.reruns)
    lines += [
        f"Train to the first point on the screen: {first:.2f} s (goal: below 1 s); in a new server {measured.cold_first_point:.2f} s",
        f"Rerun of the training page, from the click to the picture: {rerun:.0f} ms (goal: below 200 ms)",
        f"Memory of the server: {measured.megabytes:.0f} MB with the data and one run; {measured.megabytes_before:.0f} MB before the run",
    ]
    return "\n".join(lines)


def five_numbers(measured: Measured) -> str:
    """What matters most to who uses the app, in five lines."""
    build = "CUDA" if torch.version.cuda else "CPU"
    return "\n".join(
        [
            f"{measured.ratio(PLAIN, WATCHED):.2f} of the speed of a plain PyTorch loop, while a browser watches (goal: at least 0.96)",
            f"{measured.ratio(BOOK_4, WATCHED):.1f} times as fast as the book's loop with its 4 workers (goal: at least 5)",
            f"{statistics.median(measured.first_points):.2f} s from Train to the first point on the screen (goal: below 1 s)",
            f"{1000 * statistics.median(measured.reruns):.0f} ms from a click on a control to the new picture (goal: below 200 ms)",
            f"{measured.megabytes:.0f} MB of memory with the data and one run, in the {build} build of PyTorch",
        ]
    )


def main() -> None:
    data, measured = load_fashion_mnist(), Measured()
    if data.is_sample:
        sys.exit("This needs the full set: " + " ".join(data.notes))
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2)]
        measure_page(measured, folders[0])
        book = stack.enter_context(book_loop(data, folders[1]))
        beside_server(APP, lambda url: measure_epochs(measured, data, book, url))
    print(machine_line(session.engine()[1].name))
    print(f"784-256-10, batch 256, SGD, {len(data.train_labels):,} images and a test of {len(data.test_labels):,} an epoch; ", end="")
    print(f"medians of {len(measured.epochs[PLAIN])} interleaved rounds\n")
    print(table(measured, len(data.train_labels)))
    print(f"\n{FIVE_NUMBERS}\n{five_numbers(measured)}")


if __name__ == "__main__":
    main()
