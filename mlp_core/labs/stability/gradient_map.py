"""Planes of random networks: how the gradient changes on its way back for every (σ_w, σ_b), measured, and where theory draws the line."""

import math

import numpy as np
import torch
from torch import Tensor

from mlp_core.expression import resolve
from mlp_core.theory import Array, Function, gaussian_moments


def gradient_map_log10(
    activation: str, sigma_w: Array, sigma_b: Array, depth: int, *, width: int = 64, batch: int = 4, seed: int = 0
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
        z = (scales * (h @ Z[:, :width].T) + shifts * Z[:, width]).requires_grad_()
        value = function(z)
        (slope,) = torch.autograd.grad(value.sum(), z) if value.requires_grad else (torch.zeros_like(z),)
        slopes.append(slope)
        h = value.detach()
    gradient = torch.randn(1, batch, width, generator=generator, dtype=torch.float64).expand_as(h)
    sizes = [gradient.norm(dim=(1, 2)).log10()]
    for Z, slope in zip(reversed(draws), reversed(slopes), strict=True):
        gradient = scales * ((gradient * slope) @ Z[:, :width])
        sizes.append(gradient.norm(dim=(1, 2)).log10())
    stacked = torch.stack(sizes, dim=1)
    relative: Array = (stacked - stacked[:, :1]).numpy()
    return relative


class VarianceMap:
    """q -> E[φ²] and E[φ'²] of one activation, tabulated once, so that whole planes of (σ_w, σ_b) cost nothing."""

    LOG_Q = np.linspace(math.log(1e-12), math.log(1e12), 481)  # beyond, the edge's value is taken
    ITERATIONS = 400
    GRID = 400

    def __init__(self, function: Function) -> None:
        moments = gaussian_moments(function, self.LOG_Q, nodes=4096)
        self._log_mean_square, self._log_slope_square = moments.log_mean_square, moments.log_slope_square

    def fixed_point(self, sigma_w: Array, sigma_b: Array) -> Array:
        """q* = σ_w² E[φ²] + σ_b² by iterating from q = 1; arrays of one shape in, the same shape out, clipped to the table."""
        q = np.ones(np.broadcast(sigma_w, sigma_b).shape)
        for _ in range(self.ITERATIONS):
            q = np.square(sigma_w) * np.exp(np.interp(np.log(q), self.LOG_Q, self._log_mean_square)) + np.square(sigma_b)
            q = np.clip(q, math.exp(self.LOG_Q[0]), math.exp(self.LOG_Q[-1]))
        return q

    def chi(self, sigma_w: Array, sigma_b: Array) -> Array:
        """χ = σ_w² E[φ'²] at the fixed point: 1 on the critical line, below it gradients vanish, above it they explode."""
        q = self.fixed_point(sigma_w, sigma_b)
        return np.square(sigma_w) * np.exp(np.interp(np.log(q), self.LOG_Q, self._log_slope_square))

    def critical_sigma_w(self, sigma_b: Array, highest: float) -> Array:
        """The smallest σ_w up to `highest` at which χ reaches 1, for each σ_b (t,); NaN where it stays below."""
        grid = np.linspace(highest / self.GRID, highest, self.GRID)
        chi = self.chi(grid[None, :], np.asarray(sigma_b)[:, None])
        above = np.maximum.accumulate(chi, axis=1)  # ascending, as interpolation wants it
        return np.array([np.interp(1.0, row, grid) if row[0] < 1.0 <= row[-1] else math.nan for row in above])
