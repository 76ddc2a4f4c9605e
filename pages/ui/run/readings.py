"""What a run says in numbers and words: progress, loss and accuracy now, the verdict with its fix, the badge of the book's designs."""

from collections.abc import Callable, Sequence
from statistics import mean

import streamlit as st

from mlp_core.jobs import JobSnapshot
from mlp_core.records import HistorySnapshot
from mlp_core.reports.comparison.book_bands import QuantityCheck, book_check
from mlp_core.reports.diagnosis.diagnosis import Verdict
from mlp_core.spec import RunSpec
from pages.figures.training import Reference
from pages.ui.text import count, duration, ordinal, percent, scaled
from pages.ui.unbroken import button

RECENT_STEPS = 20
WORDS = {"train_loss": "training loss", "train_accuracy": "training accuracy", "test_accuracy": "test accuracy"}


def progress_bar(snapshot: JobSnapshot) -> None:
    """How far the run is, how fast, and how long it will take."""
    complete, images = snapshot.schedule.place(snapshot.step)
    epoch = complete + (images > 0)
    start, end = (snapshot.schedule.steps(epochs) for epochs in (max(0, epoch - 1), max(1, epoch)))
    parts = [f"Epoch {epoch} of {snapshot.spec.epochs}", f"step {count(snapshot.step - start)} of {count(end - start)}"]
    if snapshot.members:
        parts.append(f"{len(snapshot.members)} seeds at once")
    if snapshot.images_per_second:
        parts.append(f"{scaled(snapshot.images_per_second)} images/s")
    if snapshot.remaining_seconds is not None:
        parts.append(f"{duration(snapshot.remaining_seconds)} left")
    elif snapshot.elapsed_seconds:
        parts.append(f"{duration(snapshot.elapsed_seconds)} of training")
    if snapshot.sharing > 1:
        others = f"{snapshot.sharing - 1} other run{'s' if snapshot.sharing > 2 else ''}"
        parts.append(f"sharing this server with {others}, {ordinal(snapshot.place)} in line")
    st.progress(snapshot.fraction_done, " · ".join(parts))


def tiles(snapshot: JobSnapshot) -> None:
    """Loss and accuracy on training and test images; of several seeds their mean, and from the lowest to the highest."""
    with st.container(horizontal=True, key="run_tiles"):
        if snapshot.members:
            _tiles_of_seeds(snapshot.members)
        else:
            _tiles_of_one(snapshot.history)


RECENT_HELP = f"Mean of the last {RECENT_STEPS} minibatches, before the update each one caused."
TEST_HELP = "All test images, at the end of the last epoch, dropout off."
SEEDS_HELP = " Mean of the seeds; below it the lowest and the highest."


def _tiles_of_one(history: HistorySnapshot) -> None:
    last = history.epochs[-1] if history.epochs else None
    before = history.epochs[-2] if len(history.epochs) > 1 else None
    losses, accuracies = history.losses[-RECENT_STEPS:], history.accuracies[-RECENT_STEPS:]
    _tile("Training loss", f"{mean(losses):.4f}" if losses else "–", None, RECENT_HELP)
    _tile("Training accuracy", percent(mean(accuracies)) if losses else "–", None, RECENT_HELP)
    change = f"{last.test_loss - before.test_loss:+.4f}" if last and before else None
    _tile("Test loss", f"{last.test_loss:.4f}" if last else "–", change, TEST_HELP, "inverse")
    change = f"{100 * (last.test_accuracy - before.test_accuracy):+.1f} points" if last and before else None
    _tile("Test accuracy", percent(last.test_accuracy) if last else "–", change, TEST_HELP)


def _tiles_of_seeds(members: Sequence[HistorySnapshot]) -> None:
    def recent(column: str) -> list[float]:
        return [mean(getattr(member, column)[-RECENT_STEPS:]) for member in members if member.steps]

    def tested(name: str) -> list[float]:
        epoch = min(len(member.epochs) for member in members)
        return [getattr(member.epochs[epoch - 1], name) for member in members] if epoch else []

    _spread_tile("Training loss", recent("losses"), "{:.4f}".format, RECENT_HELP)
    _spread_tile("Training accuracy", recent("accuracies"), percent, RECENT_HELP)
    _spread_tile("Test loss", tested("test_loss"), "{:.4f}".format, TEST_HELP)
    _spread_tile("Test accuracy", tested("test_accuracy"), percent, TEST_HELP)


def _spread_tile(label: str, values: Sequence[float], worded: Callable[[float], str], help: str) -> None:
    spread = f"{worded(min(values))} to {worded(max(values))}" if values else None
    _tile(label, worded(mean(values)) if values else "–", spread, help + SEEDS_HELP, "off")


def _tile(label: str, value: str, change: str | None, help: str, delta_color: str = "normal") -> None:
    st.metric(
        label, value, change, help=help, border=True, height="stretch", delta_color=delta_color,  # type: ignore[arg-type]
        delta_arrow="off" if delta_color == "off" else "auto",
    )  # fmt: skip


def verdict_box(verdict: Verdict, note: str, train: Callable[[RunSpec], None], whose: str = "") -> None:
    """What the run is doing, in a sentence; where something is wrong, the fix that can be tried with one click.

    Args:
        note: why the run rests, where nobody asked for it.
        train: what trains the fix.
        whose: words before the sentence, where it is not of the whole run.
    """
    if note:
        st.info(note, icon=":material/pause_circle:")
    if verdict.kind == "waiting":
        return
    broken = verdict.kind in ("diverged", "failed")
    box = st.error if broken else st.warning if verdict.is_fault else st.success
    icon = ":material/error:" if broken else ":material/warning:" if verdict.is_fault else ":material/check_circle:"
    text = " ".join(filter(None, (f"**{whose}{verdict.sentence}**", verdict.evidence, verdict.advice)))
    if verdict.fix is None:
        box(text, icon=icon)
        return
    left, right = st.columns([4, 1], vertical_alignment="center")
    with left:
        box(text, icon=icon)
    with right:
        help = f"{verdict.fix.why} Same seed; this run's curves stay beside the new ones."
        button(verdict.fix.label, "run_fix", "healing", train, verdict.fix.spec, help=help, width="stretch")


def book_badge(snapshot: JobSnapshot) -> None:
    """Say whether the run is inside the book's bands, with the numbers; nothing where the design is not the book's."""
    check = book_check(snapshot.spec, snapshot.history, snapshot.members)
    if check is None:
        return
    honest = "An honest run" if check.runs == 1 else f"At least one of {check.runs} honest runs"
    bands = f"The bands reach from the lowest to the highest of {check.seeds} runs on all 60,000 images that differ in the seed alone."
    often = f"{honest} falls outside in one of the three numbers in about {percent(check.false_alarm, 0)} of all cases."
    help = f"{check.design.source}. {bands} {often}"
    with st.container(gap="xsmall"):
        if check.inside:
            st.badge("Inside the book's band", icon=":material/check:", color="green", help=help)
        else:
            st.badge("Outside the book's band", icon=":material/priority_high:", color="orange", help=help)
        numbers = "; ".join(_compared(one) for one in check.quantities)
        which = "" if check.runs == 1 else f"{check.runs - check.outsiders} of {check.runs} seeds inside. "
        beside = f"{check.design.title} after epoch {check.epoch}, beside {check.seeds} other seeds of it."
        st.caption(f"{beside} {which}{numbers[0].upper()}{numbers[1:]}.")


def reference(snapshot: JobSnapshot) -> Reference | None:
    """The band of the test accuracy after the last epoch that was compared, for the accuracy curve; None without a check."""
    check = book_check(snapshot.spec, snapshot.history, snapshot.members)
    if check is None:
        return None
    band = next(one.band for one in check.quantities if one.quantity == "test_accuracy")
    label = f"{check.seeds} other seeds"
    return Reference(band.low, band.high, label, since=check.epoch - 0.5, until=check.epoch + 0.5)


def _compared(one: QuantityCheck) -> str:
    worded = "{:.4f}".format if one.quantity == "train_loss" else percent
    values = one.values if len(one.values) == 1 else (min(one.values), max(one.values))
    said = " to ".join(map(worded, values))
    marked = said if all(one.inside) else f"**{said}**"
    return f"{WORDS[one.quantity]} {marked} ({worded(one.band.low)} to {worded(one.band.high)})"
