"""Small images laid side by side, and made into data that a figure carries. Knows pixels, not what they show."""

from __future__ import annotations

import base64
import math
import struct
import zlib

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]


def tile(images: npt.NDArray[np.generic], columns: int, gap: int, fill: float) -> npt.NDArray[np.generic]:
    """Lay (n, h, w) images out row by row, `gap` pixels of `fill` between them.

    Returns:
        (rows (h + gap) - gap, columns (w + gap) - gap), dtype of the images; image i starts at
        ((i // columns) (h + gap), (i % columns) (w + gap)).
    """
    n, height, width = images.shape
    rows = math.ceil(n / columns)
    canvas = np.full((rows, height + gap, columns, width + gap), fill, dtype=images.dtype)
    for i, image in enumerate(images):
        canvas[i // columns, :height, i % columns, :width] = image
    flat = canvas.reshape(rows * (height + gap), columns * (width + gap))
    return flat[: flat.shape[0] - gap, : flat.shape[1] - gap]


def png(indices: Pixels, colors: Pixels) -> str:
    """A palette PNG as a data URI.

    Args:
        indices: (h, w) into `colors`.
        colors: (k, 4) red, green, blue, opacity; k at most 256.

    Reference: PNG specification (third edition, W3C), colour type 3.
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


def ink_png(image: Pixels, color: str) -> str:
    """A greyscale image in one ink: 0 is transparent and 255 the full colour, so that it reads on any background."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    colors = np.zeros((256, 4), dtype=np.uint8)
    colors[:, :3] = red, green, blue
    colors[:, 3] = np.arange(256)
    return png(image, colors)


def pixel_grid_svg(side: int, color: str) -> str:
    """An empty square grid of `side` by `side` pixels as a data URI."""
    lines = "".join(f"M{i} 0V{side}M0 {i}H{side}" for i in range(side + 1))
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{8 * side}' height='{8 * side}' viewBox='-0.1 -0.1 {side + 0.2} {side + 0.2}'>"
        f"<path d='{lines}' stroke='{color}' stroke-width='0.1' fill='none'/></svg>"
    )
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode("ascii")).decode("ascii")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
