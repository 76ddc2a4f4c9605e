"""The training images that look most like a given one, and how alike training images are among themselves.

Distances are Euclidean over the pixels, in units of white: two images that differ in one pixel, black in one and white in the other, are
1 apart, and no two of 28 × 28 are more than 28 apart.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

CHUNK = 1024  # images at a time are made float64, in which sums of products of pixels are exact: 6 MB
SAMPLE, TOGETHER = 100, 10  # training images whose nearest neighbor is looked for, and how many at a time: 0.4 s and 5 MB
WHITE = 255.0


@dataclass(frozen=True, slots=True, eq=False)
class Neighbors:
    """The nearest training images, nearest first: (k,) indices, labels, and distances in units of white."""

    indices: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    distances: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TypicalDistance:
    """How far training images are from the nearest other one: the median, and what 95 % of those looked at do not exceed."""

    median: float
    high: float
    images: int  # that were looked at


class NeighborSearch:
    """Looks through training images, without a copy of them.

    Args:
        images: uint8 (n, h, w), n at least 2; kept, not copied.
        labels: (n,).
    """

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self._pixels, self._labels = images.flatten(1), labels
        self._squares = torch.empty(len(images), dtype=torch.float64)
        for where, chunk in self._chunks():
            self._squares[where] = chunk.square_().sum(1)

    def nearest(self, image: npt.NDArray[np.uint8], k: int = 8) -> Neighbors:
        """The `k` images nearest to `image` (h, w); of equally near ones the first."""
        squares = self._squared_distances(torch.tensor(image.reshape(1, -1)))[0]
        nearest, indices = squares.sort(stable=True)
        found = indices[:k].numpy()
        return Neighbors(found, self._labels.numpy()[found], nearest[:k].sqrt().numpy() / WHITE)

    @cached_property
    def typical(self) -> TypicalDistance:
        """Measured on `SAMPLE` images, evenly spread over all."""
        sample = torch.linspace(0, len(self._squares) - 1, min(SAMPLE, len(self._squares))).long()
        nearest = torch.cat([self._nearest_others(sample[start : start + TOGETHER]) for start in range(0, len(sample), TOGETHER)])
        distances = nearest.sqrt().numpy() / WHITE
        median, high = np.quantile(distances, (0.5, 0.95))
        return TypicalDistance(float(median), float(high), len(sample))

    def _nearest_others(self, indices: Tensor) -> Tensor:
        """(m,): the squared distance of each of these training images to the nearest other one."""
        squares = self._squared_distances(self._pixels.index_select(0, indices))
        squares[torch.arange(len(indices)), indices] = torch.inf  # itself
        return squares.amin(1)

    def _squared_distances(self, targets: Tensor) -> Tensor:
        """(m, n) of uint8 (m, pixels), by |a − b|² = |a|² − 2ab + |b|²."""
        wanted = targets.double()
        products = torch.empty(len(wanted), len(self._squares), dtype=torch.float64)
        for where, chunk in self._chunks():
            products[:, where] = wanted @ chunk.T
        return products.mul_(-2).add_(self._squares).add_(wanted.square().sum(1, keepdim=True))

    def _chunks(self) -> Iterator[tuple[slice, Tensor]]:
        """Where some images are, and these as float64, (at most `CHUNK`, pixels), valid until the next.

        All in one place: with one allocated for each, the heap grew by as much as a float copy of everything takes.
        """
        room = torch.empty(min(CHUNK, len(self._pixels)), self._pixels.shape[1], dtype=torch.float64)
        for start in range(0, len(self._pixels), CHUNK):
            chunk = self._pixels[start : start + CHUNK]
            yield slice(start, start + len(chunk)), room[: len(chunk)].copy_(chunk)
