"""The small computations behind the home page's figures. Numpy alone: the first page does not wait for torch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def sigmoid_with_gradient(points: int = 121) -> tuple[Array, Array, Array]:
    """x from -8 to 8, σ(x) and σ'(x) = σ(x)(1 − σ(x)), each (points,)."""
    x = np.linspace(-8.0, 8.0, points)
    value = 1.0 / (1.0 + np.exp(-x))
    return x, value, value * (1.0 - value)


def product_sizes(trials: int = 12, factors: int = 60, n: int = 4, seed: int = 0) -> Array:
    """log10 of max|M| for products M of k random n x n N(0, 1) matrices, k = 1..factors: (trials, factors)."""
    generator = np.random.default_rng(seed)
    product = np.broadcast_to(np.eye(n), (trials, n, n))
    sizes = np.empty((trials, factors))
    for k in range(factors):
        product = product @ generator.standard_normal((trials, n, n))
        sizes[:, k] = np.log10(np.abs(product).max(axis=(1, 2)))
    return sizes


def xor_by_hidden_units(points: int = 61) -> tuple[Array, Array]:
    """XOR by four ReLU units: the axis (points,) and the output (points, points) over the plane, y down the rows.

    relu(x − y) + relu(y − x) − relu(x + y) − relu(−x − y) = |x − y| − |x + y| is positive just where x and y differ in sign.
    """
    axis = np.linspace(-1.0, 1.0, points)
    x, y = np.meshgrid(axis, axis)
    relu = np.maximum
    return axis, relu(x - y, 0) + relu(y - x, 0) - relu(x + y, 0) - relu(-x - y, 0)
