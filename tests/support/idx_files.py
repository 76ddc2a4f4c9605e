"""Write IDX files for the tests of the data: by struct and gzip alone, knowing nothing of the code that reads them."""

from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = NAMES
DEBIAN = Path("/usr/share/datasets/fashion-mnist")

Bytes = NDArray[np.uint8]


def idx(values: Bytes) -> bytes:
    """The IDX file of an array of unsigned bytes."""
    return struct.pack(">BBBB", 0, 0, 8, values.ndim) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


def read_idx(path: Path) -> Bytes:
    """All of a compressed IDX file of unsigned bytes, unchecked."""
    raw = gzip.decompress(path.read_bytes())
    dimensions = raw[3]
    shape = struct.unpack(f">{dimensions}I", raw[4 : 4 + 4 * dimensions])
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def small_set(seed: int = 0, train: int = 30, test: int = 20) -> dict[str, Bytes]:
    """Random images and labels under the names of the four files."""
    random = np.random.default_rng(seed)
    values = {}
    for prefix, count in (("train", train), ("t10k", test)):
        values[f"{prefix}-images-idx3-ubyte"] = random.integers(0, 256, (count, 28, 28), np.uint8)
        values[f"{prefix}-labels-idx1-ubyte"] = random.integers(0, 10, count, np.uint8)
    return values


def write_set(folder: Path, values: dict[str, Bytes], compress: bool = True) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in values.items():
        (folder / (f"{name}.gz" if compress else name)).write_bytes(gzip.compress(idx(array), mtime=0) if compress else idx(array))
    return folder


def digests(values: dict[str, Bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(idx(array)).hexdigest() for name, array in values.items()}
