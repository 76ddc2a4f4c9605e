"""A visitor's own picture: one stage on its way to the network, and the training images that look most like it. Knows arrays only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pages.figures.figure import Figure, figure, image, scatter
from pages.figures.mosaic import CLEAR, enlarged, grey_colors, grey_indices, png, tile

LABEL_GAP, SIDE_GAP = 17, 6  # image pixels below and beside each neighbor
ROW_PX = 122  # height of a row of neighbors on the screen
STAGE_PX = 124  # height of a stage on the screen
SHARP_SIDE = 100  # pixels a side; a smaller stage is enlarged, so that its pixels stay square
MOST_SIDE = 280  # pixels a side of what is sent: twice as many as are drawn

Pixels = npt.NDArray[np.uint8]


def stage_picture(pixels: Pixels) -> Figure:
    """One gray picture of any size, as large as its place allows.

    Args:
        pixels: (h, w).
    """
    edge = max(pixels.shape)
    step = math.ceil(edge / MOST_SIDE)
    drawn = enlarged(pixels, math.ceil(SHARP_SIDE / edge)) if edge < SHARP_SIDE else pixels[::step, ::step]
    height, width = drawn.shape
    axis = _axis()
    return figure(
        [image(source=png(grey_indices(drawn), grey_colors()), hoverinfo="skip")],
        height=STAGE_PX,
        margin={"l": 2, "r": 2, "t": 2, "b": 2},
        dragmode=False,
        hovermode=False,
        xaxis=axis | {"range": [-0.5, width - 0.5]},
        yaxis=axis | {"range": [height - 0.5, -0.5], "scaleanchor": "x"},
    )


def neighbor_grid(
    images: Pixels,
    labels: npt.NDArray[np.integer] | Sequence[int],
    distances: npt.NDArray[np.floating] | Sequence[float],
    class_names: Sequence[str],
    *,
    columns: int = 4,
) -> Figure:
    """Training images by their distance to a picture, nearest first, each with its label and its distance.

    Args:
        images: (n, h, w).
        labels: (n,) class indices.
        distances: (n,).
        columns: pictures a row.
    """
    n, height, width = images.shape
    left, top = np.arange(n) % columns * (width + SIDE_GAP), np.arange(n) // columns * (height + LABEL_GAP)
    texts = [f"{class_names[label]}<br>{distance:.2f}" for label, distance in zip(labels, distances, strict=True)]
    captions = scatter(
        x=left + width / 2 - 0.5, y=top + height + 0.5, text=texts, mode="text", textposition="bottom center", textfont={"size": 12},
        hoverinfo="skip",
    )  # fmt: skip
    mosaic = tile(grey_indices(images), columns, (LABEL_GAP, SIDE_GAP), CLEAR)
    rows, axis = math.ceil(n / columns), _axis()
    return figure(
        [image(source=png(mosaic, grey_colors()), hoverinfo="skip"), captions],
        height=rows * ROW_PX + 8,
        margin={"l": 4, "r": 4, "t": 4, "b": 4},
        hovermode=False,
        dragmode=False,
        showlegend=False,
        xaxis=axis | {"range": [-0.5, columns * (width + SIDE_GAP) - SIDE_GAP - 0.5], "constraintoward": "left"},
        yaxis=axis | {"range": [rows * (height + LABEL_GAP) - 0.5, -0.5], "scaleanchor": "x", "constraintoward": "top"},
    )


def _axis() -> dict[str, Any]:
    return {"visible": False, "fixedrange": True, "constrain": "domain"}
