"""A visitor's file as gray pixels, or a clear refusal: what it is decides its content, never its name.

Nothing that a visitor can hand in takes unbounded time or memory: the size is read from the header before anything is decoded, one
picture of the process is decoded at a time, and what is kept of it is at most `WORK_SIDE` pixels a side.
"""

from __future__ import annotations

import io
import math
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mlp_core.words import Message, listed

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "AVIF", "TIFF")
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")  # ISO/IEC 23008-12, annex B; Pillow reads none
MAX_BYTES = 5_000_000
MAX_PIXELS = 4096 * 4096  # a phone's photograph has 12 million; a WebP of so many takes 0.26 GB to decode, others 0.1
AT_MOST = Message("at most {n} million pixels", n=f"{MAX_PIXELS / 1e6:.1f}")
MAX_SCANS = 32  # of a progressive JPEG; encoders write about 10, and at each the decoder goes over all pixels again
WORK_SIDE = 560  # 20 times what the network sees
BAND_ROWS = 64  # rows of the reduced picture that are worked on at a time

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601: how bright red, green and blue look
ORIENTATION = 0x0112  # EXIF: how the camera was held
TILE_SIDES = 0x0142, 0x0143  # TIFF 6.0, section 15

Pixels = npt.NDArray[np.uint8]

_decoding = threading.Lock()


class PictureError(ValueError):
    """What was handed in cannot be used. `str()` is a sentence for the person who did."""

    def __init__(self, expected: str, found: str) -> None:
        self.expected, self.found = expected, found
        super().__init__(Message("expected {expected}, found {found}", expected=expected, found=found))

    def __reduce__(self) -> tuple[type[PictureError], tuple[str, str]]:
        return PictureError, (self.expected, self.found)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture in gray.

    Args:
        pixels: uint8, 0 (black) to 255 (white), shape (h, w), at most `WORK_SIDE` a side; read-only.
        format: a name in `FORMATS`.
        size: width and height in the file.
        notes: what was done to it on the way here, a sentence each.
    """

    pixels: Pixels
    format: str
    size: tuple[int, int]
    notes: tuple[str, ...] = ()


def read_picture(data: bytes) -> Picture:
    """The first picture that a file's bytes hold, upright and in gray.

    Raises:
        PictureError: no picture of a format in `FORMATS`, too large a one, or a damaged one.
    """
    if len(data) > MAX_BYTES:
        raise PictureError(Message("a file of at most {n} MB", n=f"{MAX_BYTES / 1e6:g}"), f"{len(data) / 1e6:.1f} MB")
    with _decoding:
        image = _opened(data)
        width, height = size = image.size
        if width * height > MAX_PIXELS:
            raise PictureError(AT_MOST, f"{width:,} × {height:,}")
        kind = "JPEG" if image.format == "MPO" else str(image.format)  # several JPEGs in one file, as some phones write them
        if kind == "TIFF":
            _check_tiff(image)
        if kind == "JPEG" and (scans := data.count(b"\xff\xda")) > MAX_SCANS:
            raise PictureError(Message("a JPEG of at most {n} scans", n=MAX_SCANS), f"{scans:,}")
        try:
            colors, notes = _decoded(image)
        except Exception as error:  # a damaged file makes the decoders raise whatever comes to them
            found = Message("a damaged or incomplete one of {width} × {height} pixels", width=f"{width:,}", height=f"{height:,}")
            raise PictureError(Message("a whole {kind} picture", kind=kind), found) from error
    pixels, more = _gray(colors)
    pixels.flags.writeable = False
    return Picture(pixels, kind, size, notes + more)


def _opened(data: bytes) -> ImageFile:
    """The file with its header read, and nothing decoded."""
    # here, for those who bring a picture; and all of them, or Pillow would import every plugin it has
    from PIL import AvifImagePlugin, Image, TiffImagePlugin, WebPImagePlugin  # noqa: F401, PLC0415

    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # and not every core that others train on
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise PictureError(AT_MOST, Message("many more")) from error
    except Exception as error:
        found = Message("an empty file") if not data else Message("a file that is none, or a damaged one")
        if data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS:
            found = Message("HEIC, as iPhones save it: export it as JPEG, or set the camera's formats to “Most Compatible”")
        raise PictureError(Message("a picture ({formats})", formats=listed(FORMATS)), found) from error


def _check_tiff(image: ImageFile) -> None:
    """Refuse what would take more memory than its pixels, or has no scale from black to white."""
    tags = image.getexif()
    sides = [tags.get(tag, 1) for tag in TILE_SIDES]
    if not all(isinstance(side, int) for side in sides) or math.prod(sides) > MAX_PIXELS:  # a tile is decoded whole
        raise PictureError(Message("a TIFF in tiles of at most {n} million pixels", n=f"{MAX_PIXELS / 1e6:.1f}"), Message("larger ones"))
    if image.mode in ("I", "F"):
        raise PictureError(Message("a TIFF of 8 or 16 bits a color"), Message("one of 32"))


def _decoded(image: ImageFile) -> tuple[Pixels, tuple[str, ...]]:
    """(h, w, 4): red, green, blue, opacity of the first frame, reduced to the working size and turned upright; and notes."""
    from PIL import Image  # noqa: PLC0415

    width, height = image.size
    factor = math.ceil(max(width, height) / WORK_SIDE)
    notes = list[str]()
    if image.format != "MPO" and getattr(image, "is_animated", False):
        notes.append(Message("Of an animation, or of several pages, the first."))
    if image.format in ("JPEG", "MPO"):  # which can leave out color, where there is any, and seven of eight rows
        image.draft("L", (math.ceil(width / factor), math.ceil(height / factor)))
    image.load()
    factor = math.ceil(max(image.size) / WORK_SIDE)
    small = Image.fromarray(_reduced(image, factor))
    turn = None
    with suppress(Exception):  # damaged EXIF is no reason to refuse a picture
        turn = _TURNS.get(image.getexif().get(ORIENTATION, 1))
    if turn is not None:
        small = small.transpose(Image.Transpose[turn])
        notes.append(Message("Turned upright."))
    return np.asarray(small), tuple(notes)


_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


def _reduced(image: ImageFile, factor: int) -> Pixels:
    """(h, w, 4): means over `factor` × `factor` pixels, band by band: a second copy in full size would double the memory."""
    from PIL import Image  # noqa: PLC0415

    width, height = image.size
    factors = min(factor, width), min(factor, height)
    bands = []
    for top in range(0, height, BAND_ROWS * factors[1]):
        band = image.crop((0, top, width, min(top + BAND_ROWS * factors[1], height)))
        if band.mode.startswith("I"):  # 16 bits of gray
            band = Image.fromarray((np.asarray(band) >> 8).astype(np.uint8))
        bands.append(np.asarray(band.convert("RGBA").reduce(factors)))
    return np.concatenate(bands)


def _gray(colors: Pixels) -> tuple[Pixels, tuple[str, ...]]:
    """(h, w, 4) -> (h, w), what is transparent made white, or black around what is itself light; and notes."""
    gray, opacity = colors[..., :3] @ np.array(LUMA), colors[..., 3] / 255
    notes: tuple[str, ...] = ()
    if opacity.min() < 1:
        if not opacity.any():
            raise PictureError(Message("something to see"), Message("a picture that is transparent throughout"))
        light = float(np.average(gray, weights=opacity)) > 127
        gray = opacity * gray + (1 - opacity) * (0 if light else 255)
        notes = (Message("What is transparent was made black.") if light else Message("What is transparent was made white."),)
    return np.rint(gray).astype(np.uint8), notes
