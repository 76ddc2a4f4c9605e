"""What a run says in numbers and words, as plain data: progress, loss and accuracy now, the verdict with its fix, the badge of the book's
designs."""

from collections.abc import Callable, Sequence
from functools import partial
from statistics import mean
from typing import NamedTuple, TypedDict

from mlp_core.jobs import JobSnapshot
from mlp_core.records import History, HistorySnapshot
from mlp_core.reports.comparison.book_bands import QuantityCheck, book_check
from mlp_core.reports.diagnosis.seeds import latest, tested
from mlp_core.reports.diagnosis.verdict import RECENT_STEPS, Verdict, shown
from mlp_core.words import count, counted, delta, duration, ordinal, percent, scaled
from pages.figures.training import Reference

EXACT_DIGITS = 13  # with so many more there are no two float64 numbers of this size that look alike
WORDS = {"train_loss": "mean training loss of the epoch", "train_accuracy": "mean training accuracy", "test_accuracy": "test accuracy"}


class Progress(TypedDict):
    """How far a run is, in words and from 0 to 1."""

    text: str
    fraction: float


class Reading(NamedTuple):
    """A number of the run; `beside` is its change, or the spread over seeds; `help` what it is."""

    label: str
    value: str
    beside: str
    help: str


class Words(TypedDict):
    """The verdict; `kind` is the color of the box. `fix` is what a button may say that trains a cure; `why` it is one."""

    kind: str
    sentence: str
    text: str
    fix: str
    why: str


class Badge(TypedDict):
    """Whether a run is inside the book's bands, with the numbers."""

    label: str
    color: str
    text: str
    help: str


NO_WORDS = Words(kind="", sentence="", text="", fix="", why="")
NO_BADGE = Badge(label="", color="gray", text="", help="")


def progress(snapshot: JobSnapshot | None, beside: int = 0, newest: int | None = None) -> Progress:
    """How far the run is, how fast, and how long it will take.

    Args:
        beside: how many kept runs are drawn where there is no run.
        newest: the step that the run has come to, where the page looks back to an earlier one.
    """
    if snapshot is None:
        kept = f" Drawn so far: {counted(beside, '{n} kept run', '{n} kept runs')}." if beside else ""
        return Progress(text=f"Press Train: the curves grow here.{kept}", fraction=0.0)
    complete, images = snapshot.schedule.place(snapshot.step)
    epoch = complete + (images > 0)
    start, end = (snapshot.schedule.steps(epochs) for epochs in (max(0, epoch - 1), max(1, epoch)))
    parts = [f"Epoch {epoch} of {snapshot.spec.epochs}", f"step {count(snapshot.step - start)} of {count(end - start)}"]
    if snapshot.members:
        parts.append(f"{len(snapshot.members)} seeds at once")
    if newest is not None:
        return Progress(text=" · ".join([*parts, f"looking back from step {count(newest)}"]), fraction=snapshot.fraction_done)
    if snapshot.images_per_second:
        parts.append(f"{scaled(snapshot.images_per_second)} images/s")
    if snapshot.remaining_seconds is not None:
        parts.append(f"{duration(snapshot.remaining_seconds)} left")
    elif snapshot.elapsed_seconds:
        parts.append(f"{duration(snapshot.elapsed_seconds)} of training")
    if snapshot.sharing > 1:
        others = counted(snapshot.sharing - 1, "{n} other run", "{n} other runs")
        parts.append(f"sharing this server with {others}, {ordinal(snapshot.place)} in line")
    return Progress(text=" · ".join(parts), fraction=snapshot.fraction_done)


RECENT_HELP = "Mean of the last {} minibatches, before the update each one caused."
TEST_HELP = "All test images, at the end of the last epoch, dropout off."
SEEDS_HELP = " Mean of the seeds that have not diverged; beside it the lowest and the highest."


def readings(snapshot: JobSnapshot | None) -> list[Reading]:
    """Loss and accuracy on training and test images; of several seeds their mean, and from the lowest to the highest."""
    if snapshot is not None and snapshot.members:
        return _readings_of_seeds(snapshot.members)
    history = snapshot.history if snapshot is not None else History().snapshot()
    last = history.epochs[-1] if history.epochs else None
    before = history.epochs[-2] if len(history.epochs) > 1 else None
    recent = history.recent(RECENT_STEPS)
    help = RECENT_HELP.format(max(recent.steps, RECENT_STEPS))
    loss = delta(last.test_loss - before.test_loss, 4) if last and before else ""
    accuracy = delta(100 * (last.test_accuracy - before.test_accuracy), 1, "points") if last and before else ""
    return [
        _reading("Training loss", shown(recent.loss) if recent.steps else "–", "", help),
        _reading("Training accuracy", percent(recent.accuracy), "", help),
        _reading("Test loss", shown(last.test_loss) if last else "–", loss, TEST_HELP),
        _reading("Test accuracy", percent(last.test_accuracy) if last else "–", accuracy, TEST_HELP),
    ]


def _readings_of_seeds(members: Sequence[HistorySnapshot]) -> list[Reading]:
    now, last = latest(members), tested(members)
    help = RECENT_HELP.format(max([RECENT_STEPS, *(recent.steps for recent in now)]))
    return [
        _spread("Training loss", [recent.loss for recent in now], shown, help),
        _spread("Training accuracy", [recent.accuracy for recent in now], percent, help),
        _spread("Test loss", [record.test_loss for record in last], shown, TEST_HELP),
        _spread("Test accuracy", [record.test_accuracy for record in last], percent, TEST_HELP),
    ]


def _spread(label: str, values: Sequence[float], worded: Callable[[float], str], help: str) -> Reading:
    spread = f"{worded(min(values))} to {worded(max(values))}" if values else ""
    return _reading(label, worded(mean(values)) if values else "–", spread, help + SEEDS_HELP)


def _reading(label: str, value: str, beside: str, help: str) -> Reading:
    return Reading(label=label, value=value, beside=beside, help=help)


def verdict_words(verdict: Verdict, note: str, seeds: str = "seed") -> Words:
    """What the run is doing, in a sentence; where something is wrong, the fix that can be tried with one click.

    Args:
        note: why the run rests, where nobody asked for it.
        seeds: what the fix is trained from again.
    """
    if verdict.kind == "waiting":
        return NO_WORDS | {"kind": "info" if note else "", "sentence": note}
    broken, well = verdict.kind in ("diverged", "failed"), "info" if verdict.kind == "short" else "success"
    return Words(
        kind="error" if broken else "warning" if verdict.is_fault else well,
        sentence=f"{note} {verdict.sentence}".strip(),
        text=" ".join(filter(None, (verdict.evidence, verdict.advice))),
        fix=verdict.fix.label if verdict.fix is not None else "",
        why=f"{verdict.fix.why} Same {seeds}; this run's curves stay beside the new ones." if verdict.fix is not None else "",
    )


def book_badge(snapshot: JobSnapshot) -> Badge:
    """Whether the run is inside the book's bands after its last epoch, with the numbers; empty before, and for other designs."""
    check = book_check(snapshot.spec, snapshot.history, snapshot.members)
    if check is None:
        return NO_BADGE
    honest = "an honest run" if check.runs == 1 else f"one or more of {check.runs} honest runs"
    bands = f"The bands reach from the lowest to the highest of {check.seeds} runs on all 60,000 images that differ in the seed alone."
    often = f"It would flag {honest} in about {percent(check.false_alarm, 0)} of all cases."
    numbers = "; ".join(_compared(one) for one in check.quantities)
    which = "" if check.runs == 1 else f"{check.runs - check.outsiders} of {check.runs} seeds inside. "
    beside = f"{check.design.title} after epoch {check.epoch}, beside {check.seeds} other seeds of it."
    return Badge(
        label="Inside the book's band." if check.inside else "Outside the book's band.",
        color="green" if check.inside else "orange",
        text=f"{beside} {which}{numbers[0].upper()}{numbers[1:]}. {often}",
        help=f"{check.design.source}. {bands}",
    )


def reference(snapshot: JobSnapshot) -> Reference | None:
    """The band of the test accuracy after the last epoch that was compared, for the accuracy curve; None without a check."""
    check = book_check(snapshot.spec, snapshot.history, snapshot.members)
    if check is None:
        return None
    band = next(one.band for one in check.quantities if one.quantity == "test_accuracy")
    label = f"{check.seeds} other seeds"
    return Reference(band.low, band.high, label, since=check.epoch - 0.5, until=check.epoch + 0.5)


def _compared(one: QuantityCheck) -> str:
    """A quantity beside its band, with as many digits as tell what is outside from the band's edge."""
    values = one.values if len(one.values) == 1 else (min(one.values), max(one.values))
    for digits in range(EXACT_DIGITS):
        worded = partial(_decimals, digits=4 + digits) if one.quantity == "train_loss" else partial(percent, digits=1 + digits)
        said, low, high = list(map(worded, values)), worded(one.band.low), worded(one.band.high)
        if not any(text in (low, high) and value not in one.band for value, text in zip(values, said, strict=True)):
            break
    marked = " to ".join(said) + ("" if all(one.inside) else ", outside")
    return f"{WORDS[one.quantity]} {marked} ({low} to {high})"


def _decimals(value: float, digits: int) -> str:
    return f"{value:.{digits}f}"
