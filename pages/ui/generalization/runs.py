"""Runs over several seeds: how far they are, their histories as curves with bands, and whether a difference is more than luck."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from mlp_core.labs.generalization.bands import PairedComparison, SeedBand, compare
from mlp_core.labs.generalization.linear_fit import Floats
from mlp_core.records import HistorySnapshot
from mlp_core.words import Message, joined, percent, significant
from pages.figures.axes import axis
from pages.figures.bands import BandSeries
from pages.language import _
from pages.ui import session
from pages.ui.run.job_groups import ShownRun, group_controls
from pages.ui.run.measures import Runs

UNLIKELY = 0.05  # luck that rare is not called luck


def runs_panel(runs: Runs, label: str) -> list[ShownRun]:
    """The buttons of a group of runs and how far they are; what was started. To be called from a panel that `follow_group` draws."""
    shown = group_controls(runs.name, label, runs.key, runs.planned, runs.at_once)
    group = session.jobs().group(runs.name)
    if shown and group is not None and group.moving:
        done = sum(one.snapshot.fraction_done for one in shown) / (len(shown) + len(group.waiting))
        last = shown[-1].snapshot
        epoch, epochs = len(last.history.epochs), last.spec.epochs
        st.progress(min(done, 1.0), _("{run}: epoch {epoch} of {epochs}", run=shown[-1].title, epoch=epoch, epochs=epochs))
    for title, snapshot, _job in shown:
        reason = snapshot.stop_reason
        if reason is not None and reason.kind not in ("completed", "stopped", "abandoned"):
            st.error(_("**{run}.** {reason} Try a smaller learning rate.", run=title, reason=reason.detail), icon=":material/error:")
    return shown


def by_epoch(members: Sequence[HistorySnapshot], quantity: str) -> Floats:
    """A field of the epochs' records, (seeds, epochs), up to the last epoch that all seeds have finished."""
    epochs = min(len(member.epochs) for member in members)
    values = [[getattr(record, quantity) for record in member.epochs[:epochs]] for member in members]
    return np.array(values, dtype=np.float64).reshape(len(members), epochs)


def banded(label: str, x: npt.ArrayLike, values: Floats, color: str, **style: Any) -> BandSeries:
    """The median of values (seeds, n) over x (n,), and the band that most seeds are in; `style` as of `BandSeries`."""
    band = SeedBand.of(values)
    return BandSeries(label, x, band.median, color, *((band.low, band.high) if len(values) > 1 else ()), **style)


def chance(runs: Sequence[ShownRun], quantity: str, after: int | None) -> float | None:
    """How often luck alone parts the seeds of two ways at least so unevenly after an epoch, the last by default; see `compare`."""
    epoch = after or max((one.snapshot.spec.epochs for one in runs), default=1)
    if len(runs) != 2 or any(len(member.epochs) < epoch for one in runs for member in one.members):
        return None
    first, second = (by_epoch(one.members, quantity)[:, epoch - 1] for one in runs)
    return compare(first, second).chance


def curve(label: str, members: Sequence[HistorySnapshot], quantity: str, color: str, *, scale: float = 1.0, **style: Any) -> BandSeries:
    """A field over the epochs: the median, and the band where there are several seeds."""
    values = scale * by_epoch(members, quantity)
    return banded(label, np.arange(1, values.shape[1] + 1), values, color, **style)


def epoch_axis(epochs: int) -> dict[str, Any]:
    """The axis of a training of so many epochs; with another number of them a zoom ends."""
    return axis(_("epoch"), range=[0, epochs], uirevision=str(epochs))


def final(members: Sequence[HistorySnapshot], quantity: str) -> Floats:
    """A field at the last epoch, (seeds,); NaN for a seed that has finished none."""
    return np.array([getattr(member.epochs[-1], quantity) if member.epochs else np.nan for member in members], dtype=np.float64)


def in_words(
    comparison: PairedComparison,
    first: str,
    second: str,
    *,
    quantity: str,
    higher: bool = False,
    worded: Callable[[float], str] = significant,
) -> str:
    """Said: both medians, for how many seeds the first is better, and whether luck alone would part the seeds so.

    Args:
        comparison: of a quantity that is better where it is lower, or with `higher` where it is higher.
        first, second: what the two ways are called.
        worded: how a median is written.
    """
    better = comparison.seeds - comparison.ties - comparison.first_lower if higher else comparison.first_lower
    medians = Message(
        "{quantity}: {first} **{first_median}**, {second} **{second_median}** (medians).",
        quantity=quantity, first=first, first_median=worded(comparison.first), second=second, second_median=worded(comparison.second),
    )  # fmt: skip
    preferred = Message("Better with {first} for {better} of {seeds} seeds.", first=first, better=better, seeds=comparison.seeds)
    return _(joined(medians, preferred, _verdict(comparison)))


def _verdict(comparison: PairedComparison) -> Message:
    """Both ways have met the same seeds, so that their bands may overlap and yet each seed prefers the same one."""
    seeds, share = comparison.seeds, _share(comparison.chance)
    if comparison.chance > UNLIKELY:
        return Message(
            "This may be luck: without any difference, {seeds} seeds part at least so unevenly in {share} of cases.",
            seeds=seeds, share=share,
        )  # fmt: skip
    return Message(
        "This is **hardly luck**: without any difference, {seeds} seeds part at least so unevenly in {share} of cases.",
        seeds=seeds, share=share,
    )  # fmt: skip


def _share(chance: float) -> str:
    return Message("under 0.1 %") if chance < 0.001 else percent(chance, 1 if chance < 0.1 else 0)
