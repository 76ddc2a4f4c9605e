"""What a comparison of runs can tell, in words: how many things were changed, what that did, and whether luck could have done it.

How far luck alone moves a test accuracy is taken from the many seeds of d2l's own network (`book_bands`), and where
several seeds were trained of each design, from those.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, stdev
from typing import Protocol

from mlp_core.reports.comparison.book_bands import BOOK_DESIGNS, known_runs
from mlp_core.reports.comparison.changes import BATCH_SIZE, EPOCHS, SEED, TRAIN_SIZE, ComparedRun, Difference, differences
from mlp_core.words import percent, rounded, significant

# How far apart the largest and the smallest of 2, 3, … 13 equally good runs lie in 19 of 20 cases, in standard deviations: Tukey's
# studentized range with infinitely many degrees of freedom.
RANGE_95 = (2.77, 3.31, 3.63, 3.86, 4.03, 4.17, 4.29, 4.39, 4.47, 4.55, 4.62, 4.68)
# Student's t for 95 % confidence, of 2, 3, … 10 seeds (1, 2, … 9 degrees of freedom).
STUDENT_95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")

NOTES = {
    BATCH_SIZE: "Smaller batches make more steps an epoch, and noisier ones.",
    TRAIN_SIZE: "Fewer images make fewer steps an epoch.",
}


class NamedRun(ComparedRun, Protocol):
    """A run as far as it is spoken of."""

    @property
    def name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Conclusion:
    """`headline` counts the changes; `outcome` says what came of them, `advice` what to do next. Plain text, names included."""

    headline: str
    outcome: str = ""
    advice: str = ""


def conclude(runs: Sequence[NamedRun], found: Sequence[Difference] | None = None) -> Conclusion:
    """Compare runs, given in the order in which they were trained.

    Args:
        runs: two at least.
        found: their `differences`, if they are known already.
    """
    found = differences(runs) if found is None else found
    lengths = next((_values(difference) for difference in found if difference.thing is EPOCHS), None)
    found = [difference for difference in found if difference.thing is not EPOCHS]  # which change nothing as far as both have come
    if not found:
        return _same(runs, lengths)
    if len(found) > 1:
        return _confounded(runs, found)
    (difference,) = found
    result, values = _result(runs, difference), _values(difference)
    if difference.thing is SEED:
        moved = result.moved if result is not None else ""
        return Conclusion(f"Only the seed differs ({values}): this is how much luck matters.", moved)
    subject = "You changed exactly one thing" if len(runs) == 2 else f"Exactly one thing varies among these {_number(len(runs))} runs"
    headline = f"{subject}: {difference.thing.name} ({values})."
    if result is None:
        return Conclusion(headline, "There is no epoch yet that all of them have finished.")
    judgment, advice = _judgment(result)
    return Conclusion(headline, " ".join(filter(None, (result.moved, judgment, NOTES.get(difference.thing)))), advice)


def _same(runs: Sequence[ComparedRun], lengths: str | None) -> Conclusion:
    if lengths is not None:
        return Conclusion(f"Only the number of epochs differs ({lengths}): a shorter run is the beginning of a longer one.")
    if len({run.spec.implementation for run in runs}) > 1:
        return Conclusion("Only the implementation differs: the same computation, rounded differently.", _amplified(runs))
    if len({len(run.members) for run in runs}) > 1:
        return Conclusion("Only the number of seeds differs.", _amplified(runs))
    return Conclusion("Nothing differs: the same experiment gives the same numbers.", _amplified(runs))


def _amplified(runs: Sequence[ComparedRun]) -> str:
    """What training has made of rounding: how far the losses of one step are apart in runs of one experiment."""
    losses = [dict(zip(run.history.steps, run.history.losses, strict=True)) for run in runs]
    common = set(losses[0]).intersection(*losses[1:])
    of_steps = ([one[step] for one in losses] for step in common)
    apart = max((max(values) - min(values) for values in of_steps if all(map(math.isfinite, values))), default=0.0)
    return f"Training amplifies rounding: the losses of one step differ by up to {significant(apart, 2)}." if apart else ""


def _confounded(runs: Sequence[NamedRun], found: Sequence[Difference]) -> Conclusion:
    """Several things vary: only a pair of runs that differ in one of them can tell."""
    names = ", ".join(difference.thing.name for difference in found)
    if len(runs) == 2:
        headline = f"You changed {_number(len(found))} things ({names}): you cannot tell which did it."
        return Conclusion(headline, advice="Change one at a time.")
    headline = (
        f"{_number(len(found)).capitalize()} things vary among these {_number(len(runs))} runs ({names}): you cannot tell which did it."
    )
    for newer, older in combinations(reversed(runs), 2):
        pair = [difference for difference in differences((older, newer)) if difference.thing is not EPOCHS]
        if len(pair) == 1:
            return Conclusion(headline, advice=f"“{older.name}” and “{newer.name}” differ only in {pair[0].thing.name}: show those two.")
    return Conclusion(headline, advice="Train one that differs from another in one thing only.")


@dataclass(frozen=True, slots=True)
class _Result:
    """Test accuracies after the last epoch that all runs have: of each run, one a seed; `moved` says it in words."""

    epoch: int
    accuracies: tuple[tuple[float, ...], ...]
    moved: str

    @property
    def apart(self) -> float:
        means = [fmean(values) for values in self.accuracies]
        return max(means) - min(means)

    @property
    def seeds(self) -> int:
        return min(map(len, self.accuracies))


def _result(runs: Sequence[NamedRun], difference: Difference) -> _Result | None:
    histories = [tuple(run.members) or (run.history,) for run in runs]
    epoch = min(len(history.epochs) for group in histories for history in group)
    if epoch == 0:
        return None
    accuracies = tuple(tuple(history.epochs[epoch - 1].test_accuracy for history in group) for group in histories)
    means = [fmean(values) for values in accuracies]
    where = f"{'Mean test' if len(accuracies[0]) > 1 else 'Test'} accuracy after epoch {epoch}"
    if len(runs) == 2:
        change = means[1] - means[0]
        moved = f"{where}: {percent(means[0])} → {percent(means[1])}, {_points(change)} {'more' if change >= 0 else 'less'}."
    else:
        low, high = means.index(min(means)), means.index(max(means))
        ends = [f"{percent(means[index])} ({difference.parts[index] or runs[index].name})" for index in (low, high)]
        moved = f"{where}: from {ends[0]} to {ends[1]}, {_points(means[high] - means[low])} apart."
    return _Result(epoch, accuracies, moved)


def _judgment(result: _Result) -> tuple[str, str]:
    """Whether luck could have done it, and what to do next."""
    if len(result.accuracies) == 2 and result.seeds > 1:
        return _seed_by_seed(*(values[: result.seeds] for values in result.accuracies))
    runs = len(result.accuracies)
    bound = RANGE_95[min(runs, len(RANGE_95) + 1) - 2] * luck_of_a_seed(result.epoch) / math.sqrt(result.seeds)
    things = "runs" if result.seeds == 1 else f"means of {result.seeds} runs"
    known = f"{_number(runs)} {things} of d2l's own network that differ in nothing but the seed lie within {_points(bound)}, 19 times in 20"
    if result.apart > bound:
        return f"That is more than luck usually does: {known}.", ""
    return f"That is inside the noise: {known}.", "Try ×5 seeds of each." if result.seeds == 1 else "More seeds would tell."


def _seed_by_seed(before: Sequence[float], after: Sequence[float]) -> tuple[str, str]:
    """Both began with the same seed, or that would be a second thing that was changed."""
    difference, error = paired_difference(before, after)
    beside = f"seed by seed they are {100 * abs(difference):.1f} ± {100 * error:.1f} points apart (95 % confidence)"
    if abs(difference) > error:
        return f"That is hardly luck: {beside}.", ""
    return f"That may well be luck: {beside}.", "More seeds would tell."


def luck_of_a_seed(epoch: int) -> float:
    """Standard deviation of the test accuracy of d2l's MLP over seeds, a fraction, after `epoch` or the last epoch that was measured."""
    index = min(epoch, BOOK_DESIGNS["mlp"].spec.epochs) - 1
    return stdev(run["test_accuracy"][index] for run in known_runs()["mlp"].values())


def paired_difference(before: Sequence[float], after: Sequence[float]) -> tuple[float, float]:
    """Mean of `after` - `before`, seed by seed, and the half width of its 95 % confidence interval: t s / sqrt(n).

    What a seed does to both is no part of it.

    Args:
        before, after: one value a seed, of the same two seeds or more; beyond ten t is taken a little too large.

    Reference: Student 1908, The Probable Error of a Mean, section IX, illustration I.
    """
    differences = [new - old for old, new in zip(before, after, strict=True)]
    n = len(differences)
    return fmean(differences), STUDENT_95[min(n, len(STUDENT_95) + 1) - 2] * stdev(differences) / math.sqrt(n)


def _values(difference: Difference) -> str:
    """Two values as a change, more as a list of those that occur."""
    values = [value or "–" for value in difference.values]
    return " → ".join(values) if len(values) == 2 else ", ".join(dict.fromkeys(values))


def _number(number: int) -> str:
    return NUMBERS[number] if number < len(NUMBERS) else str(number)


def _points(fraction: float) -> str:
    return f"{rounded(100 * abs(fraction), 1)} points"
