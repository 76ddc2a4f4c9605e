"""How one server bears a class. Prints a table with the goals beside it; asserts no time.

    python -m tests.load [--students 30] [--seconds 30]

Thirty browsers would measure their own weight: these are thirty real WebSocket sessions against one real server. The bare loop that the
training is compared with runs before and after, on the same machine, while no student is there.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from mlp_core.data import load_fashion_mnist
from mlp_core.matmul import choose_matmul
from tests.bench.loops import PlainLoop
from tests.bench.machine import machine_line
from tests.bench.watching import fresh_server
from tests.load.classroom import MEGABYTE, Lesson, lesson

APP = Path(__file__).parents[2] / "app.py"
EPOCHS = 4  # of the bare loop, before and after


def bare_images_per_second(loop: PlainLoop, images: int) -> list[float]:
    rates = []
    for _ in range(EPOCHS):
        started = time.perf_counter()
        loop.epoch()
        rates.append(images / (time.perf_counter() - started))
    return rates


def table(measured: Lesson, bare: list[float]) -> str:
    """All that was measured, with the goals beside it."""
    memory, threads, alone = measured.memory, measured.threads, statistics.median(bare)
    per_session = (memory["all train"] - memory["one trains"]) / (measured.students - 1)
    back = memory["all have left"] / memory["before the lesson"] - 1
    rows = [
        ("training, all students", f"{measured.images_per_second:,.0f} images/s"),
        ("  of one bare loop", f"{measured.images_per_second / alone:.2f} of {alone:,.0f} images/s (goal: at least 0.85)"),
        ("  slowest student", f"{measured.slowest_share:.2f} of the fair share (goal: at least 0.7)"),
        ("page load, class arriving", _delays(measured.page_delays)),
        ("page load, all training", _delays(measured.busy_page_delays)),
        ("fragment, all training", _delays(measured.tick_delays, 300)),
        ("click, all training", _delays(measured.click_delays)),
        ("Stop, from the press to the page", _delays(measured.stop_delays, 250)),
        ("memory after start", _megabytes(memory["after start"])),
        ("  with the start page seen", _megabytes(memory["start page"])),
        ("  with data, one training", _megabytes(memory["one trains"])),
        ("  each further student", f"{per_session / MEGABYTE:.1f} MB (goal: below 6 MB)"),
        (f"  {measured.students} training", _megabytes(memory["all train"])),
        ("  all have left", f"{_megabytes(memory['all have left'])}, {100 * back:+.0f} % (goal: within 10 %)"),
        ("threads before, during, after", f"{threads['before the lesson']}, {threads['all train']}, {threads['all have left']}"),
        ("boxes with an exception", str(len(measured.exceptions))),
    ]
    return "\n".join(f"{name:34}{value}" for name, value in rows)


def _delays(seconds: list[float], goal_ms: int | None = None) -> str:
    if not seconds:
        return "none measured"
    middle, late = (1000 * float(np.percentile(seconds, q)) for q in (50, 95))
    goal = f" (goal: p95 below {goal_ms} ms)" if goal_ms else ""
    return f"median {middle:.0f} ms, p95 {late:.0f} ms of {len(seconds)}{goal}"


def _megabytes(size: int) -> str:
    return f"{size / MEGABYTE:,.0f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--students", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=30.0, help="of undisturbed training")
    options = parser.parse_args()
    torch.set_num_threads(1)
    choice, data = choose_matmul(), load_fashion_mnist()
    loop, images = PlainLoop(data), len(data.train_labels)
    loop.epoch()  # the first of everything is slow
    bare = bare_images_per_second(loop, images)
    with tempfile.TemporaryDirectory() as folder, fresh_server(APP, Path(folder)) as (url, server):
        say = lambda line: print(line, file=sys.stderr)  # noqa: E731
        measured = asyncio.run(lesson(url, server, options.students, options.seconds, say))
    bare += bare_images_per_second(loop, images)
    print(machine_line(choice.name))
    print(f"{options.students} WebSocket sessions train d2l's network on {images:,} images for {measured.seconds:.0f} s\n")
    print(table(measured, bare))
    for exception in measured.exceptions[:5]:
        print(exception)


if __name__ == "__main__":
    main()
