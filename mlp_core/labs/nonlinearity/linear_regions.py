"""The pieces of the plane on which a ReLU network is one affine map, found exactly."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MOST_REGIONS = 3000  # more take too long to cut, and are too fine to be seen
THIN = 1e-9  # a vertex this near to a line, in pre-activation, lies on it


@dataclass(frozen=True, eq=False)
class Region:
    """A convex polygon (k, 2), and the affine map on it: a layer's outputs are x @ slope.T + offset."""

    corners: Floats
    slope: Floats
    offset: Floats


def linear_regions(layers: Sequence[tuple[Floats, Floats]], half: float, negative_slope: float = 0.0) -> list[Region] | None:
    """Cut the square from −half to half along every line where a hidden unit's pre-activation is 0; None beyond `MOST_REGIONS`.

    Args:
        layers: weight (n_out, n_in) and bias (n_out,) of every hidden layer; the first has the inputs x and y.
        negative_slope: of leaky ReLU; 0 for ReLU.

    Reference: Montúfar et al. 2014, On the number of linear regions of deep neural networks.
    """
    square = np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
    regions = [Region(square, np.eye(2), np.zeros(2))]
    for weight, bias in layers:
        cut: list[Region] = []
        for region in regions:
            slope, offset = weight @ region.slope, weight @ region.offset + bias
            for corners in _cut(region.corners, slope, offset):
                active = corners.mean(axis=0) @ slope.T + offset > 0
                gain = np.where(active, 1.0, negative_slope)
                cut.append(Region(corners, gain[:, None] * slope, gain * offset))
            if len(cut) > MOST_REGIONS:
                return None
        regions = cut
    return regions


def _cut(corners: Floats, slope: Floats, offset: Floats) -> list[Floats]:
    """A polygon cut by the lines slope[i] · x + offset[i] = 0."""
    pieces = [corners]
    values = corners @ slope.T + offset
    for line in np.flatnonzero((values.min(axis=0) < -THIN) & (values.max(axis=0) > THIN)):
        pieces = [half for piece in pieces for half in _halves(piece, slope[line], offset[line])]
    return pieces


def _halves(corners: Floats, slope: Floats, offset: float) -> list[Floats]:
    """A polygon's parts on both sides of a line; the polygon itself where the line misses it."""
    values = corners @ slope + offset
    if values.min() >= -THIN or values.max() <= THIN:
        return [corners]
    order = np.arange(1, len(corners) + 1) % len(corners)
    following, next_values = corners[order], values[order]
    above: list[Floats] = []
    below: list[Floats] = []
    for corner, value, other, other_value in zip(corners, values, following, next_values, strict=True):
        if value >= -THIN:
            above.append(corner)
        if value <= THIN:
            below.append(corner)
        if min(value, other_value) < -THIN and max(value, other_value) > THIN:
            crossing = corner + (other - corner) * (value / (value - other_value))
            above.append(crossing)
            below.append(crossing)
    return [np.array(above), np.array(below)]
