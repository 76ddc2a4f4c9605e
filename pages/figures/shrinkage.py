"""What a penalty does to weights: the axis of λ with a place for 0, and all weights in order. Knows arrays, not models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pages.figures.axes import axis
from pages.figures.figure import Figure, Floats, Trace, figure, scatter
from pages.figures.palette import GREY, series_style

ZERO_GAP = 0.7  # decades between λ = 0 and the smallest other λ
MARGIN = 0.08  # of what is drawn, above and below it


def penalty_places(decays: npt.ArrayLike) -> Floats:
    """log₁₀ λ, and left of the smallest for λ = 0."""
    array = np.asarray(decays, dtype=np.float64)
    zero = np.log10(array[array > 0].min()) - ZERO_GAP if (array > 0).any() else -1.0
    return np.array([np.log10(decay) if decay > 0 else zero for decay in array])


def penalty_axis(decays: npt.ArrayLike) -> dict[str, Any]:
    """The axis for `penalty_places`: labeled at 0 and at the powers of ten."""
    array, places = np.asarray(decays, dtype=np.float64), penalty_places(decays)
    powers = range(int(np.ceil(places[array > 0].min() - 1e-9)), int(np.floor(places.max() + 1e-9)) + 1)
    zero = [(float(places[array == 0][0]), "0")] if (array == 0).any() else []
    ticks = [*zero, *((float(power), f"{10.0**power:g}") for power in powers)]
    return axis(
        "λ",
        tickvals=[place for place, _ in ticks],
        ticktext=[text for _, text in ticks],
        range=[float(places.min()) - 0.15, float(places.max()) + 0.15],
    )


def ordered_weights(weights: Mapping[str, Floats], truth: float, beyond: Mapping[str, Floats] | None = None) -> Figure:
    """All weights of each model from the smallest to the largest; where a curve is flat at 0, weights are exactly 0.

    Args:
        weights: label -> (d,); the picture is as high as these need.
        truth: the value that every weight should have.
        beyond: label -> (d,), to compare with: these may leave the picture.
    """
    traces = [_ordered(label, values, series_style(index) | {"width": 2.5}) for index, (label, values) in enumerate(weights.items())]
    thin = {"color": GREY, "width": 1.5, "dash": "dot"}
    traces += [_ordered(label, values, thin) for label, values in (beyond or {}).items()]
    longest = max((len(values) for values in weights.values()), default=1)
    traces.append(
        scatter(
            x=[1, longest], y=[truth, truth], name=f"true: {truth:g} each", mode="lines",
            line={"color": GREY, "width": 1.5, "dash": "dash"}, hoverinfo="skip",
        )
    )  # fmt: skip
    drawn = np.concatenate([*weights.values(), [truth, 0.0]])
    drawn = drawn[np.isfinite(drawn)]
    low, high = float(drawn.min()), float(drawn.max())
    margin = MARGIN * (high - low or 1.0)
    return figure(
        traces,
        xaxis=axis("weights, in order", range=[0, longest + 1], zeroline=False),
        yaxis=axis("value", range=[low - margin, high + margin], uirevision=str(longest)),
    )


def _ordered(label: str, values: Floats, line: Mapping[str, object]) -> Trace:
    finite = np.sort(np.where(np.isfinite(values), values, np.nan))
    return scatter(x=np.arange(1, len(finite) + 1), y=finite, name=label, mode="lines", line=line, hovertemplate="%{y:.3g}")
