"""One IDX file: what is written is read back; whatever is not exactly such a file is refused, and the refusal says what was found."""

from __future__ import annotations

import gzip
import hashlib
import os
import pickle
import struct
import tempfile
import tracemalloc
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp_core.data.files import IMAGES_MAGIC, LABELS_MAGIC, DataError, read_idx
from tests.support.idx_files import Bytes, idx, small_set

IMAGES = small_set(train=3)["train-images-idx3-ubyte"]
LABELS = small_set(train=3)["train-labels-idx1-ubyte"]
read_images, read_labels = partial(read_idx, magic=IMAGES_MAGIC), partial(read_idx, magic=LABELS_MAGIC)


def written(folder: Path, content: bytes) -> Path:
    path = folder / "file"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_reads_back_what_was_written(tmp_path: Path, compress: type[bytes]) -> None:
    images = read_images(written(tmp_path, compress(idx(IMAGES))))
    assert images.values.dtype == np.uint8
    np.testing.assert_array_equal(images.values, IMAGES)
    labels = read_labels(written(tmp_path, compress(idx(LABELS))))
    np.testing.assert_array_equal(labels.values, LABELS)


def test_digest_is_that_of_the_content_however_compressed(tmp_path: Path) -> None:
    expected = hashlib.sha256(idx(IMAGES)).hexdigest()
    for content in (idx(IMAGES), gzip.compress(idx(IMAGES), 1), gzip.compress(idx(IMAGES), 9, mtime=0)):
        assert read_images(written(tmp_path, content)).sha256 == expected


@pytest.mark.parametrize(
    ("content", "expected", "found"),
    [
        (b"", "magic number of images (2051)", "an empty file"),
        (b"<html>not found</html>", "magic number of images (2051)", "a file that begins with b'<html>no'"),
        (idx(LABELS), "magic number of images (2051)", "that of labels (2049)"),
        (idx(IMAGES)[:9], "a header of 16 bytes", "only 9"),
        (idx(IMAGES)[:-1], "2,368 bytes, as its header promises", "only 2,367"),
        (idx(IMAGES) + b"\0", "2,368 bytes, as its header promises", "more"),
        (idx(np.zeros((2, 32, 30), np.uint8)), "images of 28x28 pixels", "32x30"),
        (idx(np.zeros((0, 28, 28), np.uint8)), "1 to 60,000 images", "0"),
        (struct.pack(">4I", 2051, 60_001, 28, 28), "1 to 60,000 images", "60,001"),
        (struct.pack(">4I", 2051, 2**32 - 1, 28, 28), "1 to 60,000 images", "4,294,967,295"),
    ],
)
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_refuses_what_is_not_an_image_file(tmp_path: Path, compress: type[bytes], content: bytes, expected: str, found: str) -> None:
    path = written(tmp_path, compress(content))
    with pytest.raises(DataError) as refusal:
        read_images(path)
    assert refusal.value.file == str(path)
    assert expected in refusal.value.expected
    assert refusal.value.found == found
    assert str(refusal.value) == f"{path}: expected {refusal.value.expected}, found {found}"


def test_refuses_an_image_file_as_labels_and_a_label_above_nine(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"labels \(2049\), found that of images \(2051\)"):
        read_labels(written(tmp_path, idx(IMAGES)))
    with pytest.raises(DataError, match="labels from 0 to 9, found label 10 at position 2"):
        read_labels(written(tmp_path, idx(np.array([9, 0, 10, 11], np.uint8))))


def test_refuses_what_is_no_regular_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a file, found none"):
        read_images(tmp_path / "absent")
    with pytest.raises(DataError, match="expected a file, found something else"):
        read_images(tmp_path)
    os.mkfifo(tmp_path / "pipe")  # opening it would wait for a writer for ever
    with pytest.raises(DataError, match="expected a file, found something else"):
        read_images(tmp_path / "pipe")
    with pytest.raises(DataError, match="File name too long"):
        read_images(tmp_path / ("x" * 300))


def test_refuses_bytes_after_the_compressed_data(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="an undamaged gzip file"):
        read_images(written(tmp_path, gzip.compress(idx(IMAGES)) + b"trailing"))
    with pytest.raises(DataError, match="found more"):
        read_images(written(tmp_path, gzip.compress(idx(IMAGES)) + gzip.compress(b"second member")))


def test_a_decompression_bomb_costs_neither_memory_nor_trust(tmp_path: Path) -> None:
    path = written(tmp_path, gzip.compress(idx(IMAGES) + bytes(50_000_000), 1))
    tracemalloc.start()
    with pytest.raises(DataError, match="found more"):
        read_images(path)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 2_000_000


def test_the_error_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(DataError("f.gz", "1", "2")))
    assert (error.file, error.expected, error.found) == ("f.gz", "1", "2")


def outcome(content: bytes) -> Bytes | None:
    """The images read, or None for a refusal; anything else than a `DataError` is passed on."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            return read_images(written(Path(folder), content)).values
        except DataError:
            return None


PLAIN, PACKED = idx(IMAGES), gzip.compress(idx(IMAGES), mtime=0)


@given(st.data())
def test_no_beginning_of_a_file_passes_for_the_file(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([PLAIN, PACKED]))
    assert outcome(whole[: data.draw(st.integers(0, len(whole) - 1))]) is None


@given(st.integers(0, len(PACKED) - 1), st.integers(1, 255))
def test_no_flipped_bits_of_a_compressed_file_change_an_image(position: int, flip: int) -> None:
    damaged = bytearray(PACKED)
    damaged[position] ^= flip
    values = outcome(bytes(damaged))
    assert values is None or np.array_equal(values, IMAGES)  # some bits of gzip's header mean nothing


@given(st.binary(max_size=200))
def test_no_other_bytes_pass(content: bytes) -> None:
    assert outcome(content) is None
    assert outcome(gzip.compress(content)) is None
