"""Histories of several seeds as curves with bands, for the runs of the page "Generalization". Draws nothing itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlp_core.labs.generalization.bands import SeedBand
from mlp_core.labs.generalization.linear_fit import Floats
from mlp_core.records import HistorySnapshot
from pages.figures.bands import BandSeries


def by_epoch(members: Sequence[HistorySnapshot], quantity: str) -> Floats:
    """A field of the epochs' records, (seeds, epochs), up to the last epoch that all seeds have finished."""
    epochs = min(len(member.epochs) for member in members)
    values = [[getattr(record, quantity) for record in member.epochs[:epochs]] for member in members]
    return np.array(values, dtype=np.float64).reshape(len(members), epochs)


def curve(
    label: str, members: Sequence[HistorySnapshot], quantity: str, color: str, *, scale: float = 1.0, dash: str = "solid"
) -> BandSeries:
    """A field over the epochs: the median, and the band where there are several seeds."""
    values = scale * by_epoch(members, quantity)
    epochs, band = np.arange(1, values.shape[1] + 1), SeedBand.of(values)
    low, high = (band.low, band.high) if len(members) > 1 else (None, None)
    return BandSeries(label, epochs, band.median, color, low, high, dash)


def final(members: Sequence[HistorySnapshot], quantity: str) -> Floats:
    """A field at the last epoch, (seeds,); NaN for a seed that has finished none."""
    return np.array([getattr(member.epochs[-1], quantity) if member.epochs else np.nan for member in members], dtype=np.float64)
