"""The four files of Fashion-MNIST: where a folder keeps them, how to read one, and how to tell the published ones.

An IDX file is the format of MNIST. Every byte of it is accounted for: what the header promises is read, bounded, and nothing may follow
it. Whether a file is compressed is taken from its first two bytes, not from its name. A file's identity is the SHA-256 of its uncompressed
content: the Debian package, the original server and torchvision's unpacked copy differ in their gzip headers only. The test of these
digests derives them from the MD5 sums of the .gz files as first published.

References: LeCun, Cortes and Burges (1998), "The MNIST database of handwritten digits", File formats; Xiao, Rasul and Vollgraf (2017),
"Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms".
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

from mlp_core.words import Message

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
        super().__init__(Message("{file}: expected {expected}, found {found}", file=self.file, expected=expected, found=found))

    def __reduce__(self) -> tuple[type[DataError], tuple[str, str, str]]:
        return type(self), (self.file, self.expected, self.found)


class Content(NamedTuple):
    """What one file holds, and the SHA-256 of its uncompressed bytes: its identity, whoever compressed it."""

    values: NDArray[np.uint8]
    sha256: str


def read_idx(path: Path, magic: int) -> Content:
    """Read grey images (n, 28, 28) with pixels 0..255, or class labels (n,) from 0 to 9; 1 <= n <= 60,000.

    Args:
        magic: `IMAGES_MAGIC` or `LABELS_MAGIC`, whichever the file must hold.

    Raises:
        DataError: missing, unreadable, damaged, too short, too long, anything but images of this size or labels, or a label above 9.
    """
    item_shape = (SIDE, SIDE) if magic == IMAGES_MAGIC else ()
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
        promised = Message("{n} bytes, as its header promises", n=f"{len(header) + len(buffer):,}")
        if got < len(buffer):
            raise DataError(path, promised, Message("only {n}", n=f"{len(header) + got:,}"))
        if stream.read(1):  # at the end this also makes gzip compare its checksum
            raise DataError(path, promised, Message("more"))
    if magic == LABELS_MAGIC and (wrong := np.flatnonzero(values >= CLASSES)).size:
        found = Message("label {label} at position {position}", label=values[wrong[0]], position=wrong[0])
        raise DataError(path, Message("labels from 0 to {most}", most=CLASSES - 1), found)
    return Content(values, digest.hexdigest())


@contextmanager
def _opened(path: Path) -> Iterator[BufferedIOBase]:
    """The uncompressed bytes of `path`; whatever goes wrong while they are read becomes a `DataError`."""
    try:
        if not path.is_file():  # opening a named pipe would wait for ever
            raise DataError(path, Message("a file"), Message("none") if not path.exists() else Message("something else"))
        with path.open("rb") as file:
            if file.peek(2)[:2] == GZIP_MAGIC:
                with gzip.GzipFile(fileobj=file) as stream:
                    yield stream
            else:
                yield file
    except EOFError as error:
        raise DataError(path, Message("a complete gzip file"), Message("one that breaks off")) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(path, Message("an undamaged gzip file"), str(error)) from error
    except OSError as error:
        raise DataError(path, Message("a readable file"), error.strerror or str(error)) from error


def _checked_count(path: Path, header: bytes, magic: int, item_shape: tuple[int, ...]) -> int:
    """How many items the header promises."""
    if header[:4] != magic.to_bytes(4, "big"):
        raise DataError(path, Message("the magic number of {kind} ({number})", kind=_KINDS[magic], number=magic), _shown_magic(header))
    if len(header) < 8 + 4 * len(item_shape):
        expected = Message("a header of {n} bytes", n=8 + 4 * len(item_shape))
        raise DataError(path, expected, Message("only {n}", n=len(header)))
    _, count, *sizes = struct.unpack(f">{len(header) // 4}I", header)
    if tuple(sizes) != item_shape:
        raise DataError(path, Message("images of {side}x{side} pixels", side=SIDE), "x".join(map(str, sizes)))
    if not 1 <= count <= MAX_ITEMS:
        raise DataError(path, Message("1 to {most} {kind}", most=f"{MAX_ITEMS:,}", kind=_KINDS[magic]), f"{count:,}")
    return int(count)


_KINDS = {IMAGES_MAGIC: Message("images"), LABELS_MAGIC: Message("labels")}


def _shown_magic(header: bytes) -> str:
    if not header:
        return Message("an empty file")
    number = int.from_bytes(header[:4], "big")
    if number in _KINDS:
        return Message("that of {kind} ({number})", kind=_KINDS[number], number=number)
    return Message("a file that begins with {bytes}", bytes=repr(header[:8]))


FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")

PUBLISHED = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
SAMPLE = {  # made by scripts/make_sample.py
    "train-images-idx3-ubyte": "697c04572905eac443c0f271f8966f856ad3eadc8b0940bca92a8abb35197ea6",
    "train-labels-idx1-ubyte": "5f56e302b5b368e3de7323f6b585e0e8323af7ee901a41aa5ad1d647590af8d8",
    "t10k-images-idx3-ubyte": "e674901a2105ff5df3904e7a1c7c3baf3cc5026f0b1d055c6ee79b9d4338b750",
    "t10k-labels-idx1-ubyte": "10e62f9028e441be81aa9f3eff693ce58e4a71b7ede00d9048d6439939c08d2d",
}

# The package and the downloads keep the files in the folder itself; torchvision, below the folder it is given as its root.
_LAYOUTS = ("", "raw", "FashionMNIST/raw")
_SUFFIXES = (".gz", "")


class FileSet(NamedTuple):
    """What the four files of a folder hold."""

    train_images: NDArray[np.uint8]  # (n, 28, 28)
    train_labels: NDArray[np.uint8]  # (n,)
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]
    is_published: bool
    is_sample: bool


def read_folder(folder: Path, published_only: bool) -> FileSet:
    """Read and verify the four files, compressed or not.

    Args:
        folder: holds the files, or is a torchvision root.
        published_only: refuse anything but the published Fashion-MNIST; otherwise other data of the same form will do.

    Raises:
        DataError: naming the first file that is missing or is not what it must be.
    """
    try:
        if not folder.is_dir():
            raise DataError(folder, Message("a folder"), Message("something else") if folder.exists() else Message("none"))
        paths = [_path(folder, name) for name in FILES]
    except OSError as error:
        raise DataError(folder, Message("a folder that can be read"), error.strerror or str(error)) from error
    contents = [_read_known(path, name, published_only) for path, name in zip(paths, FILES, strict=True)]
    train_images, train_labels, test_images, test_labels = (content.values for content in contents)
    for path, images, labels in ((paths[1], train_images, train_labels), (paths[3], test_images, test_labels)):
        if len(images) != len(labels):
            raise DataError(path, Message("{n} labels, one an image", n=f"{len(images):,}"), f"{len(labels):,}")
    digests = {name: content.sha256 for name, content in zip(FILES, contents, strict=True)}
    return FileSet(train_images, train_labels, test_images, test_labels, digests == PUBLISHED, digests == SAMPLE)


def _read_known(path: Path, name: str, published_only: bool) -> Content:
    """Read the file that stands for `name`; it may not be another one of the published files, nor, if `published_only`, a foreign one."""
    content = read_idx(path, IMAGES_MAGIC if "images" in name else LABELS_MAGIC)
    for known, sha256 in PUBLISHED.items():
        if content.sha256 == sha256 and known != name:
            raise DataError(path, name, Message("the content of {file}", file=known))
    if published_only and content.sha256 != PUBLISHED[name]:
        raise DataError(
            path,
            Message("the published {file} (content SHA-256 {digest}…)", file=name, digest=PUBLISHED[name][:12]),
            Message("another content ({digest}…)", digest=content.sha256[:12]),
        )
    return content


def _path(folder: Path, name: str) -> Path:
    for layout in _LAYOUTS:
        for suffix in _SUFFIXES:
            path = folder / layout / (name + suffix)
            if path.exists():
                return path
    raise DataError(folder, Message("{file}.gz (or {file})", file=name), Message("no such file"))
