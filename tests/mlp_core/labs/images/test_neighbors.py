"""The nearest are those that plain integers find, and the typical distance is one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mlp_core.data import load_sample
from mlp_core.labs.images import neighbors
from mlp_core.labs.images.file import Picture
from mlp_core.labs.images.neighbors import NeighborSearch
from mlp_core.labs.images.prepared import prepare


def noise(n: int, seed: int = 0, side: int = 28) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (n, side, side), dtype=np.uint8)


def search(images: npt.NDArray[np.uint8]) -> NeighborSearch:
    return NeighborSearch(torch.from_numpy(images), torch.arange(len(images)) % 10)


def squared(images: npt.NDArray[np.uint8], image: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Exact squared distances, in the pixels' own units."""
    differences = images.astype(np.int64) - image
    return np.asarray((differences**2).sum(axis=(1, 2)))


@given(st.integers(2, 300), st.integers(1, 12), st.integers(0, 2**32 - 1), st.integers(1, 255))
def test_the_nearest_are_those_of_exact_arithmetic(n: int, k: int, seed: int, levels: int) -> None:
    images = noise(n, seed, side=6) // levels * levels  # few levels: many distances are equal
    target = noise(1, seed + 1, side=6)[0]
    found, exact = search(images).nearest(target, k), squared(images, target)
    np.testing.assert_allclose(found.distances, np.sqrt(np.sort(exact)[:k]) / 255)
    np.testing.assert_array_equal(exact[found.indices], np.sort(exact)[:k])
    np.testing.assert_array_equal(found.labels, found.indices % 10)
    assert len(set(found.indices.tolist())) == min(k, n)


def test_images_of_several_chunks_are_all_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbors, "CHUNK", 7)
    images = noise(50)
    for index in (0, 6, 7, 48, 49):
        found = search(images).nearest(images[index], 1)
        assert (found.indices.tolist(), found.distances.tolist()) == ([index], [0.0])


def test_images_that_differ_by_a_shade_are_told_apart() -> None:
    """Squared distances of 1 to 299 between squares of 50 million: float32 takes them for each other."""
    images = np.full((300, 28, 28), 254, dtype=np.uint8)
    for index, image in enumerate(images.reshape(300, -1)):
        image[: 299 - index] = 255
    found = search(images).nearest(np.full((28, 28), 254, dtype=np.uint8), 5)
    assert found.indices.tolist() == [299, 298, 297, 296, 295]
    np.testing.assert_allclose(found.distances, np.sqrt(np.arange(5)) / 255)


def test_the_first_of_equal_images_comes_first() -> None:
    images = np.tile(noise(3, side=4), (700, 1, 1))
    assert search(images).nearest(images[1], 4).indices.tolist() == [1, 4, 7, 10]


def test_black_and_white_are_28_apart() -> None:
    images = np.stack([np.zeros((28, 28)), np.full((28, 28), 255)]).astype(np.uint8)
    found = search(images)
    np.testing.assert_allclose(found.nearest(images[0]).distances, [0, 28])
    assert found.typical.median == found.typical.high == pytest.approx(28)


def test_the_typical_distance_is_that_to_the_nearest_other_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbors, "TOGETHER", 16)
    images = noise(60, side=9)
    nearest = [np.sqrt(np.sort(squared(images, image))[1]) / 255 for image in images]
    typical = search(images).typical
    assert (typical.median, typical.high) == pytest.approx(tuple(np.quantile(nearest, (0.5, 0.95))), rel=1e-5)
    assert typical.images == 60


def test_garments_are_found_again_in_a_picture_of_them() -> None:
    data = load_sample()
    found = NeighborSearch(data.train_images, data.train_labels)
    indices = range(0, 6000, 40)
    again = 0
    for index in indices:
        enlarged = np.repeat(np.repeat(255 - data.train_images[index].numpy(), 10, axis=0), 10, axis=1)
        nearest = found.nearest(prepare(Picture(enlarged, "PNG", (280, 280))).pixels, 1)
        again += nearest.indices[0] == index
    assert again > 0.9 * len(indices)  # the others end in a faint row, are cropped by it and enlarged by 28/27


def test_noise_is_farther_from_all_garments_than_these_are_from_each_other() -> None:
    data = load_sample()
    found = NeighborSearch(data.train_images, data.train_labels)
    assert 2 < found.typical.median < found.typical.high < found.nearest(noise(1)[0]).distances[0]
