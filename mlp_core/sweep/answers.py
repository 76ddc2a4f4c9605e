"""What a sweep says: which cell did best, which others cannot be told apart from it, and which came to nothing.

The best of many cells is best partly by luck. So a cell is called best only where it is told apart from every other: seed by seed, and
with a confidence that holds for all of these comparisons together.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from statistics import fmean, stdev
from typing import Any

from mlp_core.reports.comparison.comparison import paired_difference
from mlp_core.spec import query_of
from mlp_core.sweep.plan import Plan
from mlp_core.sweep.store import Outcome, cells_of
from mlp_core.words import Message, counted, joined, listed, percent, plus_minus

CONFIDENCE = 0.95  # of all comparisons of a ranking together
FEWEST_SEEDS = 2  # from which on a spread is known
NAMED = 4  # cells in a sentence
SAME = 1e-9  # accuracies that differ by less are equal
ENDS = {  # how a run ends that does not complete
    "diverged": Message("diverged"),
    "out_of_memory": Message("out of memory"),
    "device_lost": Message("device lost"),
    "failed": Message("failed"),
    "stopped": Message("stopped"),
    "abandoned": Message("given up"),
}


@dataclass(frozen=True, slots=True)
class CellResult:
    """What is known of one cell.

    Args:
        index, name, values: of the cell.
        rung: the last round that it has finished, else the one that it is in.
        runs: of that round, by seed.
        seeds: how many runs the cell has once they are finished.
    """

    index: int
    name: str
    values: Mapping[str, Any]
    rung: int
    runs: tuple[Outcome, ...]
    seeds: int

    @property
    def broken(self) -> tuple[Outcome, ...]:
        """The runs that came to no result."""
        return tuple(run for run in self.runs if not _has_score(run))

    @property
    def complete(self) -> bool:
        """Whether all runs are finished, and none is broken."""
        return len(self.runs) == self.seeds and not self.broken

    @property
    def scores(self) -> tuple[float, ...]:
        """Test accuracies after the last epoch, fractions, one a seed, without those that broke."""
        return tuple(run.score for run in self.runs if _has_score(run))

    @property
    def mean(self) -> float:
        """Over the seeds of a complete cell; NaN of every other, which has no rank."""
        return fmean(self.scores) if self.complete else math.nan

    @property
    def spread(self) -> float:
        """Standard deviation over the seeds; NaN of a single one."""
        return stdev(self.scores) if self.complete and self.seeds >= FEWEST_SEEDS else math.nan

    @property
    def epochs(self) -> int:
        """How many the runs completed."""
        return max((len(run.epochs) for run in self.runs), default=0)

    @property
    def end(self) -> str:
        """How its runs broke off, in a word or two; "" where none did."""
        return ENDS.get(self.broken[0].stop.kind, ENDS["failed"]) if self.broken else ""

    @property
    def reason(self) -> str:
        """How many runs broke off, and why the first of them did; "" where none did."""
        if not self.broken:
            return ""
        return Message(
            "{broken} of {runs} runs: {end}. {detail}",
            broken=len(self.broken), runs=self.seeds, end=self.end, detail=self.broken[0].stop.detail,
        )  # fmt: skip

    @property
    def score(self) -> str:
        """Mean and standard deviation in words: "86.1 ± 0.3 %"; of a single seed its value; "–" of what has no rank."""
        if math.isnan(self.spread):  # as it is where there is no mean
            return percent(self.mean, 2)
        return Message("{number} %", number=plus_minus(100 * self.mean, 100 * self.spread))


@dataclass(frozen=True, slots=True)
class Ranking:
    """The cells of a sweep in order, and what that order is worth.

    Args:
        cells: all of the plan, in its order.
        ranked: those of the last round that are complete, the best first.
        band: those of them that cannot be told apart from the first, which is one of them.
        broken: those of which a run came to no result; they have no rank.
        given_up: those that successive halving left out of the last round.
        waiting: those with runs that are still to come.
    """

    cells: tuple[CellResult, ...]
    ranked: tuple[CellResult, ...]
    band: tuple[CellResult, ...]
    broken: tuple[CellResult, ...]
    given_up: tuple[CellResult, ...]
    waiting: tuple[CellResult, ...]

    @property
    def best(self) -> CellResult | None:
        """The cell that is told apart from every other; None where there is none, as with a single seed."""
        return self.band[0] if len(self.band) == 1 < len(self.ranked) and self.band[0].seeds >= FEWEST_SEEDS else None

    @property
    def text(self) -> str:
        """All that is to be said."""
        return joined(self.answer, self.common, self.unranked)

    @property
    def answer(self) -> str:
        """Which cell did best, and whether that can be told from luck."""
        if not self.ranked:
            return "" if self.broken and not self.waiting else Message("No cell has finished yet.")
        first, others = self.ranked[0], len(self.ranked) - 1
        seeds = counted(first.seeds, "{n} seed", "{n} seeds")
        if len(self.cells) == 1:
            alone = Message("There is no other cell to compare it with.")
            return joined(Message("{cell}: {score} over {seeds}.", cell=first.name, score=first.score, seeds=seeds), alone)
        if first.seeds < FEWEST_SEEDS:
            equal = [cell for cell in self.ranked if first.mean - cell.mean < SAME]
            names = _named(equal) if 1 < len(equal) <= NAMED else first.name
            leads = Message("Highest test accuracy: {cell}, {score}.", cell=names, score=first.score)
            luck = Message("With one seed a cell, that may be luck: more seeds would tell which cell is best.")
            return joined(leads, luck if others else "")
        if self.best is not None:
            if self.waiting:
                said = Message("Best so far: {cell}, {score} over {seeds}.", cell=first.name, score=first.score, seeds=seeds)
            else:
                said = Message("Best: {cell}, {score} over {seeds}.", cell=first.name, score=first.score, seeds=seeds)
            apart = counted(others, "It can be told apart from the other cell.", "It can be told apart from each of the {n} other cells.")
            return joined(said, apart)
        leads = Message("Highest mean test accuracy: {cell}, {score} over {seeds}.", cell=first.name, score=first.score, seeds=seeds)
        if not others:
            return leads
        same = all(cell.scores == first.scores for cell in self.band)
        advice = Message("Seed by seed they are the same.") if same else Message("More seeds would tell.")
        return joined(leads, self._not_told_apart(seeds), advice)

    def _not_told_apart(self, seeds: str) -> str:
        if len(self.band) <= NAMED:
            return Message("{cells} cannot be told apart over {seeds}.", cells=_named(self.band), seeds=seeds)
        others = len(self.band) - 1
        if len(self.band) == len(self.ranked):
            return Message("None of the {n} other cells can be told apart from it over {seeds}.", n=others, seeds=seeds)
        return Message(
            "{n} of the {all} other cells cannot be told apart from it over {seeds}.",
            n=others, all=len(self.ranked) - 1, seeds=seeds,
        )  # fmt: skip

    @property
    def common(self) -> str:
        """What all cells of the band have in common, and not all that are ranked; "" where that is nothing, or there are too few."""
        if len(self.band) <= NAMED or self.band[0].seeds < FEWEST_SEEDS:
            return ""
        texts = [query_of(cell.values) for cell in self.band]
        every = [query_of(cell.values) for cell in self.ranked]
        same = [
            f"{name} {value}"
            for name, value in texts[0].items()
            if all(text[name] == value for text in texts) and any(text[name] != value for text in every)
        ]
        return Message("All of them have {values}.", values=listed(same, "and")) if same else ""

    @property
    def unranked(self) -> str:
        """Which cells have no rank, and why; "" where every one has."""
        broken = ""
        if self.broken:
            named = [Message("{cell} ({end})", cell=_quoted(self.broken, cell), end=cell.end) for cell in self.broken[:NAMED]]
            rest = len(self.broken) - len(named)
            cells = listed([*named, counted(rest, "{n} more", "{n} more")] if rest else named, "and")
            broken = counted(
                len(self.broken),
                "{n} cell is not ranked, since runs of it came to no result: {cells}.",
                "{n} cells are not ranked, since runs of them came to no result: {cells}.",
                cells=cells,
            )
        given_up = counted(
            len(self.given_up),
            "Halving left {n} cell out before the last round.",
            "Halving left {n} cells out before the last round.",
        )
        waiting = counted(len(self.waiting), "{n} cell has not finished.", "{n} cells have not finished.")
        return joined(broken, given_up if self.given_up else "", waiting if self.waiting and self.ranked else "")

    @property
    def rule(self) -> str:
        """How cells are told apart, for those who ask."""
        comparisons = max(1, len(self.cells) - 1)
        return joined(
            Message("Every cell is compared, seed by seed, with the one that has the best mean."),
            counted(
                comparisons,
                "They are told apart where the confidence interval of the mean difference (Student's t) leaves 0 out: "
                "{confidence}, for one comparison.",
                "They are told apart where the confidence interval of the mean difference (Student's t) leaves 0 out: "
                "{confidence} for all {n} comparisons together (Bonferroni).",
                confidence=percent(CONFIDENCE, 0),
            ),
            Message("So where nothing differs, a cell is called best in at most {share} of all sweeps.", share=percent(1 - CONFIDENCE, 0)),
        )


def ranking(plan: Plan, outcomes: Iterable[Outcome]) -> Ranking:
    """Rank the cells of a sweep, finished or not, by their mean test accuracy over the seeds after the last epoch.

    A cell with a run that diverged, or failed, has no rank: a mean of the others would be one of the lucky seeds. So has one with runs that
    are still to come. After successive halving the cells of the last round are ranked, since others had fewer epochs.

    A cell is told apart from the one with the best mean where a confidence interval of their difference, paired by seed, leaves 0 out, at
    a confidence of 1 - (1 - `CONFIDENCE`) / (cells - 1) each. As the true best is wrongly told apart only if one of the others beats it by
    more than their interval, these comparisons, one for each other cell, are all that count, though the best is chosen by the same numbers.

    Args:
        plan: the sweep's; all its cells count as comparisons, those that were given up too.
        outcomes: what there is of it so far.

    Reference: Gupta (1965), "On some multiple decision (selection and ranking) rules", Technometrics 7; Hsu (1984), "Constrained
    simultaneous confidence intervals for multiple comparisons with the best", Annals of Statistics 12.
    """
    found = tuple(outcomes)
    runs: dict[int, dict[int, list[Outcome]]] = {}
    for outcome in sorted(found, key=lambda one: one.key):
        runs.setdefault(outcome.cell, {}).setdefault(outcome.rung, []).append(outcome)
    cells = tuple(_result(plan, index, runs.get(index, {})) for index in range(len(plan.cells)))
    last = max((cell.rung for cell in cells if cell.complete), default=0)
    inside = set(cells_of(plan, last, found))
    here = [cell for cell in cells if cell.index in inside and cell.rung >= last]
    ranked = tuple(sorted((cell for cell in here if cell.complete), key=lambda cell: (-cell.mean, cell.index)))
    broken = tuple(cell for cell in cells if cell.broken)
    return Ranking(
        cells,
        ranked,
        _band(ranked, len(cells)),
        broken,
        tuple(cell for cell in cells if cell.index not in inside and not cell.broken),
        tuple(cell for cell in cells if cell.index in inside and not cell.broken and cell not in ranked),
    )


def _result(plan: Plan, index: int, rounds: Mapping[int, Sequence[Outcome]]) -> CellResult:
    finished = [rung for rung, runs in rounds.items() if len(runs) == plan.seeds]
    cell, rung = plan.cells[index], max(finished or rounds, default=0)
    return CellResult(index, cell.name, cell.values, rung, tuple(rounds.get(rung, ())), plan.seeds)


def _has_score(run: Outcome) -> bool:
    return run.completed and bool(run.epochs) and math.isfinite(run.score)


def _band(ranked: Sequence[CellResult], cells: int) -> tuple[CellResult, ...]:
    """The first, and all that cannot be told apart from it."""
    if not ranked or ranked[0].seeds < FEWEST_SEEDS:
        return tuple(ranked)
    best, confidence = ranked[0], 1 - (1 - CONFIDENCE) / max(1, cells - 1)
    compare = partial(paired_difference, best.scores, confidence=confidence, resolution=_resolution(ranked))
    return tuple(cell for cell in ranked if cell is best or _holds_zero(*compare(cell.scores)))


def _holds_zero(difference: float, error: float) -> bool:
    return abs(difference) <= error


def _resolution(cells: Sequence[CellResult]) -> float:
    """The smallest step between two scores: that of one image, or more."""
    scores = sorted(score for cell in cells for score in cell.scores)
    return min((high - low for low, high in pairwise(scores) if high - low > SAME), default=0.0)


def _named(cells: Sequence[CellResult]) -> str:
    """ "lr 0.1 and 0.3"; of cells with several values "“lr 0.1, hidden 64” and “lr 0.3, hidden 64”"."""
    texts = [query_of(cell.values) for cell in cells]
    if len(texts[0]) == 1:
        ((name, _),) = texts[0].items()
        return Message("{field} {values}", field=name, values=listed([text[name] for text in texts], "and"))
    return listed([_quoted(cells, cell) for cell in cells], "and")


def _quoted(cells: Sequence[CellResult], cell: CellResult) -> str:
    return Message("“{name}”", name=cell.name) if len(cells[0].values) > 1 else cell.name
