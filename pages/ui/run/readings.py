"""What a run says in numbers and words, as plain data: progress, loss and accuracy now, the verdict with its fix, the badge of the book's
designs."""

from collections.abc import Callable, Sequence
from functools import partial
from statistics import mean
from typing import NamedTuple, TypedDict

from mlp_core.jobs import JobSnapshot
from mlp_core.records import History, HistorySnapshot
from mlp_core.reports.comparison.book_bands import BookCheck, book_check
from mlp_core.reports.diagnosis.seeds import latest, tested
from mlp_core.reports.diagnosis.verdict import RECENT_STEPS, Verdict, shown
from mlp_core.words import Message, count, counted, delta, duration, joined, percent, scaled
from pages.figures.training import Reference
from pages.language import _

EXACT_DIGITS = 13  # with so many more there are no two float64 numbers of this size that look alike


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
        kept = counted(beside, "Drawn so far: {n} kept run.", "Drawn so far: {n} kept runs.") if beside else ""
        return Progress(text=_(joined(Message("Press Train: the curves grow here."), kept)), fraction=0.0)
    complete, images = snapshot.schedule.place(snapshot.step)
    epoch = complete + (images > 0)
    start, end = (snapshot.schedule.steps(epochs) for epochs in (max(0, epoch - 1), max(1, epoch)))
    parts = [
        _("Epoch {epoch} of {epochs}", epoch=epoch, epochs=snapshot.spec.epochs),
        _("step {step} of {steps}", step=count(snapshot.step - start), steps=count(end - start)),
    ]
    if snapshot.members:
        parts.append(_("{n} seeds at once", n=len(snapshot.members)))
    if newest is not None:
        parts.append(_("looking back from step {step}", step=count(newest)))
        return Progress(text=" · ".join(parts), fraction=snapshot.fraction_done)
    if snapshot.images_per_second:
        parts.append(_("{number} images/s", number=scaled(snapshot.images_per_second)))
    if snapshot.remaining_seconds is not None:
        parts.append(_("{duration} left", duration=duration(snapshot.remaining_seconds)))
    elif snapshot.elapsed_seconds:
        parts.append(_("{duration} of training", duration=duration(snapshot.elapsed_seconds)))
    if snapshot.sharing > 1:
        others = counted(snapshot.sharing - 1, "{n} other run", "{n} other runs")
        parts.append(_("sharing this server with {others}, number {place} in line", others=others, place=count(snapshot.place)))
    return Progress(text=" · ".join(parts), fraction=snapshot.fraction_done)


TRAINING_LOSS, TRAINING_ACCURACY = Message("Training loss"), Message("Training accuracy")
TEST_LOSS, TEST_ACCURACY = Message("Test loss"), Message("Test accuracy")
TEST_HELP = Message("All test images, at the end of the last epoch, dropout off.")
SEEDS_HELP = Message("Mean of the seeds that have not diverged; beside it the lowest and the highest.")


def _recent_help(batches: int) -> Message:
    return Message("Mean of the last {n} minibatches, before the update each one caused.", n=batches)


def readings(snapshot: JobSnapshot | None) -> list[Reading]:
    """Loss and accuracy on training and test images; of several seeds their mean, and from the lowest to the highest."""
    if snapshot is not None and snapshot.members:
        return _readings_of_seeds(snapshot.members)
    history = snapshot.history if snapshot is not None else History().snapshot()
    last = history.epochs[-1] if history.epochs else None
    before = history.epochs[-2] if len(history.epochs) > 1 else None
    recent = history.recent(RECENT_STEPS)
    help = _recent_help(max(recent.steps, RECENT_STEPS))
    loss = delta(last.test_loss - before.test_loss, 4) if last and before else ""
    points = delta(100 * (last.test_accuracy - before.test_accuracy), 1) if last and before else ""
    accuracy = Message("{change} points", change=points) if points else ""
    return [
        _reading(TRAINING_LOSS, shown(recent.loss) if recent.steps else "–", "", help),
        _reading(TRAINING_ACCURACY, percent(recent.accuracy), "", help),
        _reading(TEST_LOSS, shown(last.test_loss) if last else "–", loss, TEST_HELP),
        _reading(TEST_ACCURACY, percent(last.test_accuracy) if last else "–", accuracy, TEST_HELP),
    ]


def _readings_of_seeds(members: Sequence[HistorySnapshot]) -> list[Reading]:
    now, last = latest(members), tested(members)
    help = _recent_help(max([RECENT_STEPS, *(recent.steps for recent in now)]))
    return [
        _spread(TRAINING_LOSS, [recent.loss for recent in now], shown, help),
        _spread(TRAINING_ACCURACY, [recent.accuracy for recent in now], percent, help),
        _spread(TEST_LOSS, [record.test_loss for record in last], shown, TEST_HELP),
        _spread(TEST_ACCURACY, [record.test_accuracy for record in last], percent, TEST_HELP),
    ]


def _spread(label: str, values: Sequence[float], worded: Callable[[float], str], help: str) -> Reading:
    spread = Message("{low} to {high}", low=worded(min(values)), high=worded(max(values))) if values else ""
    return _reading(label, worded(mean(values)) if values else "–", spread, joined(help, SEEDS_HELP))


def _reading(label: str, value: str, beside: str, help: str) -> Reading:
    return Reading(label=_(label), value=_(value), beside=_(beside), help=_(help))


def verdict_words(verdict: Verdict, note: str, *, several: bool = False) -> Words:
    """What the run is doing, in a sentence; where something is wrong, the fix that can be tried with one click.

    Args:
        note: why the run rests, where nobody asked for it.
        several: whether the fix is trained from several seeds again.
    """
    if verdict.kind == "waiting":
        return NO_WORDS | {"kind": "info" if note else "", "sentence": _(note)}
    broken, well = verdict.kind in ("diverged", "failed"), "info" if verdict.kind == "short" else "success"
    fix, why = "", ""
    if verdict.fix is not None:
        same = Message("Same seed; this run's curves stay beside the new ones.")
        if several:
            same = Message("Same seeds; this run's curves stay beside the new ones.")
        fix, why = _(verdict.fix.label), _(joined(verdict.fix.why, same))
    return Words(
        kind="error" if broken else "warning" if verdict.is_fault else well,
        sentence=_(joined(note, verdict.sentence)),
        text=_(joined(verdict.evidence, verdict.advice)),
        fix=fix,
        why=why,
    )


def book_badge(snapshot: JobSnapshot) -> Badge:
    """Whether the run is inside the book's bands after its last epoch, with the numbers; empty before, and for other designs."""
    check = book_check(snapshot.spec, snapshot.history, snapshot.members)
    if check is None:
        return NO_BADGE
    cases = percent(check.false_alarm, 0)
    often, which = Message("It would flag an honest run in about {cases} of all cases.", cases=cases), ""
    if check.runs > 1:
        often = Message("It would flag one or more of {n} honest runs in about {cases} of all cases.", n=check.runs, cases=cases)
        which = Message("{n} of {runs} seeds inside.", n=check.runs - check.outsiders, runs=check.runs)
    text = Message(
        "{design} after epoch {epoch}, beside {n} other seeds of it.", design=check.design.title, epoch=check.epoch, n=check.seeds
    )
    numbers = Message(
        "Mean training loss of the epoch {train_loss}; mean training accuracy {train_accuracy}; test accuracy {test_accuracy}.",
        train_loss=_compared(check, "train_loss"),
        train_accuracy=_compared(check, "train_accuracy"),
        test_accuracy=_compared(check, "test_accuracy"),
    )
    bands = Message(
        "{source}. The bands reach from the lowest to the highest of {n} runs on all 60,000 images that differ in the seed alone.",
        source=check.design.source,
        n=check.seeds,
    )
    return Badge(
        label=_("Inside the book's band.") if check.inside else _("Outside the book's band."),
        color="green" if check.inside else "orange",
        text=_(joined(text, which, numbers, often)),
        help=_(bands),
    )


def reference(snapshot: JobSnapshot) -> Reference | None:
    """The band of the test accuracy after the last epoch that was compared, for the accuracy curve; None without a check."""
    check = book_check(snapshot.spec, snapshot.history, snapshot.members)
    if check is None:
        return None
    band = next(one.band for one in check.quantities if one.quantity == "test_accuracy")
    label = _("{n} other seeds", n=check.seeds)
    return Reference(band.low, band.high, label, since=check.epoch - 0.5, until=check.epoch + 0.5)


def _compared(check: BookCheck, quantity: str) -> str:
    """A quantity beside its band, with as many digits as tell what is outside from the band's edge."""
    one = next(one for one in check.quantities if one.quantity == quantity)
    values = one.values if len(one.values) == 1 else (min(one.values), max(one.values))
    for digits in range(EXACT_DIGITS):
        worded = partial(_decimals, digits=4 + digits) if one.quantity == "train_loss" else partial(percent, digits=1 + digits)
        said, low, high = list(map(worded, values)), worded(one.band.low), worded(one.band.high)
        if not any(text in (low, high) and value not in one.band for value, text in zip(values, said, strict=True)):
            break
    measured: str = Message("{low} to {high}", low=said[0], high=said[1]) if len(said) > 1 else said[0]
    if all(one.inside):
        return Message("{values} ({low} to {high})", values=measured, low=low, high=high)
    return Message("{values}, outside ({low} to {high})", values=measured, low=low, high=high)


def _decimals(value: float, digits: int) -> str:
    return f"{value:.{digits}f}"
