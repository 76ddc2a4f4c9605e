"""Small images laid side by side, and made into data that a figure carries. Knows pixels, not what they show."""

from __future__ import annotations

import base64
import math
import struct
import zlib
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Scalar = TypeVar("Scalar", bound=np.generic)

PAPER, INK = (0x15, 0x1B, 0x26), (0xF4, 0xF6, 0xFA)  # pixel values 0 and 255: on white and on near-black alike, a tile of its own
CLEAR = 255  # palette index of what shows the page


def tile(images: npt.NDArray[Scalar], columns: int, gap: tuple[int, int], fill: float) -> npt.NDArray[Scalar]:
    """Lay (n, h, w) images out row by row with `gap` = (below, beside) pixels of `fill` between them.

    Returns:
        (rows (h + below) - below, columns (w + beside) - beside), dtype of the images; image i starts at
        ((i // columns) (h + below), (i % columns) (w + beside)).
    """
    n, height, width = images.shape
    below, beside = gap
    rows = math.ceil(n / columns)
    canvas = np.full((rows, height + below, columns, width + beside), fill, dtype=images.dtype)
    for i, image in enumerate(images):
        canvas[i // columns, :height, i % columns, :width] = image
    flat = canvas.reshape(rows * (height + below), columns * (width + beside))
    return flat[: flat.shape[0] - below, : flat.shape[1] - beside]


def png(indices: Pixels, colors: Pixels) -> str:
    """A palette PNG as a data URI.

    Args:
        indices: (h, w) into `colors`.
        colors: (k, 4) red, green, blue, opacity; k at most 256.

    Reference: PNG specification (third edition, W3C), color type 3.
    """
    height, width = indices.shape
    rows = np.zeros((height, width + 1), dtype=np.uint8)  # each row begins with its filter: 0, none
    rows[:, 1:] = indices
    chunks = (
        _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        _chunk(b"PLTE", np.ascontiguousarray(colors[:, :3]).tobytes()),
        _chunk(b"tRNS", np.ascontiguousarray(colors[:, 3]).tobytes()),
        _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)),
        _chunk(b"IEND", b""),
    )
    return "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(chunks)).decode("ascii")


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


def enlarged(image: npt.NDArray[Scalar], factor: int) -> npt.NDArray[Scalar]:
    """Each pixel as a square of `factor` by `factor`, so that a browser that smooths an image leaves its pixels square."""
    return np.repeat(np.repeat(image, factor, axis=0), factor, axis=1)


def pixel_grid_svg(side: int, color: str) -> str:
    """An empty square grid of `side` by `side` pixels as a data URI."""
    lines = "".join(f"M{i} 0V{side}M0 {i}H{side}" for i in range(side + 1))
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{8 * side}' height='{8 * side}' viewBox='-0.1 -0.1 {side + 0.2} {side + 0.2}'>"
        f"<path d='{lines}' stroke='{color}' stroke-width='0.07' fill='none'/></svg>"
    )
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode("ascii")).decode("ascii")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
