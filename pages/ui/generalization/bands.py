"""Words for bands over seeds: whether a difference is more than luck. Draws nothing."""

from __future__ import annotations

from mlp_core.labs.generalization.bands import PairedComparison

UNLIKELY = 0.05  # luck that rare is not called luck


def in_words(comparison: PairedComparison, first: str, second: str, *, quantity: str, higher: bool = False, digits: str = ".3g") -> str:
    """Both medians, for how many seeds the first is better, and whether the difference is inside the band.

    Args:
        comparison: of a quantity that is better where it is lower, or with `higher` where it is higher.
        first, second: what the two ways are called.
        digits: how a median is written.
    """
    better = comparison.seeds - comparison.ties - comparison.first_lower if higher else comparison.first_lower
    medians = f"{quantity}: {first} **{comparison.first:{digits}}**, {second} **{comparison.second:{digits}}** (medians)."
    return f"{medians} Better with {first} for {better} of {comparison.seeds} seeds. {_verdict(comparison)}"


def _verdict(comparison: PairedComparison) -> str:
    if not comparison.inside:
        return "The difference is **outside the band**."
    if comparison.chance > UNLIKELY:
        return "The difference is **inside the band**: it may be luck."
    return "The difference is **inside the band**, so that one seed proves nothing; that so many seeds agree is hardly luck."
