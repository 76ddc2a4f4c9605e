"""Histories and looks inside that were never trained, for the tests of verdicts; and the numbers of a sentence."""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from dataclasses import replace

from mlp_core.records import EpochRecord, HistorySnapshot, LayerStats, ProbeRecord
from mlp_core.training.inspection import Histogram, Inspection, LayerInspection


def numbers(text: str) -> list[float]:
    """All of a text, also those written as 1,234 or 4.5 × 10⁻⁷, without their signs."""
    plain = re.sub(r" × 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda power: "e" + power[1].translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")), text)
    return [float(number.replace(",", "")) for number in re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?", plain)]


def history_of(
    losses: Sequence[float], accuracies: Sequence[float], epochs: Sequence[EpochRecord] = (), probes: Sequence[ProbeRecord] = ()
) -> HistorySnapshot:
    steps = array("q", range(1, len(losses) + 1))
    return HistorySnapshot(steps, array("d", losses), array("d", accuracies), 1, tuple(epochs), tuple(probes))


def layer_of(number: int, units: int = 64, **measured: float) -> LayerStats:
    healthy = LayerStats(number, units, 0.3, 0.5, 0.0, 0, units, 5.0, 0.3)
    return replace(healthy, **measured)  # type: ignore[arg-type]


def epoch_of(epoch: int, train_loss: float, test_loss: float, train_accuracy: float = 0.9, test_accuracy: float = 0.8) -> EpochRecord:
    return EpochRecord(epoch, 10 * epoch, train_loss, train_accuracy, test_loss, test_accuracy)


def looks_of(ratios: Sequence[float | None], layers: Sequence[LayerStats] = (), count: int = 3, first: int = 1) -> list[Inspection]:
    """Looks at consecutive steps that all see the same: the relative size of each layer's update."""
    nothing = Histogram(0.0, 1.0, (0,))
    seen = layers or [layer_of(number) for number in range(1, len(ratios) + 1)]
    inside = tuple(LayerInspection(stats, ratio, nothing, nothing, nothing) for stats, ratio in zip(seen, ratios, strict=True))
    return [Inspection(step, inside) for step in range(first, first + count)]
