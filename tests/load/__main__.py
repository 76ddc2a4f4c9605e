"""How one server bears a class. Prints a table with the goals beside it; asserts no time.

python -m tests.load [--students 30] [--seconds 30] [--servers 1] [--only training|class|sweep] [--write]
python -m tests.load --against /another/tree [--seconds 20] [--rounds 2]    (two versions of the app, in turns)

Three scenarios: a class that only trains (tests/load/classroom.py); and on one server a class that is led through a lesson and bets
(tests/load/taught.py), and one that trains while somebody sweeps. Thirty browsers would measure their own weight: these are thirty real
WebSocket sessions against one real server. The bare loop that the training is compared with runs before and after, on
the same machine, while no student is there.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch

from mlp_core.data import load_fashion_mnist
from mlp_core.runtime.devices import choose_matmul
from tests.bench.__main__ import with_results
from tests.bench.loops import PlainLoop
from tests.bench.machine import machine_line
from tests.bench.watching import fresh_server
from tests.load.classroom import MEGABYTE, Lesson, lesson, lesson_beside_a_sweep, short_lesson
from tests.load.taught import Taught, taught_lesson, with_own_lesson

ROOT = Path(__file__).parents[2]
APP, SCALING = ROOT / "app.py", ROOT / "docs" / "scaling.md"
EPOCHS = 4  # of the bare loop, before and after
MOST_INTERVAL_MS = 1500  # a third of what it was when every update sent whole figures


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
    per_session = (memory["all train"] - memory["one trains"]) / (measured.students - measured.servers)
    one = "one training" if measured.servers == 1 else "one training on each"
    back = memory["all have left"] / memory["before the lesson"] - 1
    rows = [
        *_training_rows(measured, alone),
        ("page load, class arriving", _delays(measured.page_delays)),
        ("page load, all training", _delays(measured.busy_page_delays)),
        ("click, all training", _delays(measured.click_delays)),
        ("Stop, from the press to the page", _delays(measured.stop_delays, 250)),
        ("memory after start", _megabytes(memory["after start"])),
        ("  with the start page seen", _megabytes(memory["start page"])),
        (f"  with data, {one}", _megabytes(memory["one trains"])),
        ("  each further student", f"{per_session / MEGABYTE:.1f} MB (goal: below 6 MB)"),
        (f"  {measured.students} training", _megabytes(memory["all train"])),
        ("  all have left", f"{_megabytes(memory['all have left'])}, {100 * back:+.0f} % (goal: within 10 %)"),
        ("threads before, during, after", f"{threads['before the lesson']}, {threads['all train']}, {threads['all have left']}"),
        ("boxes with an exception", str(len(measured.exceptions))),
    ]
    return "\n".join(f"{name:34}{value}" for name, value in rows)


def class_table(measured: Taught, bare: list[float]) -> str:
    """What a class in a lesson measured, with the goals beside it."""
    training, alone = measured.training, statistics.median(bare)
    rows = [
        ("from the address to the question", _delays(measured.joined)),
        ("from a bet to the teacher's screen", _delays(measured.bets, 1000)),
        ("  while all train", _delays(measured.busy_bets, 1000)),
        ("from Reveal or Next to all pages", _delays(measured.followed)),
        ("a question how the class stands", _delays(measured.class_delays)),
        *_training_rows(training, alone),
        (f"memory, {training.students} training", _megabytes(training.memory["all train"])),
        ("boxes with an exception", str(len(training.exceptions))),
    ]
    return "\n".join(f"{name:36}{value}" for name, value in rows)


def _training_rows(measured: Lesson, alone: float) -> list[tuple[str, str]]:
    """Shares and updates of those who train, beside a bare loop's images/s."""
    return [
        ("training, all students", f"{measured.images_per_second:,.0f} images/s"),
        ("  of one bare loop", f"{measured.images_per_second / alone:.2f} of {alone:,.0f} images/s (goal: at least 0.85)"),
        ("  slowest student", f"{measured.slowest_share:.2f} of the fair share (goal: at least 0.7)"),
        ("between two updates of a page", _delays(measured.intervals, MOST_INTERVAL_MS, "median at most")),
        ("  an update takes", f"{measured.update_bytes:,.0f} bytes, {measured.update_messages:.1f} messages"),
        ("fragment, all training", _delays(measured.tick_delays, 300)),
    ]


def _delays(seconds: list[float], goal_ms: int | None = None, goal: str = "p95 below") -> str:
    if not seconds:
        return "none measured"
    middle, late = (1000 * float(np.percentile(seconds, q)) for q in (50, 95))
    aim = f" (goal: {goal} {goal_ms} ms)" if goal_ms else ""
    return f"median {middle:.0f} ms, p95 {late:.0f} ms of {len(seconds)}{aim}"


def _megabytes(size: int) -> str:
    return f"{size / MEGABYTE:,.0f} MB"


def side_by_side(before: list[tuple[Lesson, float]], after: list[tuple[Lesson, float]]) -> str:
    """Two versions of the app: medians over the rounds, and the second over the first within a round.

    Args:
        before: a short lesson with one of them, and images/s of the bare loop right before and after it.
        after: the same with the other.
    """

    def late(seconds: list[float]) -> float:
        return 1000 * float(np.percentile(seconds, 95)) if seconds else float("nan")

    rows: list[tuple[str, str, Callable[[Lesson, float], float]]] = [
        ("training, of one bare loop", ".2f", lambda measured, bare: measured.images_per_second / bare),
        ("  slowest student, of the fair share", ".2f", lambda measured, _: measured.slowest_share),
        ("between two updates, median ms", ",.0f", lambda measured, _: 1000 * statistics.median(measured.intervals)),
        ("  p95 ms", ",.0f", lambda measured, _: late(measured.intervals)),
        ("bytes an update", ",.0f", lambda measured, _: measured.update_bytes),
        ("messages an update", ".1f", lambda measured, _: measured.update_messages),
        ("page load, class arriving, p95 ms", ",.0f", lambda measured, _: late(measured.page_delays)),
        ("answer to a tick, p95 ms", ",.0f", lambda measured, _: late(measured.tick_delays)),
        ("Stop, p95 ms", ",.0f", lambda measured, _: late(measured.stop_delays)),
        ("boxes with an exception", ".0f", lambda measured, _: float(len(measured.exceptions))),
    ]
    lines = [f"{'':38}{'before':>10}{'after':>10}{'ratio':>8}"]
    for label, shape, value in rows:
        old, new = ([value(*each) for each in rounds] for rounds in (before, after))
        ratios = [b / a for a, b in zip(old, new, strict=True) if a]
        ratio = f"{statistics.median(ratios):8.2f}" if ratios else ""
        lines.append(f"{label:38}{statistics.median(old):>10{shape}}{statistics.median(new):>10{shape}}{ratio}")
    return "\n".join(lines)


def compare(other: Path, students: int, seconds: float, rounds: int, bare: Callable[[], list[float]]) -> str:
    """Short lessons with another tree's app and with this one's, in turns, the bare loop between them."""
    measured = list[list[tuple[Lesson, float]]]([[], []])
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in measured]
        apps = (other.resolve() / APP.name, APP)
        servers = [dict([stack.enter_context(fresh_server(app, folder))]) for app, folder in zip(apps, folders, strict=True)]
        alone = bare()
        for turn in range(rounds):
            for which in (0, 1) if turn % 2 == 0 else (1, 0):
                print(f"round {turn + 1}: {apps[which]}", file=sys.stderr)
                held = asyncio.run(short_lesson(servers[which], students, seconds, _say))
                later = bare()
                measured[which].append((held, statistics.median(alone + later)))
                alone = later
    return side_by_side(*measured)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--students", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=30.0, help="of undisturbed training")
    parser.add_argument("--servers", type=int, default=1, help="processes; each student stays with one")
    parser.add_argument("--only", choices=("training", "class", "sweep"), help="one of the scenarios")
    parser.add_argument("--against", type=Path, help="another tree, whose app and this one's are to be compared")
    parser.add_argument("--rounds", type=int, default=2, help="of a comparison")
    parser.add_argument("--write", action="store_true", help=f"write the table into {SCALING.name}")
    options = parser.parse_args()
    torch.set_num_threads(1)
    choice, data = choose_matmul(), load_fashion_mnist()
    loop, images = PlainLoop(data), len(data.train_labels)
    loop.epoch()  # the first of everything is slow
    if options.against:
        print(machine_line(choice.name))
        print(f"{options.students} WebSocket sessions train d2l's network for {options.seconds:g} s, {options.rounds} times each\n")
        print(compare(options.against, options.students, options.seconds, options.rounds, lambda: bare_images_per_second(loop, images)))
        return
    scenarios = {"training": _training, "class": _class, "sweep": _sweep} if options.servers == 1 else {"training": _training}
    for name, hold in scenarios.items():
        if options.only in (None, name):
            head, rows = hold(options, lambda: bare_images_per_second(loop, images))
            report = "\n".join([machine_line(choice.name), f"{head} on {images:,} images for {options.seconds:.0f} s", "", *rows])
            print(report, end="\n\n")
            if options.write:
                mark = str(options.servers) if name == "training" else name
                SCALING.write_text(with_results(SCALING.read_text(), report, f"make load, {mark}"))


def _training(options: argparse.Namespace, bare: Callable[[], list[float]]) -> tuple[str, list[str]]:
    """A class that only trains: what it was, and its table."""
    alone = bare()
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(options.servers)]
        servers = dict(stack.enter_context(fresh_server(APP, folder)) for folder in folders)
        measured = asyncio.run(lesson(servers, options.students, options.seconds, _say))
    on = f" on {options.servers} servers" if options.servers > 1 else ""
    return f"{options.students} WebSocket sessions{on} train d2l's network", [table(measured, alone + bare()), *measured.exceptions[:5]]


def _class(options: argparse.Namespace, bare: Callable[[], list[float]]) -> tuple[str, list[str]]:
    """A class that is led through a lesson: what it was, and its table."""
    alone = bare()
    with tempfile.TemporaryDirectory() as folder, fresh_server(with_own_lesson(Path(folder) / "app"), Path(folder)) as (url, server):
        measured = asyncio.run(taught_lesson(url, server, options.students, options.seconds, _say))
    head = f"{options.students} WebSocket sessions in a lesson with a class bet, and train d2l's network"
    return head, [class_table(measured, alone + bare()), *measured.training.exceptions[:5]]


def _sweep(options: argparse.Namespace, bare: Callable[[], list[float]]) -> tuple[str, list[str]]:
    """A class that trains while one more visitor has a sweep going: what it was, and its table."""
    alone = bare()
    with tempfile.TemporaryDirectory() as folder, fresh_server(APP, Path(folder)) as (url, server):
        measured = asyncio.run(lesson_beside_a_sweep({url: server}, options.students, options.seconds, _say))
    rows = [*_training_rows(measured, statistics.median(alone + bare())), ("boxes with an exception", str(len(measured.exceptions)))]
    head = f"{options.students} WebSocket sessions train d2l's network beside a sweep"
    return head, ["\n".join(f"{name:36}{value}" for name, value in rows), *measured.exceptions[:5]]


def _say(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    main()
