"""Reads back, with Pillow, the pictures that a figure carries."""

from __future__ import annotations

import base64
import io

import numpy as np
import numpy.typing as npt
from PIL import Image


def pixels(source: str) -> npt.NDArray[np.uint8]:
    """A PNG data URI -> (h, w, 4): red, green, blue, opacity."""
    kind, data = source.split(",", 1)
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA"))
