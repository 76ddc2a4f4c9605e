"""The four files of Fashion-MNIST: their names, where a folder keeps them, and how to tell the published ones.

A file's identity is the SHA-256 of its uncompressed content: the Debian package, the original server and torchvision's unpacked copy
differ in their gzip headers only. `tests/mlp_core/data/test_known_files.py` derives these digests from the MD5 sums of the .gz files
as first published.

Reference: Xiao, Rasul and Vollgraf (2017), "Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms".
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlp_core.data.idx import Content, DataError, read_images, read_labels

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
            raise DataError(folder, "a folder", "something else" if folder.exists() else "none")
        paths = [_path(folder, name) for name in FILES]
    except OSError as error:
        raise DataError(folder, "a folder that can be read", error.strerror or str(error)) from error
    contents = [read_known(path, name, published_only) for path, name in zip(paths, FILES, strict=True)]
    train_images, train_labels, test_images, test_labels = (content.values for content in contents)
    for path, images, labels in ((paths[1], train_images, train_labels), (paths[3], test_images, test_labels)):
        if len(images) != len(labels):
            raise DataError(path, f"{len(images):,} labels, one an image", f"{len(labels):,}")
    digests = {name: content.sha256 for name, content in zip(FILES, contents, strict=True)}
    return FileSet(train_images, train_labels, test_images, test_labels, digests == PUBLISHED, digests == SAMPLE)


def read_known(path: Path, name: str, published_only: bool) -> Content:
    """Read the file that stands for `name`.

    Raises:
        DataError: not a file of this form; another one of the published files; or, if `published_only`, not the published one.
    """
    content = read_images(path) if "images" in name else read_labels(path)
    for known, sha256 in PUBLISHED.items():
        if content.sha256 == sha256 and known != name:
            raise DataError(path, name, f"the content of {known}")
    if published_only and content.sha256 != PUBLISHED[name]:
        raise DataError(
            path, f"the published {name} (content SHA-256 {PUBLISHED[name][:12]}…)", f"another content ({content.sha256[:12]}…)"
        )
    return content


def _path(folder: Path, name: str) -> Path:
    for layout in _LAYOUTS:
        for suffix in _SUFFIXES:
            path = folder / layout / (name + suffix)
            if path.exists():
                return path
    raise DataError(folder, f"{name}.gz (or {name})", "no such file")
