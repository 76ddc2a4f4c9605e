"""What a classifier says of single images and of all: pictures with labels, probabilities, confusion. Knows arrays, not models."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pages.figures.axes import axis
from pages.figures.figure import Figure, Trace, bar, figure, image, scatter
from pages.figures.mosaic import CLEAR, grey_colors, grey_indices, png, tile
from pages.figures.palette import FAULT, GREY, HEALTHY

RIGHT, WRONG = "✓", "✗"
LABEL_GAP, SIDE_GAP = 16, 5  # image pixels below and beside each picture
ROW_PX = 116  # height of a row of pictures on the screen
BAR_PX = 24
LIKELIEST = 3  # classes that a hover names

Labels = npt.NDArray[np.integer] | Sequence[int]
Array = npt.NDArray[Any]


def prediction_grid(
    images: npt.NDArray[np.uint8],
    true: Labels,
    predicted: Labels,
    class_names: Sequence[str],
    *,
    probabilities: Array | None = None,
    columns: int = 5,
) -> Figure:
    """Test images with what the network takes them for: framed green and ✓, or vermilion and ✗ with the true label below.

    Args:
        images: (n, h, w).
        true, predicted: (n,) class indices.
        probabilities: (n, classes); named on hover.
        columns: pictures a row.
    """
    n, height, width = images.shape
    mosaic = tile(grey_indices(images), columns, (LABEL_GAP, SIDE_GAP), CLEAR)
    rows, shown = math.ceil(n / columns), min(n, columns)
    left, top = np.arange(n) % columns * (width + SIDE_GAP), np.arange(n) // columns * (height + LABEL_GAP)
    right = np.asarray(true) == np.asarray(predicted)
    corners = [np.column_stack([left[hit], top[hit]]) for hit in (right, ~right)]
    traces = [
        image(source=png(mosaic, grey_colors()), hoverinfo="skip"),
        _frames(corners[0], height, width, HEALTHY, "right"),
        _frames(corners[1], height, width, FAULT, "wrong"),
        _captions(left + width / 2, top + height, true, predicted, class_names),
        _targets(
            left + width / 2,
            top + height / 2,
            np.column_stack([np.asarray(true), np.asarray(predicted)]),
            _hover(true, predicted, class_names, probabilities),
        ),
    ]
    axis = {"visible": False, "fixedrange": True, "constrain": "domain"}
    return figure(
        traces,
        height=rows * ROW_PX + 8,
        margin={"l": 4, "r": 4, "t": 4, "b": 4},
        hovermode="closest",
        dragmode=False,
        showlegend=False,
        xaxis=axis | {"range": [-2, max(shown, columns) * (width + SIDE_GAP) - SIDE_GAP + 1]},
        yaxis=axis | {"range": [rows * (height + LABEL_GAP), -2], "scaleanchor": "x", "constraintoward": "top"},
    )


def _frames(corners: Array, height: int, width: int, color: str, name: str) -> Trace:
    """One trace of rectangles just outside the pictures whose first pixels are at `corners` (n, 2) as x, y."""
    x = corners[:, :1] + np.array([[-1.0, width, width, -1.0, -1.0, np.nan]])  # pixel i spans i - 0.5 to i + 0.5
    y = corners[:, 1:] + np.array([[-1.0, -1.0, height, height, -1.0, np.nan]])
    line = {"color": color, "width": 2}
    return scatter(x=x.ravel().astype(np.float32), y=y.ravel().astype(np.float32), mode="lines", line=line, name=name, hoverinfo="skip")


def _captions(x: Array, y: Array, true: Labels, predicted: Labels, names: Sequence[str]) -> Trace:
    texts = [
        f"{RIGHT} {names[said]}" if said == is_ else f"{WRONG} {names[said]}<br>is {names[is_]}"
        for is_, said in zip(true, predicted, strict=True)
    ]
    return scatter(x=x, y=y + 1.5, text=texts, mode="text", textposition="bottom center", textfont={"size": 11}, hoverinfo="skip")


def _hover(true: Labels, predicted: Labels, names: Sequence[str], probabilities: Array | None) -> list[str]:
    texts = [f"true: {names[is_]}<br>predicted: {names[said]}" for is_, said in zip(true, predicted, strict=True)]
    if probabilities is not None:
        for i, row in enumerate(np.asarray(probabilities, dtype=np.float64)):
            likeliest = np.argsort(-row, kind="stable")[:LIKELIEST]
            texts[i] += "".join(f"<br>{names[c]} {100 * row[c]:.1f} %" for c in likeliest)
    return texts


def _targets(x: Array, y: Array, pairs: Array, hover: list[str]) -> Trace:
    """Invisible markers on the pictures: something to hover over and to click."""
    marker = {"size": 44, "symbol": "square", "opacity": 0}
    return scatter(x=x, y=y, hovertext=hover, hoverinfo="text", customdata=pairs, mode="markers", marker=marker)


def probability_bars(probabilities: Array, class_names: Sequence[str], true: int | None = None, predicted: int | None = None) -> Figure:
    """How sure the network is of each class, in percent.

    Args:
        probabilities: (classes,).
        true: marked ✓ in its name; None where it is not known.
        predicted: its bar is green if it is the true class, vermilion if not; None takes the likeliest.
    """
    percent = 100 * np.asarray(probabilities, dtype=np.float64)
    said = int(percent.argmax()) if predicted is None else predicted
    colors = [GREY] * len(percent)
    colors[said] = HEALTHY if true is None or said == true else FAULT
    names = [f"{RIGHT} {name}" if i == true else name for i, name in enumerate(class_names)]
    bars = bar(
        x=percent, y=names, orientation="h", marker={"color": colors}, text=[f"{value:.1f}" for value in percent],
        textposition="outside", cliponaxis=False, hovertemplate="%{y}: %{x:.2f} %<extra></extra>",
    )  # fmt: skip
    return figure(
        [bars],
        height=BAR_PX * len(percent) + 56,
        margin={"l": 8, "r": 32, "t": 8, "b": 44},
        hovermode="closest",
        bargap=0.25,
        xaxis=axis("probability (%)", range=[0, 100], fixedrange=True),
        yaxis={"autorange": "reversed", "automargin": True, "fixedrange": True},
    )
