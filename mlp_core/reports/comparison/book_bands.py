"""Whether a run of one of the book's designs came out as it should: its numbers against those of many other seeds.

The numbers in book_bands.json were trained with this engine by scripts/measure_book_bands.py. A band reaches from the smallest to the
largest of n seeds. Whatever the distribution, the run of one more seed is as likely to take any of the n + 1 ranks, so that one quantity
of it falls outside with probability 2 / (n + 1). How often any of several quantities does is counted: `share_of_outsiders`.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from statistics import median

from mlp_core.records import HistorySnapshot
from mlp_core.spec import MAX_TRAIN_SIZE, PRESETS, RunSpec
from mlp_core.words import Message, rounded

FILE = Path(__file__).with_name("book_bands.json")
QUANTITIES = ("train_loss", "train_accuracy", "test_accuracy")

Values = tuple[float, ...]  # one an epoch
KnownRun = Mapping[str, Values]  # quantity -> values
KnownRuns = Mapping[int, KnownRun]  # seed -> run


@dataclass(frozen=True, slots=True)
class BookDesign:
    """An experiment of the book and where it stands there."""

    title: str
    source: str
    spec: RunSpec


BOOK_DESIGNS: Mapping[str, BookDesign] = {
    "mlp": BookDesign(Message("d2l's MLP"), Message("d2l section 5.2"), PRESETS["mlp"].spec),
    "softmax": BookDesign(Message("d2l's softmax regression"), Message("d2l section 4.5"), PRESETS["softmax"].spec),
    "dropout": BookDesign(Message("d2l's dropout network"), Message("d2l section 4.6, Chinese edition"), PRESETS["dropout"].spec),
}


@dataclass(frozen=True, slots=True)
class BookBand:
    """What one quantity was after one epoch in all known runs."""

    low: float
    middle: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class QuantityCheck:
    """One quantity of a run beside its band; of several seeds at once, one value each."""

    quantity: str
    values: Values
    band: BookBand

    @property
    def inside(self) -> tuple[bool, ...]:
        """Whether the band holds each value; it never holds a NaN."""
        return tuple(value in self.band for value in self.values)


@dataclass(frozen=True, slots=True)
class BookCheck:
    """One run, or several seeds at once, beside the known runs of its design, after the last epoch that is compared.

    Args:
        seeds: how many known runs the bands are made of.
        suspected: share of the known runs that have any quantity outside the bands of all the others.
    """

    design: BookDesign
    epoch: int
    seeds: int
    quantities: tuple[QuantityCheck, ...]
    suspected: float

    @property
    def runs(self) -> int:
        """How many runs were compared."""
        return len(self.quantities[0].values)

    @property
    def outsiders(self) -> int:
        """How many of them have any quantity outside its band."""
        return sum(not all(inside) for inside in zip(*(check.inside for check in self.quantities), strict=True))

    @property
    def inside(self) -> bool:
        return self.outsiders == 0

    @property
    def false_alarm(self) -> float:
        """Probability that of so many honest runs one at least is outside."""
        return float(1 - (1 - self.suspected) ** self.runs)


@lru_cache
def design_of(spec: RunSpec) -> str | None:
    """The name in `BOOK_DESIGNS` of the book's experiment that `spec` is, whatever its seed, epochs, implementation and device; or None."""
    plain = replace(spec, dropout=spec.dropout if any(spec.dropout) else ())
    free = {"seed", "epochs", "implementation", "device"}
    return next((name for name, design in BOOK_DESIGNS.items() if set(plain.differences(design.spec)) <= free), None)


def book_check(spec: RunSpec, history: HistorySnapshot, members: Sequence[HistorySnapshot] = ()) -> BookCheck | None:
    """Compare a run with the known runs of its design: once, after the last epoch that both have.

    An honest run is outside now and then; who looked after every epoch would find one in two outside at some time.

    Args:
        members: the single runs where several seeds were trained at once; they are compared in the place of `history`.

    Returns:
        None for a design that is not the book's, a setting changed on the way, other images than all 60,000, or before that epoch.
    """
    name = design_of(spec)
    histories = members or (history,)
    if name is None or history.changes:
        return None
    runs = {seed: run for seed, run in known_runs()[name].items() if seed != spec.seed}  # no run vouches for itself
    epoch = min(BOOK_DESIGNS[name].spec.epochs, spec.epochs)
    if any(len(one.epochs) < epoch for one in histories) or len(runs) < 2:
        return None
    records = [one.epochs[epoch - 1] for one in histories]
    if any(record.step != epoch * math.ceil(MAX_TRAIN_SIZE / spec.batch_size) for record in records):
        return None
    checks = tuple(
        QuantityCheck(quantity, tuple(getattr(record, quantity) for record in records), band(runs, quantity, epoch))
        for quantity in QUANTITIES
    )
    return BookCheck(BOOK_DESIGNS[name], epoch, len(runs), checks, share_of_outsiders(runs, epoch))


def band(runs: KnownRuns, quantity: str, epoch: int) -> BookBand:
    """From the smallest to the largest of the runs' values after `epoch`, which counts from 1."""
    values = [run[quantity][epoch - 1] for run in runs.values()]
    return BookBand(min(values), median(values), max(values))


def known_accuracy(name: str) -> str:
    """What the known runs of a design end at: "82 to 85 %" of the test images."""
    runs = known_runs()[name]
    ends = band(runs, "test_accuracy", BOOK_DESIGNS[name].spec.epochs)
    return Message("{low} to {high} %", low=rounded(100 * ends.low, 0), high=rounded(100 * ends.high, 0))


def share_of_outsiders(runs: KnownRuns, epoch: int) -> float:
    """How often an honest run is suspected: share of these runs with any value outside the band of all the others."""
    outsiders = set()
    for quantity in QUANTITIES:
        ranked = sorted((run[quantity][epoch - 1], seed) for seed, run in runs.items())
        for (value, seed), (neighbor, _) in (ranked[:2], ranked[:-3:-1]):
            if value != neighbor:
                outsiders.add(seed)
    return len(outsiders) / len(runs)


@cache
def known_runs() -> Mapping[str, KnownRuns]:
    """Name in `BOOK_DESIGNS` -> the runs that were trained of it, as scripts/measure_book_bands.py wrote them."""
    return {
        name: {int(seed): {quantity: tuple(values) for quantity, values in run.items()} for seed, run in entry["runs"].items()}
        for name, entry in json.loads(FILE.read_text(encoding="utf-8")).items()
    }
