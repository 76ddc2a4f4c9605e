"""Make the bundled sample: every tenth image of each class of Fashion-MNIST, in the order of the full set.

python scripts/make_sample.py FOLDER_WITH_THE_FOUR_FILES

That is 600 of 6,000 training and 100 of 1,000 test images a class: stratified without a random number, so that every run writes the same
content. Its digests, printed at the end, are `SAMPLE` in mlp_core/data/files.py.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from mlp_core.data.files import CLASSES, FILES, IMAGES_MAGIC, LABELS_MAGIC, read_folder

EVERY = 10
SAMPLE_FOLDER = Path(__file__).parents[1] / "mlp_core" / "data" / "sample"


def chosen(labels: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Positions of every tenth image of each class, ascending."""
    return np.sort(np.concatenate([np.flatnonzero(labels == label)[::EVERY] for label in range(CLASSES)]))


def idx_bytes(values: NDArray[np.uint8]) -> bytes:
    """`values` as an IDX file: magic number and sizes, big-endian, then the bytes."""
    magic = IMAGES_MAGIC if values.ndim == 3 else LABELS_MAGIC
    return np.array([magic, *values.shape], ">u4").tobytes() + values.tobytes()


def main(folder: Path, target: Path = SAMPLE_FOLDER) -> None:
    full = read_folder(folder, published_only=True)
    train, test = chosen(full.train_labels), chosen(full.test_labels)
    parts = (full.train_images[train], full.train_labels[train], full.test_images[test], full.test_labels[test])
    target.mkdir(parents=True, exist_ok=True)
    for name, values in zip(FILES, parts, strict=True):
        content = idx_bytes(values)
        (target / f"{name}.gz").write_bytes(gzip.compress(content, compresslevel=9, mtime=0))
        print(f'"{name}": "{hashlib.sha256(content).hexdigest()}",')


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
