"""Regression: a fitted polynomial over its points, its coefficients, and what a penalty does to weights."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from mlp_core.words import exactly, significant
from pages.figures.axes import axis, labeled, power_label
from pages.figures.figure import Figure, Floats, Trace, figure, markers, polyline
from pages.figures.palette import GREY, TEST, TRAIN, VERMILION, series_style, translucent
from pages.figures.series import finite, segments
from pages.language import _

Points = tuple[Floats, Floats]

HEADROOM = 0.25  # of the points' height, above and below
LARGEST_POWER = 300  # of ten: a coefficient beyond it is drawn there
ZERO_GAP = 0.7  # decades between λ = 0 and the smallest other λ
WEIGHTS_MARGIN = 0.08  # of what is drawn, above and below it


def fitted_curve(grid: Floats, truth: Floats, fitted: Floats | None, train: Points, test: Points) -> Figure:
    """Points, the true cubic and the fitted polynomial. The frame fits the points: a polynomial may leave it.

    Args:
        grid: x of both curves, (m,).
        truth: the cubic there.
        fitted: the polynomial there; None while nothing is learned.
        train, test: x and y of the points.
    """
    everything = np.concatenate([train[1], test[1]])
    low, high = float(everything.min()), float(everything.max())
    room = HEADROOM * max(high - low, 1e-9)
    traces = [
        _points(_("test points"), test, translucent(TEST, 0.55), "circle-open"),
        _points(_("training points"), train, TRAIN, "circle"),
        polyline(grid, truth, {"color": GREY, "width": 2, "dash": "dash"}, name=_("true cubic")),
    ]
    if fitted is not None:
        within = np.clip(finite(fitted), low - 20 * room, high + 20 * room)
        traces.append(polyline(grid, within, {"color": VERMILION, "width": 3}, "%{y:.3~g}", name=_("fitted")))
    frame = f"{low:.4g} to {high:.4g} from {grid[0]:.4g} to {grid[-1]:.4g}"
    return figure(
        traces,
        xaxis=axis("x", range=[float(grid[0]), float(grid[-1])], zeroline=False, uirevision=frame),
        yaxis=axis("y", range=[low - room, high + room], zeroline=False, uirevision=frame),
        hovermode="closest",
    )


def coefficient_stems(learned: Floats, true: Floats) -> Figure:
    """Learned coefficients of xⁱ/i! beside the true ones (0 beyond the last), on an axis that shows 1 and 10¹² and both signs.

    Args:
        learned: (d,).
        true: (k,).
    """
    powers = np.arange(len(learned))
    truth = np.zeros(len(learned))
    truth[: min(len(true), len(learned))] = true[: len(learned)]
    stems = [
        polyline(
            segments(powers, powers), segments(np.zeros(len(powers)), symmetric_log(learned)),
            {"color": translucent(VERMILION, 0.6), "width": 2}, showlegend=False,
        ),
        _stem_heads(_("learned value"), powers, learned, VERMILION, "circle", 8),
        _stem_heads(_("true"), powers, truth, GREY, "line-ew-open", 16),
    ]  # fmt: skip
    highest = max(1.0, float(np.abs(symmetric_log(np.concatenate([learned, truth]))).max()))
    decades = range(0, int(highest) + 1, max(1, int(highest) // 4))
    ticks = sorted({sign * power for power in decades for sign in (-1, 1)})
    words = ["0" if tick == 0 else f"{'−' if tick < 0 else ''}{power_label(abs(tick) - 1)}" for tick in ticks]
    return figure(
        stems,
        xaxis=axis(_("i, of xⁱ/i!"), zeroline=False, range=[-0.6, len(learned) - 0.4]),
        yaxis=axis(_("coefficient"), tickvals=ticks, ticktext=words, range=[-1.12 * highest, 1.12 * highest], uirevision=f"{highest:.3g}"),
    )


def symmetric_log(values: npt.ArrayLike) -> Floats:
    """v for |v| ≤ 1, ±(1 + log₁₀ |v|) beyond: continuous, and of both signs. Infinite and NaN go to the largest power."""
    array = np.nan_to_num(np.asarray(values, dtype=np.float64), nan=np.inf)
    size = np.minimum(np.abs(array), 10.0**LARGEST_POWER)
    shown: Floats = np.sign(array) * np.where(size <= 1, size, 1 + np.log10(np.maximum(size, 1)))
    return shown


def _points(name: str, points: Points, color: str, symbol: str) -> Trace:
    marker = {"color": color, "size": 7, "symbol": symbol}
    return markers(*points, marker, "(%{x:.3g}, %{y:.3g})", name=name)


def _stem_heads(name: str, powers: npt.NDArray[np.int_], values: Floats, color: str, symbol: str, size: int) -> Trace:
    marker = {"color": color, "symbol": symbol, "size": size, "line": {"width": 3, "color": color}}
    words = [significant(value, 4) for value in values]
    return markers(powers, symmetric_log(values), marker, f"{name} %{{text}}", name=name, text=words)


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
    ticks = [*zero, *((float(power), exactly(10.0**power)) for power in powers)]
    return axis("λ", range=[float(places.min()) - 0.15, float(places.max()) + 0.15], **labeled(ticks))


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
    traces.append(polyline([1, longest], [truth, truth], thin | {"dash": "dash"}, name=_("true: {weight} each", weight=exactly(truth))))
    drawn = np.concatenate([*weights.values(), [truth, 0.0]])
    drawn = drawn[np.isfinite(drawn)]
    low, high = float(drawn.min()), float(drawn.max())
    margin = WEIGHTS_MARGIN * (high - low or 1.0)
    return figure(
        traces,
        xaxis=axis(_("weights, in order"), range=[0, longest + 1], zeroline=False),
        yaxis=axis(_("value"), range=[low - margin, high + margin], uirevision=str(longest)),
    )


def _ordered(label: str, values: Floats, line: Mapping[str, object]) -> Trace:
    ordered = np.sort(finite(values))
    return polyline(np.arange(1, len(ordered) + 1), ordered, line, "%{y:.3g}", name=label)
