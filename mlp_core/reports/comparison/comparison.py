"""What a comparison of runs can tell, in words: how many things were changed, what that did, and whether luck could have done it.

How far luck alone moves a test accuracy is taken from the many seeds of d2l's own network (`book_bands`), and where
several seeds were trained of each design, from those.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from statistics import fmean, stdev, variance
from typing import Protocol

from mlp_core.reports.comparison.book_bands import BOOK_DESIGNS, known_runs
from mlp_core.reports.comparison.changes import BATCH_SIZE, EPOCHS, SEED, TRAIN_SIZE, ComparedRun, Difference, differences
from mlp_core.words import Message, joined, listed, percent, rounded, significant

# How far apart the largest and the smallest of 2, 3, … 13 equally good runs lie in 19 of 20 cases, in standard deviations: Tukey's
# studentized range with infinitely many degrees of freedom.
RANGE_95 = (2.77, 3.31, 3.63, 3.86, 4.03, 4.17, 4.29, 4.39, 4.47, 4.55, 4.62, 4.68)
HALVINGS = 60  # of an interval of angles, until float64 has no number between its ends
NUMBERS = (  # from two on
    Message("two"), Message("three"), Message("four"), Message("five"), Message("six"), Message("seven"),
    Message("eight"), Message("nine"), Message("ten"), Message("eleven"), Message("twelve"),
)  # fmt: skip

NOTES = {
    BATCH_SIZE: Message("Smaller batches make more steps an epoch, and noisier ones."),
    TRAIN_SIZE: Message("Fewer images make fewer steps an epoch."),
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
        return Conclusion(Message("Only the seed differs ({values}): this is how much luck matters.", values=values), moved)
    if len(runs) == 2:
        headline = Message("You changed exactly one thing: {thing} ({values}).", thing=difference.thing.name, values=values)
    else:
        headline = Message(
            "Exactly one thing varies among these {number} runs: {thing} ({values}).",
            number=_number(len(runs)), thing=difference.thing.name, values=values,
        )  # fmt: skip
    if result is None:
        return Conclusion(headline, Message("There is no epoch yet that all of them have finished."))
    judgment, advice = _judgment(result)
    return Conclusion(headline, joined(result.moved, judgment, NOTES.get(difference.thing, "")), advice)


def _same(runs: Sequence[ComparedRun], lengths: str | None) -> Conclusion:
    if lengths is not None:
        return Conclusion(
            Message("Only the number of epochs differs ({values}): a shorter run is the beginning of a longer one.", values=lengths)
        )
    if len({run.spec.implementation for run in runs}) > 1:
        return Conclusion(Message("Only the implementation differs: the same computation, rounded differently."), _amplified(runs))
    if len({len(run.members) for run in runs}) > 1:
        return Conclusion(Message("Only the number of seeds differs."), _amplified(runs))
    return Conclusion(Message("Nothing differs: the same experiment gives the same numbers."), _amplified(runs))


def _amplified(runs: Sequence[ComparedRun]) -> str:
    """What training has made of rounding: how far the losses of one step are apart in runs of one experiment."""
    losses = [dict(zip(run.history.steps, run.history.losses, strict=True)) for run in runs]
    common = set(losses[0]).intersection(*losses[1:])
    of_steps = ([one[step] for one in losses] for step in common)
    apart = max((max(values) - min(values) for values in of_steps if all(map(math.isfinite, values))), default=0.0)
    if not apart:
        return ""
    return Message("Training amplifies rounding: the losses of one step differ by up to {apart}.", apart=significant(apart, 2))


def _confounded(runs: Sequence[NamedRun], found: Sequence[Difference]) -> Conclusion:
    """Several things vary: only a pair of runs that differ in one of them can tell."""
    names, things = listed([difference.thing.name for difference in found]), _number(len(found))
    if len(runs) == 2:
        headline = Message("You changed {number} things ({names}): you cannot tell which did it.", number=things, names=names)
        return Conclusion(headline, advice=Message("Change one at a time."))
    headline = Message(
        "Among these {runs} runs {number} things vary ({names}): you cannot tell which did it.",
        runs=_number(len(runs)), number=things, names=names,
    )  # fmt: skip
    for newer, older in combinations(reversed(runs), 2):
        pair = [difference for difference in differences((older, newer)) if difference.thing is not EPOCHS]
        if len(pair) == 1:
            advice = Message(
                "“{older}” and “{newer}” differ only in {thing}: show those two.",
                older=older.name, newer=newer.name, thing=pair[0].thing.name,
            )  # fmt: skip
            return Conclusion(headline, advice=advice)
    return Conclusion(headline, advice=Message("Train one that differs from another in one thing only."))


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
    if len(accuracies[0]) > 1:
        what = Message("Mean test accuracy after epoch {epoch}", epoch=epoch)
    else:
        what = Message("Test accuracy after epoch {epoch}", epoch=epoch)
    if len(runs) == 2:
        moved = _moved(what, *means)
    else:
        low, high = means.index(min(means)), means.index(max(means))
        moved = Message(
            "{what}: from {least} ({worst}) to {most} ({best}), {points} apart.",
            what=what, least=percent(means[low]), worst=difference.parts[low] or runs[low].name,
            most=percent(means[high]), best=difference.parts[high] or runs[high].name, points=_points(means[high] - means[low]),
        )  # fmt: skip
    return _Result(epoch, accuracies, moved)


def _moved(what: str, before: float, after: float) -> str:
    points = _points(after - before)
    if after >= before:
        return Message("{what}: {before} → {after}, {points} more.", what=what, before=percent(before), after=percent(after), points=points)
    return Message("{what}: {before} → {after}, {points} less.", what=what, before=percent(before), after=percent(after), points=points)


def _judgment(result: _Result) -> tuple[str, str]:
    """Whether luck could have done it, and what to do next."""
    if len(result.accuracies) == 2 and result.seeds > 1:
        return _seed_by_seed(*(values[: result.seeds] for values in result.accuracies))
    runs = len(result.accuracies)
    bound = RANGE_95[min(runs, len(RANGE_95) + 1) - 2] * luck_of_a_seed(result.epoch) / math.sqrt(result.seeds)
    if result.seeds == 1:
        known = Message(
            "{number} runs of d2l's own network that differ in nothing but the seed lie within {points}, 19 times in 20",
            number=_number(runs), points=_points(bound),
        )  # fmt: skip
    else:
        known = Message(
            "{number} means of {runs} runs of d2l's own network that differ in nothing but the seed lie within {points}, 19 times in 20",
            number=_number(runs), runs=result.seeds, points=_points(bound),
        )  # fmt: skip
    if result.apart > bound:
        return Message("That is more than luck usually does: {known}.", known=known), ""
    advice = Message("Try ×5 seeds of each.") if result.seeds == 1 else Message("More seeds would tell.")
    return Message("That is inside the noise: {known}.", known=known), advice


def _seed_by_seed(before: Sequence[float], after: Sequence[float]) -> tuple[str, str]:
    """Both began with the same seed, or that would be a second thing that was changed."""
    difference, error = paired_difference(before, after)
    apart = Message(
        "seed by seed they are {points} ± {error} points apart (95 % confidence)",
        points=rounded(100 * abs(difference), 1), error=rounded(100 * error, 1),
    )  # fmt: skip
    if abs(difference) > error:
        return Message("That is hardly luck: {known}.", known=apart), ""
    return Message("That may well be luck: {known}.", known=apart), Message("More seeds would tell.")


def luck_of_a_seed(epoch: int) -> float:
    """Standard deviation of the test accuracy of d2l's MLP over seeds, a fraction, after `epoch` or the last epoch that was measured."""
    index = min(epoch, BOOK_DESIGNS["mlp"].spec.epochs) - 1
    return stdev(run["test_accuracy"][index] for run in known_runs()["mlp"].values())


def paired_difference(
    before: Sequence[float], after: Sequence[float], confidence: float = 0.95, resolution: float = 0.0
) -> tuple[float, float]:
    """Mean of `after` - `before`, seed by seed, and the half width of its confidence interval: t s / sqrt(n).

    What a seed does to both is no part of it.

    Args:
        before, after: one value a seed, of the same two seeds or more.
        confidence: how often the interval holds the true mean.
        resolution: what both are rounded to, as accuracies are to one image. It adds its variance, resolution² / 6, to s²: without it,
            differences that agree by chance would look certain.

    Reference: Student 1908, The Probable Error of a Mean, section IX, illustration I.
    """
    differences = [new - old for old, new in zip(before, after, strict=True)]
    n = len(differences)
    return fmean(differences), student(confidence, n - 1) * math.sqrt((variance(differences) + resolution**2 / 6) / n)


@lru_cache(maxsize=256)
def student(confidence: float, freedom: int) -> float:
    """What |t| stays below with a probability of `confidence`, 0 < confidence < 1: Student's t, of so many degrees of freedom.

    Reference: Abramowitz and Stegun 1964, 26.7.3 and 26.7.4.
    """
    low, high = 0.0, math.pi / 2  # of the angle whose tangent is t / sqrt(freedom)
    for _ in range(HALVINGS):
        angle = (low + high) / 2
        low, high = (angle, high) if _below(angle, freedom) < confidence else (low, angle)
    return math.sqrt(freedom) * math.tan(low)


def _below(angle: float, freedom: int) -> float:
    """Probability that |t| is below sqrt(freedom) tan(angle)."""
    odd = freedom % 2
    term, total = (math.cos(angle) if odd else 1.0), 0.0
    for k in range(1 + odd, freedom, 2):
        total += term
        term *= math.cos(angle) ** 2 * k / (k + 1)
    return 2 / math.pi * (angle + math.sin(angle) * total) if odd else math.sin(angle) * total


def _values(difference: Difference) -> str:
    """Two values as a change, more as a list of those that occur."""
    values = [value or "–" for value in difference.values]
    return Message("{before} → {after}", before=values[0], after=values[1]) if len(values) == 2 else listed([*dict.fromkeys(values)])


def _number(number: int) -> str:
    return NUMBERS[number - 2] if number - 2 < len(NUMBERS) else str(number)


def _points(fraction: float) -> str:
    return Message("{number} points", number=rounded(100 * abs(fraction), 1))
