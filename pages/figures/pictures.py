"""Small images laid side by side, made into data that a figure carries; single images, neighbors, and weights as images."""

import base64
import io
import math
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image
from plotly.colors import sample_colorscale

from mlp_core.words import count, significant
from pages.figures.axes import hidden_axis, labeled
from pages.figures.figure import Figure, Floats, Trace, captions, diagram, image, markers, wrapped
from pages.figures.palette import DIVERGING
from pages.language import _

Pixels = npt.NDArray[np.uint8]
Scalar = TypeVar("Scalar", bound=np.generic)

PAPER, INK = (0x15, 0x1B, 0x26), (0xF4, 0xF6, 0xFA)  # pixel values 0 and 255: on white and on near-black alike, a tile of its own
CLEAR = 255  # palette index of what shows the page

STAGE_PX = 124  # height of a stage on the screen
SHARP_SIDE = 100  # pixels a side; a smaller stage is enlarged, so that its pixels stay square
MOST_SIDE = 280  # pixels a side of what is sent: twice as many as are drawn
NEIGHBOR_GAP = (17, 6)  # image pixels below and beside each neighbor
NEIGHBOR_PX = 122  # height of a row of neighbors on the screen
NAME_COLUMNS = 13  # letters of a line below a neighbor

MOST_UNITS = 64
WEIGHT_GAP = 2  # image pixels between the weights of two units
WEIGHT_PX = 66  # height of a row of weights on the screen
MIDDLE = 31  # palette index of 0: 63 colors, which the eye cannot tell from more and which compress to half
SCALED_SHARE = 0.995  # of the weights lies on the scale; the few beyond take the color of its ends


def tile(images: npt.NDArray[Scalar], columns: int, gap: tuple[int, int], fill: float) -> npt.NDArray[Scalar]:
    """Lay (n, h, w) images out row by row with `gap` = (below, beside) pixels of `fill` between them.

    Returns:
        (rows (h + below) - below, columns (w + beside) - beside), dtype of the images.
    """
    n, height, width = images.shape
    below, beside = gap
    rows = math.ceil(n / columns)
    canvas = np.full((rows, height + below, columns, width + beside), fill, dtype=images.dtype)
    for i, one in enumerate(images):
        canvas[i // columns, :height, i % columns, :width] = one
    flat = canvas.reshape(rows * (height + below), columns * (width + beside))
    return flat[: flat.shape[0] - below, : flat.shape[1] - beside]


def tile_corners(n: int, side: tuple[int, int], columns: int, gap: tuple[int, int]) -> tuple[npt.NDArray[np.int_], npt.NDArray[np.int_]]:
    """x and y (n,) of the first pixel of each image, `side` = (h, w), in what `tile` made of them."""
    (height, width), (below, beside) = side, gap
    return np.arange(n) % columns * (width + beside), np.arange(n) // columns * (height + below)


def png(indices: Pixels, colors: Pixels) -> str:
    """A palette PNG as a data URI.

    Args:
        indices: (h, w) into `colors`.
        colors: (k, 4) red, green, blue, opacity; k at most 256.
    """
    picture = Image.frombytes("P", indices.shape[::-1], np.ascontiguousarray(indices).tobytes())
    picture.putpalette(np.ascontiguousarray(colors[:, :3]).tobytes())
    written = io.BytesIO()
    picture.save(written, "PNG", transparency=np.ascontiguousarray(colors[:, 3]).tobytes(), compress_level=9)
    return "data:image/png;base64," + base64.b64encode(written.getvalue()).decode("ascii")


def picture(indices: Pixels, colors: Pixels) -> Trace:
    """A palette picture (h, w) as a trace: pixel (i, j) spans i - 0.5 to i + 0.5 in y and j - 0.5 to j + 0.5 in x."""
    return image(source=png(indices, colors), hoverinfo="skip")


def placed_image(source: str, x: float, y: float, width: float, height: float) -> dict[str, Any]:
    """A picture laid over a plot with its middle at (x, y), as large as fits into width and height of the axes; for a layout's images."""
    place = {"xref": "x", "yref": "y", "x": x, "y": y, "xanchor": "center", "yanchor": "middle"}
    return place | {"source": source, "sizex": width, "sizey": height, "sizing": "contain", "layer": "above"}


def picture_axis(**properties: Any) -> dict[str, Any]:
    """An axis of a picture, whose pixels are to stay square."""
    return hidden_axis(constrain="domain", **properties)


def grey_colors() -> Pixels:
    """(256, 4): from `PAPER` to `INK`, except that index `CLEAR` is transparent (pixel values 254 and 255 look the same)."""
    ramp = np.linspace(0, 1, CLEAR)[:, None]
    colors = np.zeros((256, 4), dtype=np.uint8)
    colors[:CLEAR, :3] = np.round((1 - ramp) * PAPER + ramp * INK)
    colors[:CLEAR, 3] = 255
    return colors


def grey_indices(images: Pixels) -> Pixels:
    """Pixel values as indices into `grey_colors`."""
    return np.minimum(images, CLEAR - 1).astype(np.uint8)


def enlarged(pixels: npt.NDArray[Scalar], factor: int) -> npt.NDArray[Scalar]:
    """Each pixel as a square of `factor` by `factor`, so that a browser that smooths an image leaves its pixels square."""
    return np.repeat(np.repeat(pixels, factor, axis=-2), factor, axis=-1)


def stage_picture(pixels: Pixels) -> Figure:
    """One stage of a visitor's own picture on its way to the network: gray, of any size, as large as its place allows.

    Args:
        pixels: (h, w).
    """
    edge = max(pixels.shape)
    step = math.ceil(edge / MOST_SIDE)
    drawn = enlarged(pixels, math.ceil(SHARP_SIDE / edge)) if edge < SHARP_SIDE else pixels[::step, ::step]
    height, width = drawn.shape
    return diagram(
        [picture(grey_indices(drawn), grey_colors())],
        height=STAGE_PX,
        margin=dict.fromkeys("lrtb", 2),
        hovermode=False,
        xaxis=picture_axis(range=[-0.5, width - 0.5]),
        yaxis=picture_axis(range=[height - 0.5, -0.5], scaleanchor="x"),
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
    below, beside = NEIGHBOR_GAP
    left, top = tile_corners(n, (height, width), columns, NEIGHBOR_GAP)
    texts = [f"{wrapped(_(class_names[label]), NAME_COLUMNS)}<br>{distance:.2f}" for label, distance in zip(labels, distances, strict=True)]
    below_each = captions(left + width / 2 - 0.5, top + height + 0.5, texts, 12, "bottom center")
    rows = math.ceil(n / columns)
    return diagram(
        [picture(tile(grey_indices(images), columns, NEIGHBOR_GAP, CLEAR), grey_colors()), below_each],
        height=rows * NEIGHBOR_PX + 8,
        hovermode=False,
        xaxis=picture_axis(range=[-0.5, columns * (width + beside) - beside - 0.5], constraintoward="left"),
        yaxis=picture_axis(range=[rows * (height + below) - 0.5, -0.5], scaleanchor="x", constraintoward="top"),
    )


def weight_images(weights: npt.NDArray[np.floating], *, columns: int = 8, most: int = MOST_UNITS) -> Figure:
    """What the units of the first layer look for: the incoming weights of each as a square picture, all on one scale symmetric about 0.

    The scale ends at the size below which `SCALED_SHARE` of the weights lie; larger ones take its last colors.

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
    end = float(np.quantile(np.abs(finite), SCALED_SHARE)) if finite.size else 0.0
    end = end or float(np.abs(finite).max(initial=0.0)) or 1.0
    n, gap = len(shown), (WEIGHT_GAP, WEIGHT_GAP)
    mosaic = tile(_weight_indices(shown, end).reshape(n, side, side), columns, gap, CLEAR)
    left, top = tile_corners(n, (side, side), columns, gap)
    norms = np.linalg.norm(shown, axis=1)
    units = count(len(weights))
    hover = [
        f"{_('unit {number} of {units}', number=i + 1, units=units)}<br>|w| = {significant(float(norm))}" for i, norm in enumerate(norms)
    ]
    middle = (side - 1) / 2
    bar = {"title": {"text": _("weight"), "side": "right"}, "thickness": 12, "outlinewidth": 0}
    bar |= labeled([(-end, f"≤ −{significant(end, 2)}"), (0, "0"), (end, f"≥ {significant(end, 2)}")])
    marker = {"size": 30, "symbol": "square", "opacity": 0, "color": np.zeros(n), "cmin": -end, "cmax": end}
    marker |= {"colorscale": DIVERGING, "showscale": True, "colorbar": bar}
    targets = markers(left + middle, top + middle, marker, hovertext=hover, hoverinfo="text")
    rows = math.ceil(n / columns)
    xrange, yrange = ([-0.5 - WEIGHT_GAP, tiles * (side + WEIGHT_GAP) - 0.5] for tiles in (columns, rows))
    return diagram(
        [picture(mosaic, _weight_colors()), targets],
        height=max(rows, 2) * WEIGHT_PX + 16,
        margin={"l": 4, "r": 4, "t": 8, "b": 8},
        xaxis=picture_axis(range=xrange),
        yaxis=picture_axis(range=yrange, autorange="reversed", scaleanchor="x", constraintoward="top"),
    )


def _weight_indices(weights: Floats, end: float) -> Pixels:
    """Weights as palette indices: -end and below is 0, 0 is `MIDDLE`, end and above 2 `MIDDLE`; what is not finite is `CLEAR`."""
    finite = np.isfinite(weights)
    scaled = np.round(MIDDLE * (1 + np.clip(np.where(finite, weights, 0.0) / end, -1, 1)))
    return np.where(finite, scaled, CLEAR).astype(np.uint8)


def _weight_colors() -> Pixels:
    """(256, 4): the diverging scale over 0 to 2 `MIDDLE`; `CLEAR` is transparent."""
    sampled = sample_colorscale(DIVERGING, np.linspace(0, 1, 2 * MIDDLE + 1), colortype="tuple")
    colors = np.zeros((256, 4), dtype=np.uint8)
    colors[: 2 * MIDDLE + 1, :3] = np.round(255 * np.array(sampled))
    colors[: 2 * MIDDLE + 1, 3] = 255
    return colors
