"""A fitted polynomial over its points, and its coefficients beside the true ones. Knows arrays, not how they were found."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pages.figures.axes import axis
from pages.figures.figure import Figure, Floats, Trace, figure, scatter
from pages.figures.palette import GREY, TEST, TRAIN, VERMILION, translucent

Points = tuple[Floats, Floats]

HEADROOM = 0.25  # of the points' height, above and below
LARGEST_POWER = 300  # of ten: a coefficient beyond it is drawn there


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
        _dots("test points", test, translucent(TEST, 0.55), "circle-open"),
        _dots("training points", train, TRAIN, "circle"),
        scatter(x=grid, y=truth, name="true cubic", mode="lines", line={"color": GREY, "width": 2, "dash": "dash"}, hoverinfo="skip"),
    ]
    if fitted is not None:
        within = np.where(np.isfinite(fitted), np.clip(fitted, low - 20 * room, high + 20 * room), np.nan)
        line = {"color": VERMILION, "width": 3}
        traces.append(scatter(x=grid, y=within, name="fitted", mode="lines", line=line, hovertemplate="%{y:.3~g}"))
    frame = f"{low:.4g} to {high:.4g} from {grid[0]:.4g} to {grid[-1]:.4g}"
    return figure(
        traces,
        xaxis=axis("x", range=[float(grid[0]), float(grid[-1])], zeroline=False, uirevision=frame),
        yaxis=axis("y", range=[low - room, high + room], zeroline=False, uirevision=frame),
        hovermode="closest",
    )


def coefficient_stems(learned: Floats, true: Floats) -> Figure:
    """Learned coefficients of xⁱ/i! beside the true ones (0 beyond the last), on an axis that shows 1 and 10¹² and both signs."""
    powers = np.arange(len(learned))
    truth = np.zeros(len(learned))
    truth[: min(len(true), len(learned))] = true[: len(learned)]
    stems = [
        scatter(
            x=np.column_stack([powers, powers, np.full(len(powers), np.nan)]).ravel(),
            y=np.column_stack([np.zeros(len(powers)), symmetric_log(learned), np.full(len(powers), np.nan)]).ravel(),
            mode="lines", line={"color": translucent(VERMILION, 0.6), "width": 2}, hoverinfo="skip", showlegend=False,
        ),
        _stem_heads("learned", powers, learned, VERMILION, "circle", 8),
        _stem_heads("true", powers, truth, GREY, "line-ew-open", 16),
    ]  # fmt: skip
    highest = max(1.0, float(np.abs(symmetric_log(np.concatenate([learned, truth]))).max()))
    decades = range(0, int(highest) + 1, max(1, int(highest) // 4))
    ticks = sorted({sign * power for power in decades for sign in (-1, 1)})
    words = ["0" if tick == 0 else f"{'−' if tick < 0 else ''}{_power(abs(tick) - 1)}" for tick in ticks]
    return figure(
        stems,
        xaxis=axis("i, of xⁱ/i!", zeroline=False, range=[-0.6, len(learned) - 0.4]),
        yaxis=axis("coefficient", tickvals=ticks, ticktext=words, range=[-1.12 * highest, 1.12 * highest], uirevision=f"{highest:.3g}"),
    )


def symmetric_log(values: npt.ArrayLike) -> Floats:
    """v for |v| ≤ 1, ±(1 + log₁₀ |v|) beyond: continuous, and of both signs. Infinite and NaN go to the largest power."""
    array = np.nan_to_num(np.asarray(values, dtype=np.float64), nan=np.inf, posinf=10.0**LARGEST_POWER, neginf=-(10.0**LARGEST_POWER))
    size = np.minimum(np.abs(array), 10.0**LARGEST_POWER)
    shown: Floats = np.sign(array) * np.where(size <= 1, size, 1 + np.log10(np.maximum(size, 1)))
    return shown


def _power(exponent: int) -> str:
    return "1" if exponent == 0 else "10" if exponent == 1 else f"10<sup>{exponent}</sup>"


def _dots(name: str, points: Points, color: str, symbol: str) -> Trace:
    marker = {"color": color, "size": 7, "symbol": symbol}
    return scatter(x=points[0], y=points[1], name=name, mode="markers", marker=marker, hovertemplate="(%{x:.3g}, %{y:.3g})")


def _stem_heads(name: str, powers: npt.NDArray[np.int_], values: Floats, color: str, symbol: str, size: int) -> Trace:
    marker = {"color": color, "symbol": symbol, "size": size, "line": {"width": 3, "color": color}}
    words = [f"{value:.4g}" for value in values]
    return scatter(
        x=powers, y=symmetric_log(values), name=name, mode="markers", marker=marker, text=words, hovertemplate=f"{name} %{{text}}"
    )
