"""Measure what the book's designs come to over many seeds: mlp_core/book_bands.json, with which a visitor's run is compared.

python scripts/measure_book_bands.py --seeds 39                  # all that are still missing: 17 minutes on one core
   python scripts/measure_book_bands.py --seeds 39 --runs 2         # the next two of them
   python scripts/measure_book_bands.py --seeds 39 --design mlp

Seeds count from 1000, so that nobody's first runs are compared with themselves. What is in the file already is not trained again; it is
written after every run, so the script can be ended at any time.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))


from mlp_core.data import Dataset, load_fashion_mnist
from mlp_core.reports.comparison.book_bands import BOOK_DESIGNS, FILE, FIRST_SEED, QUANTITIES, KnownRun, read_runs, runs_text
from mlp_core.runtime.matmul import choose_matmul
from mlp_core.spec import RunSpec
from mlp_core.training import Run

DIGITS = 5  # of an accuracy, 1e-5 is one image of 60,000, nearly


def measure(spec: RunSpec, data: Dataset) -> KnownRun:
    """Train `spec` to its end: quantity -> its value after every epoch.

    Raises:
        RuntimeError: the run did not come to its end.
    """
    run = Run(replace(spec, device="cpu"), data)
    run.advance()
    if len(run.history.epochs) < spec.epochs:
        raise RuntimeError(f"{spec}: {run.stop_reason}")
    return {quantity: tuple(round(getattr(record, quantity), DIGITS) for record in run.history.epochs) for quantity in QUANTITIES}


def missing(known: dict[str, dict[int, KnownRun]], designs: Sequence[str], seeds: int) -> Iterator[tuple[str, int]]:
    """Designs and seeds to be trained yet, one seed of every design before the next seed."""
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        yield from ((name, seed) for name in designs if seed not in known[name])


def main(arguments: Sequence[str], file: Path = FILE) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, required=True, help="how many runs of each design there shall be")
    parser.add_argument("--runs", type=int, help="train so many now; all that are missing by default")
    parser.add_argument("--design", choices=tuple(BOOK_DESIGNS), help="one design only")
    chosen = parser.parse_args(arguments)
    data = load_fashion_mnist()
    if data.is_sample:
        sys.exit("The full Fashion-MNIST is needed; scripts/get_data.py tells how to get it.")
    torch.set_num_threads(1)
    choose_matmul()
    known = read_runs(file.read_text(encoding="utf-8") if file.exists() else "{}")
    designs = (chosen.design,) if chosen.design else tuple(BOOK_DESIGNS)
    for name, seed in islice(list(missing(known, designs, chosen.seeds)), chosen.runs):
        started = time.monotonic()
        known[name][seed] = measure(replace(BOOK_DESIGNS[name].spec, seed=seed), data)
        _write(file, runs_text(known))
        print(
            f"{name}, seed {seed}: {time.monotonic() - started:.0f} s, test accuracy {known[name][seed]['test_accuracy'][-1]:.4f}",
            flush=True,
        )
    return 0


def _write(file: Path, text: str) -> None:
    """In one step, so that whoever ends the script leaves a whole file."""
    new = file.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    os.replace(new, file)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
