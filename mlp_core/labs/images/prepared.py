"""A picture on its way to the network: every stage between what a visitor brought and 28 × 28 pixels.

Follows the making of Fashion-MNIST, whose pictures are bright on black, 28 pixels along their longest edge, and centered. Two things
are different: an area is averaged, where rows and columns were skipped and the rest sharpened; and a background that is not quite even
is made black, where a studio's was.

Reference: Xiao, Rasul and Vollgraf (2017), "Fashion-MNIST", section 2, figure 1.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from mlp_core.labs.images.file import Picture, PictureError, Pixels
from mlp_core.words import Message, joined, percent

SIDE = 28  # pixels a side that the network sees
MIDDLE = 127
UNEVEN = 3 * 1.4826  # median absolute deviations of the border: three standard deviations, were it normal noise
STANDS_OUT = 13  # of 255 above the background belongs to the object: 5 %, as in Fashion-MNIST
UNSURE = 0.1  # of the border on the other side of the middle: the object reaches it, or the background is uneven
SPECK = 0.005  # of a row or a column; where fewer pixels stand out it is dust or noise

Background = Literal["auto", "light", "dark"]


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A picture on its way, uint8 (h, w), and what was done to get there."""

    title: str
    pixels: Pixels
    caption: str


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Every stage in order; the last is what the network sees.

    Args:
        doubt: why the background may have been taken for the object, in a sentence; "" where nothing speaks for it.
    """

    stages: tuple[Stage, ...]
    doubt: str = ""

    @property
    def pixels(self) -> Pixels:
        """uint8, 0 (background) to 255, shape (28, 28)."""
        return self.stages[-1].pixels


def prepare(picture: Picture, background: Background = "auto") -> Prepared:
    """Make a picture what the network was trained on.

    Args:
        background: whether it is lighter than the object; "auto" takes the median of the picture's border for it.

    Raises:
        PictureError: nothing stands out from the background.
    """
    width, height = picture.size
    file = Message("{format}, {size}.", format=picture.format, size=f"{width:,} × {height:,}")
    here = "" if picture.pixels.shape == (height, width) else Message("Here {size}.", size=_size(picture.pixels))
    caption = joined(file, here, *picture.notes)
    bright = _bright(picture.pixels, background)
    doubt = _doubt(picture.pixels) if background == "auto" else ""
    return Prepared((Stage(Message("In gray"), picture.pixels, caption), bright, *_framed(bright.pixels)), doubt)


def read_drawing(values: object) -> Pixels:
    """The pixels of a drawing, uint8 (28, 28), bright on black.

    Args:
        values: 784 integers, 0 to 255, row by row from the top left; or whatever somebody sent in their place.

    Raises:
        PictureError: other values.
    """
    if not isinstance(values, list) or len(values) != SIDE * SIDE:
        found = f"{len(values):,}" if isinstance(values, list) else Message("none")
        raise PictureError(Message("a drawing of {n} pixels", n=SIDE * SIDE), found)
    if not all(type(value) is int and 0 <= value <= 255 for value in values):
        raise PictureError(Message("pixels that are whole numbers from 0 to 255"), Message("others"))
    return np.array(values, dtype=np.uint8).reshape(SIDE, SIDE)


def prepare_drawing(drawing: Pixels, *, fit: bool = False) -> Prepared:
    """A drawing as it is, or with `fit` cropped and centered as any other picture.

    Raises:
        PictureError: it is to be cropped, and nothing stands out.
    """
    drawn = Stage(Message("As drawn"), drawing, Message("{size}, bright on black.", size=_size(drawing)))
    return Prepared((drawn, *(_framed(drawing) if fit else ())))


def _bright(gray: Pixels, background: Background) -> Stage:
    """Bright on black: inverted where the background is light, and then the background made black."""
    border = _border(gray).astype(np.float64)
    median = float(np.median(border))
    light = median > MIDDLE if background == "auto" else background == "light"
    known = f"{median:.0f}"
    if background != "auto":
        caption: str = Message("You say so: light, so inverted.") if light else Message("You say so: dark, so kept.")
    elif light:
        caption = Message("The border's median is {median} of 255: light, so inverted.", median=known)
    else:
        caption = Message("The border's median is {median} of 255: dark, so kept.", median=known)
    level = 255 - median if light else median
    level = min(level + UNEVEN * float(np.median(abs(border - median))), MIDDLE) if level <= MIDDLE else 0.0
    if level > 0:
        caption = joined(caption, Message("Up to {level} is background: made 0, the rest stretched.", level=f"{level:.0f}"))
    values = (255.0 - gray if light else gray.astype(np.float64)) - level
    return Stage(Message("Bright on black"), _whole(values.clip(min=0) * (255 / (255 - level))), caption)


def _doubt(gray: Pixels) -> str:
    """Why the border does not tell what is background."""
    light = float((_border(gray) > MIDDLE).mean())
    if min(light, 1 - light) < UNSURE:
        return ""
    return Message(
        "{share} of the picture's border is light and the rest dark, so that it does not tell which of them is background.",
        share=percent(light),
    )


def _border(pixels: Pixels) -> Pixels:
    return np.concatenate([pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]])


def _framed(bright: Pixels) -> tuple[Stage, Stage, Stage]:
    """Cropped to the object, brought to 28 pixels along its longest edge, and centered."""
    rows, columns = _object(bright)
    cropped = bright[rows, columns]
    edge = max(cropped.shape)
    height, width = (max(1, round(SIDE * side / edge)) for side in cropped.shape)
    shrunk = area_mean(cropped, (height, width))
    centered = np.zeros((SIDE, SIDE), dtype=np.uint8)
    top, left = (SIDE - height + 1) // 2, (SIDE - width + 1) // 2  # the odd pixel before the object, as in Fashion-MNIST
    centered[top : top + height, left : left + width] = shrunk
    place = {"row": rows.start + 1, "column": columns.start + 1, "level": STANDS_OUT}
    cut = Message("To {size}, from row {row}, column {column}: what is over {level}.", size=_size(cropped), **place)
    return (
        Stage(Message("Cropped"), cropped, cut),
        Stage(
            Message("Shrunk") if edge > SIDE else Message("Resized"),
            shrunk,
            Message("To {size}: each pixel is the mean of its area.", size=_size(shrunk)),
        ),
        Stage(Message("Centered"), centered, Message("In {size}: as the network sees it.", size=_size(centered))),
    )


def _object(bright: Pixels) -> tuple[slice, slice]:
    """The rows and columns from the first to the last in which enough pixels stand out."""
    out = bright > STANDS_OUT
    rows, columns = (np.flatnonzero(out.mean(axis=axis) > SPECK) for axis in (1, 0))
    if not len(rows) or not len(columns):
        found = Message("a few specks")
        if out.sum() == 0:
            found = Message("at most {share} of difference", share=percent(bright.max() / 255, 0))
        raise PictureError(Message("a picture of something that stands out from its background"), found)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def area_mean(image: Pixels, shape: tuple[int, int]) -> Pixels:
    """`image` in another size: every pixel is the mean of the area it covers, parts of pixels counted as such.

    Args:
        image: uint8 (h, w).
        shape: the new (h, w), smaller or larger.
    """
    down, across = (_overlaps(n, m) for n, m in zip(image.shape, shape, strict=True))
    return _whole(down @ image @ across.T)


def _overlaps(n: int, m: int) -> npt.NDArray[np.float64]:
    """(m, n): the share that each of `n` equal pieces has in each of `m` equal pieces of the same length; rows sum to 1."""
    edges, pieces = np.arange(m + 1)[:, None] * (n / m), np.arange(n)
    shared: npt.NDArray[np.float64] = np.minimum(edges[1:], pieces + 1) - np.maximum(edges[:-1], pieces)
    return shared.clip(min=0) * (m / n)


def _whole(values: npt.NDArray[np.float64]) -> Pixels:
    return np.rint(values).astype(np.uint8)


def _size(pixels: Pixels) -> str:
    """Width × height, as one says it."""
    height, width = pixels.shape
    return f"{width:,} × {height:,}"
