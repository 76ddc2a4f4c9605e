"""What the units of the first layer look for: their weights as images. Knows a matrix, not a model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from plotly.colors import sample_colorscale

from pages.figures.figure import Figure, figure, image, scatter
from pages.figures.mosaic import CLEAR, png, tile
from pages.figures.palette import DIVERGING

GAP = 2  # image pixels between pictures
ROW_PX = 66  # height of a row of pictures on the screen
MOST_UNITS = 64
MIDDLE = 31  # palette index of 0: 63 colors, which the eye cannot tell from more and which compress to half
SHOWN_SHARE = 0.995  # of the weights lies on the scale; the few beyond take the color of its ends


def weight_images(weights: npt.NDArray[np.floating], *, columns: int = 8, most: int = MOST_UNITS) -> Figure:
    """Each unit's incoming weights as one square picture, all on one scale that is symmetric about 0.

    The scale ends at the size below which `SHOWN_SHARE` of the weights lie; larger ones take its last colors.

    Args:
        weights: (units, side * side), as of a linear layer. What is not finite shows as a hole.
        columns: pictures a row.
        most: pictures drawn; the first units are taken.

    Raises:
        ValueError: rows that are not square images.
    """
    side = math.isqrt(weights.shape[1])
    if side * side != weights.shape[1]:
        raise ValueError(f"each unit must have a square number of weights, got {weights.shape[1]}")
    shown = np.asarray(weights[:most], dtype=np.float64)
    finite = shown[np.isfinite(shown)]
    end = float(np.quantile(np.abs(finite), SHOWN_SHARE)) if finite.size else 0.0
    end = end or float(np.abs(finite).max(initial=0.0)) or 1.0
    n = len(shown)
    mosaic = tile(_indices(shown, end).reshape(n, side, side), columns, (GAP, GAP), CLEAR)
    left, top = np.arange(n) % columns * (side + GAP), np.arange(n) // columns * (side + GAP)
    norms = np.linalg.norm(shown, axis=1)
    hover = [f"unit {i + 1} of {len(weights):,}<br>|w| = {norm:.3g}" for i, norm in enumerate(norms)]
    middle = (side - 1) / 2
    targets = scatter(
        x=left + middle, y=top + middle, hovertext=hover, hoverinfo="text", mode="markers",
        marker={"size": 30, "symbol": "square", "opacity": 0, "color": np.zeros(n), "cmin": -end, "cmax": end}
        | {"colorscale": DIVERGING, "showscale": True, "colorbar": _color_bar(end)},
    )  # fmt: skip
    rows = math.ceil(n / columns)
    return figure(
        [image(source=png(mosaic, _colors()), hoverinfo="skip"), targets],
        height=max(rows, 2) * ROW_PX + 16,
        margin={"l": 4, "r": 4, "t": 8, "b": 8},
        hovermode="closest",
        dragmode=False,
        xaxis=_axis(columns, side),
        yaxis=_axis(rows, side) | {"autorange": "reversed", "scaleanchor": "x", "constraintoward": "top"},
    )


def _indices(weights: npt.NDArray[np.float64], end: float) -> npt.NDArray[np.uint8]:
    """Weights as palette indices: -end and below is 0, 0 is `MIDDLE`, end and above 2 `MIDDLE`; what is not finite is `CLEAR`."""
    finite = np.isfinite(weights)
    scaled = np.round(MIDDLE * (1 + np.clip(np.where(finite, weights, 0.0) / end, -1, 1)))
    return np.where(finite, scaled, CLEAR).astype(np.uint8)


def _colors() -> npt.NDArray[np.uint8]:
    """(256, 4): the diverging scale over 0 to 2 `MIDDLE`; `CLEAR` is transparent."""
    sampled = sample_colorscale(DIVERGING, np.linspace(0, 1, 2 * MIDDLE + 1), colortype="tuple")
    colors = np.zeros((256, 4), dtype=np.uint8)
    colors[: 2 * MIDDLE + 1, :3] = np.round(255 * np.array(sampled))
    colors[: 2 * MIDDLE + 1, 3] = 255
    return colors


def _color_bar(end: float) -> dict[str, Any]:
    ticks = {"tickvals": [-end, 0, end], "ticktext": [f"≤ −{end:.2g}", "0", f"≥ {end:.2g}"]}
    return {"title": {"text": "weight", "side": "right"}, "thickness": 12, "outlinewidth": 0} | ticks


def _axis(count: int, side: int) -> dict[str, Any]:
    return {"visible": False, "fixedrange": True, "constrain": "domain", "range": [-0.5 - GAP, count * (side + GAP) - 0.5]}
