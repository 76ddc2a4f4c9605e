"""Measure what the book's designs come to over many seeds, with which a visitor's run is compared (reports/comparison/book_bands.json).

python scripts/measure_book_bands.py --seeds 39                  # all that are still missing: 17 minutes on one core
   python scripts/measure_book_bands.py --seeds 39 --runs 2         # the next two of them
   python scripts/measure_book_bands.py --seeds 39 --design mlp

Seeds count from 1000, so that nobody's first runs are compared with themselves. What is in the file already is not trained again; it is
written after every run, so the script can be ended at any time.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))


from mlp_core.data import Dataset, load_fashion_mnist
from mlp_core.reports.comparison.book_bands import BOOK_DESIGNS, FILE, QUANTITIES, KnownRun, KnownRuns
from mlp_core.runtime.devices import choose_matmul
from mlp_core.spec import RunSpec
from mlp_core.training import Run

FIRST_SEED = 1000  # of the measured runs; a visitor rarely goes so far, and is then compared with the other seeds
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


def read_runs(text: str) -> dict[str, dict[int, KnownRun]]:
    """Read what `runs_text` wrote.

    Raises:
        ValueError: naming the design, the seed and what is wrong with it.
    """
    read: dict[str, dict[int, KnownRun]] = {name: {} for name in BOOK_DESIGNS}
    for name, entry in json.loads(text).items():
        if name not in BOOK_DESIGNS:
            raise ValueError(f"{name}: not one of the designs {', '.join(BOOK_DESIGNS)}")
        spec = BOOK_DESIGNS[name].spec
        if RunSpec.from_json(json.dumps(entry["spec"])) != spec:
            raise ValueError(f"{name}: measured with another spec than {spec}")
        for seed, run in entry["runs"].items():
            read[name][int(seed)] = _checked(run, spec.epochs, f"{name}, seed {seed}")
    return read


def runs_text(runs: Mapping[str, KnownRuns]) -> str:
    """Runs of some of `BOOK_DESIGNS` as JSON, one run a line."""
    parts = []
    for name, known in runs.items():
        spec = json.dumps(asdict(BOOK_DESIGNS[name].spec))
        lines = ",\n".join(f'    "{seed}": {json.dumps(dict(run))}' for seed, run in sorted(known.items()))
        parts.append(f'"{name}": {{\n  "spec": {spec},\n  "runs": {{\n{lines}\n  }}\n}}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _checked(run: Any, epochs: int, where: str) -> KnownRun:
    if not isinstance(run, dict) or tuple(run) != QUANTITIES:
        raise ValueError(f"{where}: must have exactly {', '.join(QUANTITIES)}")
    for quantity, values in run.items():
        if len(values) != epochs or not all(isinstance(value, float) and 0 <= value < math.inf for value in values):
            raise ValueError(f"{where}: {quantity} must be {epochs} numbers from 0, got {values}")
    return {quantity: tuple(values) for quantity, values in run.items()}


def _write(file: Path, text: str) -> None:
    """In one step, so that whoever ends the script leaves a whole file."""
    new = file.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    os.replace(new, file)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
