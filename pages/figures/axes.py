"""Axes: linear, logarithmic, hidden, and one for sizes beyond what a number holds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pages.figures.figure import Floats
from pages.language import _

MOST_TICKS = 7
RAIL_GAP = 0.12  # between the data and the rails for 0 and ∞, of the data's span
MARGIN = 0.04
PLANE_HALF = 6.0  # the plane of points reaches so far on either side of 0
FRAMED = {"showgrid": False, "showline": True, "mirror": True}  # without a grid and with a line all around


def axis(title: str | None, **properties: Any) -> dict[str, Any]:
    """A linear axis; a title or a property that is None is left to plotly."""
    titled = {} if title is None else {"title": {"text": title}}
    return titled | {name: value for name, value in properties.items() if value is not None}


def log_axis(title: str, **properties: Any) -> dict[str, Any]:
    """An axis in powers of ten."""
    return axis(title, **{"type": "log", "exponentformat": "power"} | properties)


def labeled(ticks: Iterable[tuple[float, str]]) -> dict[str, Any]:
    """The ticks of an axis, as places and their words."""
    pairs = list(ticks)
    return {"tickvals": [place for place, _text in pairs], "ticktext": [text for _place, text in pairs]}


def hidden_axis(**properties: Any) -> dict[str, Any]:
    """An axis without line, ticks and zoom."""
    return {"visible": False, "fixedrange": True} | properties


def plane_axes(half: float, **properties: Any) -> dict[str, Any]:
    """The axes of a square of the plane from -half to half, in equal scales: `xaxis` and `yaxis` of a layout."""
    shared = {"range": [-half, half], "zeroline": False, "constrain": "domain"} | properties
    return {"xaxis": axis("x", **shared), "yaxis": axis("y", scaleanchor="x", **shared)}


@dataclass(frozen=True)
class Log10Axis:
    """An axis for sizes from below the smallest to above the largest number a computer holds, with a place for 0 and one for ∞.

    Values come as log10 and are drawn on a linear axis that is labeled in powers of ten: plotly's own log axis ends where float64 does,
    and drops what is exactly 0. Finite values go to themselves, -inf to `zero`, inf and NaN to `infinity` (None: there are none).
    """

    low: float
    high: float
    zero: float | None = None
    infinity: float | None = None

    @classmethod
    def around(cls, arrays: Iterable[npt.ArrayLike], least_span: float = 2.0) -> Log10Axis:
        """The axis that shows all these log10 values, at least `least_span` decades of it."""
        values = np.concatenate([np.ravel(np.asarray(array, dtype=np.float64)) for array in arrays] or [np.empty(0)])
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (-1.0, 1.0)
        if high - low < least_span:
            middle = (low + high) / 2
            low, high = middle - least_span / 2, middle + least_span / 2
        gap = RAIL_GAP * (high - low)
        not_finite = np.isnan(values) | (values == math.inf)
        return cls(low, high, low - gap if (values == -math.inf).any() else None, high + gap if not_finite.any() else None)

    def place(self, values: npt.ArrayLike) -> Floats:
        """Positions on the axis; NaN, which is drawn as a gap, for a 0 or ∞ the axis was not made for."""
        array = np.asarray(values, dtype=np.float64)
        placed: Floats = np.where(np.isfinite(array), array, math.nan)
        placed[array == -math.inf] = math.nan if self.zero is None else self.zero
        placed[np.isnan(array) | (array == math.inf)] = math.nan if self.infinity is None else self.infinity
        return placed

    def layout(self, title: str | None) -> dict[str, Any]:
        """The axis for plotly."""
        margin = MARGIN * (self.high - self.low)
        bottom = self.low if self.zero is None else self.zero
        top = self.high if self.infinity is None else self.infinity
        ticks = _ticks(self.low, self.high)
        labels = [(float(tick), power_label(tick)) for tick in ticks]
        if self.zero is not None:
            labels.insert(0, (self.zero, _("exactly 0")))
        if self.infinity is not None:
            labels.append((self.infinity, _("∞ or NaN")))
        return axis(
            title,
            range=[bottom - margin, top + margin],
            **labeled(labels),
            zeroline=False,
            automargin=True,
            uirevision=f"{bottom:.4g} to {top:.4g}",  # a zoom ends with the range it was made in
        )


def power_label(exponent: int) -> str:
    """10 to a whole exponent, for an axis."""
    return "1" if exponent == 0 else "10" if exponent == 1 else f"10<sup>{str(exponent).replace('-', '−')}</sup>"


def _ticks(low: float, high: float) -> list[int]:
    """Whole exponents at a step of 1, 2 or 5 times a power of ten."""
    decade = 1
    while True:
        for step in (decade, 2 * decade, 5 * decade):
            first = math.ceil(low / step)
            count = math.floor(high / step) - first + 1
            if count <= MOST_TICKS:
                return [step * (first + i) for i in range(count)]
        decade *= 10
