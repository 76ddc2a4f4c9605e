"""How fast products of Gaussian matrices grow: their Lyapunov exponents, exactly."""

import math

import torch

from mlp_core.theory.expectations import Array


def lyapunov_exponents(n: int, scale: float = 1.0) -> Array:
    """Growth rates of a product of n x n matrices with independent N(0, scale²) entries, per factor, in nats.

    Formula: λ_i = ½(ln 2 + ψ((n-i+1)/2)) + ln scale, i = 1..n; the largest entry of k factors grows like exp(λ_1 k).

    Returns:
        (n,), descending.

    Raises:
        ValueError: n < 1, or a scale that is not a positive number.

    Reference: Newman (1986), The distribution of Lyapunov exponents: exact results for random matrices, section 2.
    """
    if not 0.0 < scale < math.inf:
        raise ValueError(f"scale must be a positive number, got {scale!r}")
    return 0.5 * (math.log(2.0) + _polygamma(0, n)) + math.log(scale)


def lyapunov_variances(n: int) -> Array:
    """Variance per factor of the i-th growth rate: after k factors its estimate scatters by sqrt(variance / k).

    Formula: Var ln χ_{n-i+1} = ¼ ψ'((n-i+1)/2): by QR, one Gaussian factor stretches direction i by a χ variate, independently.

    Returns:
        (n,), ascending; the same at every scale.
    """
    return 0.25 * _polygamma(1, n)


def critical_scale(n: int) -> float:
    """The standard deviation of the entries at which a product of n x n Gaussian matrices neither grows nor dies: exp(-λ_1(n)).

    Below 1/sqrt(n) it would die: the typical product grows slower than the mean-square one (Jensen), the more so the smaller n.
    """
    return math.exp(-lyapunov_exponents(n)[0])


def _polygamma(order: int, n: int) -> Array:
    """The order-th derivative of digamma at (n-i+1)/2, i = 1..n."""
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"n must be a whole number of at least 1, got {n!r}")
    halves = torch.arange(n, 0, -1, dtype=torch.float64) / 2.0
    values: Array = torch.special.polygamma(order, halves).numpy()
    return values
