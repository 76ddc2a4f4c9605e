"""The four files in a folder: found in every layout, checked against each other, known by checksums that the published MD5s confirm."""

from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from mlp_core.data import files
from mlp_core.data.fashion_mnist import SAMPLE_FOLDER
from mlp_core.data.files import FILES, PUBLISHED, SAMPLE, DataError, read_folder
from scripts import make_sample
from tests.support.idx_files import DEBIAN, NAMES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, digests, idx, read_idx, small_set, write_set

needs_full_set = pytest.mark.skipif(not DEBIAN.is_dir(), reason="the Debian package dataset-fashion-mnist is not installed")

# When the authors compressed each file: the modification times in the gzip headers of the published files, which Debian leaves out.
COMPRESSED_AT = dict(zip(NAMES, (1504176606, 1504176606, 1504176627, 1504176627), strict=True))


@needs_full_set
@pytest.mark.parametrize("name", NAMES)
def test_published_md5_confirms_our_checksum(name: str) -> None:
    torchvision = pytest.importorskip("torchvision.datasets")
    raw = (DEBIAN / f"{name}.gz").read_bytes()
    header = b"\x1f\x8b\x08\x08" + struct.pack("<I", COMPRESSED_AT[name]) + b"\x00\x03" + name.encode() + b"\0"
    served = header + raw[10:]
    assert hashlib.md5(served).hexdigest() == dict(torchvision.FashionMNIST.resources)[f"{name}.gz"]
    assert hashlib.sha256(gzip.decompress(served)).hexdigest() == PUBLISHED[name]


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("layout", [".", "raw", "FashionMNIST/raw"])
def test_finds_every_layout(tmp_path: Path, layout: str, compress: bool) -> None:
    values = small_set()
    write_set(tmp_path / layout, values, compress)
    files = read_folder(tmp_path, published_only=False)
    for found, name in zip(files[:4], NAMES, strict=True):
        np.testing.assert_array_equal(found, values[name])
    assert not files.is_published
    assert not files.is_sample


def test_refuses_what_is_no_folder_of_the_four(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a folder, found none"):
        read_folder(tmp_path / "absent", published_only=False)
    with pytest.raises(DataError, match=r"expected train-images-idx3-ubyte\.gz .*found no such file"):
        read_folder(tmp_path, published_only=False)
    with pytest.raises(DataError, match="File name too long"):
        read_folder(Path("x" * 300), published_only=False)
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(DataError, match="expected a folder, found something else"):
        read_folder(file, published_only=False)


def test_refuses_labels_that_are_not_one_an_image(tmp_path: Path) -> None:
    values = small_set(train=30, test=20)
    values[TEST_LABELS] = values[TEST_LABELS][:19]
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte\.gz: expected 20 labels, one an image, found 19"):
        read_folder(write_set(tmp_path, values), published_only=False)


def test_refuses_one_published_file_in_the_place_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = small_set(train=20, test=20)
    monkeypatch.setattr(files, "PUBLISHED", digests(values))
    values[TRAIN_LABELS], values[TEST_LABELS] = values[TEST_LABELS], values[TRAIN_LABELS]  # the counts agree: only checksums can tell
    write_set(tmp_path, values)
    with pytest.raises(DataError, match=r"train-labels\S+: expected train-labels\S+, found the content of t10k-labels"):
        read_folder(tmp_path, published_only=False)


def test_a_changed_pixel_is_not_the_published_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = small_set()
    monkeypatch.setattr(files, "PUBLISHED", digests(values))
    assert read_folder(write_set(tmp_path, values), published_only=True).is_published
    values[TRAIN_IMAGES][7, 14, 14] ^= 1
    write_set(tmp_path, values)
    with pytest.raises(DataError, match="expected the published train-images"):
        read_folder(tmp_path, published_only=True)
    assert not read_folder(tmp_path, published_only=False).is_published


def test_the_sample_is_stratified_and_known() -> None:
    assert {name: hashlib.sha256(idx(read_idx(SAMPLE_FOLDER / f"{name}.gz"))).hexdigest() for name in FILES} == SAMPLE
    files = read_folder(SAMPLE_FOLDER, published_only=False)
    assert files.is_sample
    assert not files.is_published
    assert files.train_images.shape == (6000, 28, 28)
    assert files.test_images.shape == (1000, 28, 28)
    assert np.bincount(files.train_labels).tolist() == [600] * 10
    assert np.bincount(files.test_labels).tolist() == [100] * 10


@needs_full_set
@pytest.mark.full_data
def test_the_sample_is_a_part_of_the_real_set_and_can_be_made_again(tmp_path: Path) -> None:
    for split in ("train", "t10k"):
        images, labels = (read_idx(DEBIAN / f"{split}-{kind}-ubyte.gz") for kind in ("images-idx3", "labels-idx1"))
        our_images, our_labels = (read_idx(SAMPLE_FOLDER / f"{split}-{kind}-ubyte.gz") for kind in ("images-idx3", "labels-idx1"))
        for label in range(10):  # the order within a class is that of the full set
            np.testing.assert_array_equal(our_images[our_labels == label], images[labels == label][::10])
    make_sample.main(DEBIAN, tmp_path)
    again = {name: hashlib.sha256(idx(read_idx(tmp_path / f"{name}.gz"))).hexdigest() for name in FILES}
    assert again == SAMPLE
