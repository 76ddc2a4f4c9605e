"""Planes of random networks: how the gradient changes on its way back for every (σ_w, σ_b), measured, and where theory draws the line."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlp_core.expression import resolve
from mlp_core.theory import Array
from mlp_core.theory.expectations import Function, gaussian_moments, value_and_slope

ROUNDING = 1e-8  # of χ: less above 1 is no growth that can be told from rounding
JUMP = 0.01  # of χ between two σ_w that are the same to ten digits
GRID, HALVINGS = 120, 40
BATCH = 4


def gradient_map_log10(
    activation: str, sigma_w: Array, sigma_b: Array, depth: int, *, width: int = 64, batch: int = BATCH, seed: int = 0
) -> Array:
    """How the gradient changes on its way back through random networks, one for every pair (σ_w, σ_b); all share the same draws.

    Formula: W = σ_w Z/√width, b = σ_b z, with the same standard normal Z, z a layer for all pairs; inputs N(0, 1); a random vector is
        sent back from the top. Entry (s, d) is log10 of |gradient d layers below the top| / |gradient at the top|.

    Args:
        sigma_w, sigma_b: (s,).

    Returns:
        (s, depth + 1), 0 in the first column.
    """
    function = resolve(activation)
    generator = torch.Generator().manual_seed(seed)
    draws = [torch.randn(width, width + 1, generator=generator, dtype=torch.float64) for _ in range(depth)]
    scales = torch.as_tensor(sigma_w).view(-1, 1, 1) / math.sqrt(width)
    shifts = torch.as_tensor(sigma_b).view(-1, 1, 1)
    h = torch.randn(1, batch, width, generator=generator, dtype=torch.float64).expand(len(scales), batch, width)
    slopes: list[Tensor] = []
    for Z in draws:
        h, slope = value_and_slope(function, scales * (h @ Z[:, :width].T) + shifts * Z[:, width])
        slopes.append(slope)
    gradient = torch.randn(1, batch, width, generator=generator, dtype=torch.float64).expand_as(h)
    sizes = [gradient.norm(dim=(1, 2)).log10()]
    for Z, slope in zip(reversed(draws), reversed(slopes), strict=True):
        gradient = scales * ((gradient * slope) @ Z[:, :width])
        sizes.append(gradient.norm(dim=(1, 2)).log10())
    stacked = torch.stack(sizes, dim=1)
    relative: Array = (stacked - stacked[:, :1]).numpy()
    return relative


@dataclass(frozen=True, eq=False)
class Boundary:
    """Where χ reaches 1 as σ_w grows, for each σ_b: all (t,).

    Where it jumps over 1 there are two states about that σ_w, and networks change from the one to the other: no σ_w has χ = 1.
    """

    sigma_b: Array
    sigma_w: Array  # NaN where χ stays below 1
    below: Array  # χ just below it; NaN where there is none
    above: Array

    @property
    def jumps(self) -> NDArray[np.bool_]:
        """Where χ goes over 1 without ever being 1."""
        jumps: NDArray[np.bool_] = self.above - self.below > JUMP
        return jumps


class VarianceMap:
    """q -> E[φ²] and E[φ'²] of one activation, tabulated once, so that whole planes of (σ_w, σ_b) cost nothing.

    The state is the fixed point of q -> σ_w² E[φ²] + σ_b² that a network with inputs N(0, 1) comes to, from q = σ_w² + σ_b² in its first
    layer. Where the map takes that up it is the next fixed point above, else the next below; the ends of the table stand for 0 and ∞.
    Fixed points are looked for along q, not by iterating, which near χ = 1 takes for ever.

    Reference: Poole et al. (2016), section 2; Hayou et al. (2019), On the impact of the activation function on deep neural networks
        training, section 3, for activations with σ_b = 0 and no χ = 1.
    """

    LOG_Q = np.linspace(math.log(1e-12), math.log(1e12), 161)

    def __init__(self, function: Function) -> None:
        moments = gaussian_moments(function, self.LOG_Q)
        self._log_mean_square, self._log_slope_square = moments.log_mean_square, moments.log_slope_square

    def state(self, sigma_w: Array, sigma_b: Array) -> tuple[Array, Array]:
        """ln q* and χ = σ_w² E[φ'²] at it, of pairs (p,): χ below 1 vanishes, above 1 explodes."""
        sigma_w, sigma_b = np.broadcast_arrays(sigma_w, sigma_b)
        with np.errstate(divide="ignore"):
            log_w, log_b = 2 * np.log(sigma_w)[:, None], 2 * np.log(sigma_b)[:, None]
        start = np.logaddexp(log_w, log_b)[:, 0]
        with np.errstate(invalid="ignore"):  # NaN where the moments are not to be had
            begin = np.interp(start, self.LOG_Q, self._log_mean_square)
            up = np.logaddexp(log_w[:, 0] + begin, log_b[:, 0]) > start
            rise = np.logaddexp(log_w + self._log_mean_square, log_b) - self.LOG_Q  # (p, nodes): above 0 the map takes q up
        node, last = np.arange(len(self.LOG_Q)), len(self.LOG_Q) - 1
        after = node >= np.searchsorted(self.LOG_Q, start)[:, None]
        above = np.where(after & (rise <= 0), node, last).min(axis=1)
        below = np.where(~after & (rise >= 0), node, 0).max(axis=1)
        left = np.where(up, above - 1, np.minimum(below, last - 1))
        ends = np.take_along_axis(rise, np.stack([left, left + 1], axis=1), axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.clip(ends[:, 0] / (ends[:, 0] - ends[:, 1]), 0.0, 1.0)  # of the way from one node to the next: where `rise` is 0
        share = np.where(up & (ends[:, 1] > 0), 1.0, np.where(~up & (ends[:, 0] < 0), 0.0, share))  # the ends of the table
        log_q, log_slope = (_between(of[left], of[left + 1], share) for of in (self.LOG_Q, self._log_slope_square))
        with np.errstate(over="ignore"):
            return log_q, np.exp(log_w[:, 0] + log_slope)

    def boundary(self, sigma_b: Array, highest: float) -> Boundary:
        """The smallest σ_w up to `highest` from which on χ is 1 or more, for each of `sigma_b`."""
        grid = np.geomspace(highest / 500.0, highest, GRID)
        chi = np.stack([self.state(one, sigma_b)[1] for one in grid[:, None]])
        reached = chi > 1.0 + ROUNDING
        first = reached.argmax(axis=0)
        found = reached.any(axis=0) & (first > 0)
        low, high = grid[np.maximum(first - 1, 0)], grid[first]
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            over = self.state(middle, sigma_b)[1] > 1.0 + ROUNDING
            low, high = np.where(over, low, middle), np.where(over, middle, high)
        below, above = (np.where(found, self.state(edge, sigma_b)[1], math.nan) for edge in (low, high))
        return Boundary(np.asarray(sigma_b), np.where(found, (low + high) / 2, math.nan), below, above)


def _between(left: Array, right: Array, share: Array) -> Array:
    """That share of the way from left to right; the ends exactly, also where one of them is infinite."""
    with np.errstate(invalid="ignore"):
        inside = (1 - share) * left + share * right
    return np.where(share == 0, left, np.where(share == 1, right, inside))
