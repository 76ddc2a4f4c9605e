"""Read one IDX file, the format of MNIST and Fashion-MNIST, into an array.

Every byte of a file is accounted for: what the header promises is read, bounded, and nothing may follow it. Whether a file is
compressed is taken from its first two bytes, not from its name.

Reference: LeCun, Cortes and Burges (1998), "The MNIST database of handwritten digits", File formats.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MAX_ITEMS = 60_000  # of the real set; no header makes us reserve more
SIDE = 28  # pixels
CLASSES = 10

IMAGES_MAGIC = 0x0803  # 08: unsigned bytes, 03: three dimensions
LABELS_MAGIC = 0x0801
GZIP_MAGIC = b"\x1f\x8b"
CHUNK_BYTES = 1 << 18  # stays in the processor's cache from decompressing to hashing


class DataError(ValueError):
    """A file or an address that does not hold what it must. `str()` is a sentence that names it, what was expected and what was found."""

    def __init__(self, file: str | os.PathLike[str], expected: str, found: str) -> None:
        self.file, self.expected, self.found = os.fspath(file), expected, found
        super().__init__(f"{self.file}: expected {expected}, found {found}")

    def __reduce__(self) -> tuple[type[DataError], tuple[str, str, str]]:
        return type(self), (self.file, self.expected, self.found)


class Content(NamedTuple):
    """What one file holds, and the SHA-256 of its uncompressed bytes: its identity, whoever compressed it."""

    values: NDArray[np.uint8]
    sha256: str


def read_images(path: Path) -> Content:
    """Read grey images.

    Returns:
        Pixels 0..255, shape (n, 28, 28), 1 <= n <= 60,000.

    Raises:
        DataError: missing, unreadable, damaged, too short, too long, or not images of this size.
    """
    return _read(path, IMAGES_MAGIC, (SIDE, SIDE))


def read_labels(path: Path) -> Content:
    """Read class labels.

    Returns:
        Labels 0..9, shape (n,), 1 <= n <= 60,000.

    Raises:
        DataError: missing, unreadable, damaged, too short, too long, not labels, or a label above 9.
    """
    content = _read(path, LABELS_MAGIC, ())
    wrong = np.flatnonzero(content.values >= CLASSES)
    if wrong.size:
        raise DataError(path, f"labels from 0 to {CLASSES - 1}", f"label {content.values[wrong[0]]} at position {wrong[0]}")
    return content


def _read(path: Path, magic: int, item_shape: tuple[int, ...]) -> Content:
    with _opened(path) as stream:
        header = stream.read(8 + 4 * len(item_shape))  # magic number, count, and one size a further dimension
        count = _checked_count(path, header, magic, item_shape)
        values = np.empty((count, *item_shape), np.uint8)
        digest = hashlib.sha256(header)
        buffer = values.data.cast("B")
        got = 0
        while got < len(buffer) and (size := stream.readinto(buffer[got : got + CHUNK_BYTES])):
            digest.update(buffer[got : got + size])
            got += size
        promised = f"{len(header) + len(buffer):,} bytes, as its header promises"
        if got < len(buffer):
            raise DataError(path, promised, f"only {len(header) + got:,}")
        if stream.read(1):  # at the end this also makes gzip compare its checksum
            raise DataError(path, promised, "more")
    return Content(values, digest.hexdigest())


@contextmanager
def _opened(path: Path) -> Iterator[BufferedIOBase]:
    """The uncompressed bytes of `path`; whatever goes wrong while they are read becomes a `DataError`."""
    try:
        if not path.is_file():  # opening a named pipe would wait for ever
            raise DataError(path, "a file", "none" if not path.exists() else "something else")
        with path.open("rb") as file:
            if file.peek(2)[:2] == GZIP_MAGIC:
                with gzip.GzipFile(fileobj=file) as stream:
                    yield stream
            else:
                yield file
    except EOFError as error:
        raise DataError(path, "a complete gzip file", "one that breaks off") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(path, "an undamaged gzip file", str(error)) from error
    except OSError as error:
        raise DataError(path, "a readable file", error.strerror or str(error)) from error


def _checked_count(path: Path, header: bytes, magic: int, item_shape: tuple[int, ...]) -> int:
    """How many items the header promises.

    Raises:
        DataError: another format, other dimensions, or a count that is none of 1..60,000.
    """
    if header[:4] != magic.to_bytes(4, "big"):
        raise DataError(path, f"the magic number of {_KINDS[magic]} ({magic})", _shown_magic(header))
    if len(header) < 8 + 4 * len(item_shape):
        raise DataError(path, f"a header of {8 + 4 * len(item_shape)} bytes", f"only {len(header)}")
    _, count, *sizes = struct.unpack(f">{len(header) // 4}I", header)
    if tuple(sizes) != item_shape:
        raise DataError(path, f"images of {SIDE}x{SIDE} pixels", "x".join(map(str, sizes)))
    if not 1 <= count <= MAX_ITEMS:
        raise DataError(path, f"1 to {MAX_ITEMS:,} {_KINDS[magic]}", f"{count:,}")
    return int(count)


_KINDS = {IMAGES_MAGIC: "images", LABELS_MAGIC: "labels"}


def _shown_magic(header: bytes) -> str:
    if not header:
        return "an empty file"
    number = int.from_bytes(header[:4], "big")
    return f"that of {_KINDS[number]} ({number})" if number in _KINDS else f"a file that begins with {header[:8]!r}"
