"""The polynomial of least squares through points, exact to rounding at every degree.

The columns xⁱ/i! are nearly the same direction: 20 of them on 25 points have a condition number of 10¹⁶, so that float64, asked for
coefficients at once, loses some of them. Polynomials that are orthonormal on the points have a condition number of 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """argmin Σ (p(x) − y)² over the polynomials p of a degree.

    Where there are more coefficients than points, many go through all of them: of these the one whose coefficients of xⁱ/i! have the
    smallest norm, as from `numpy.linalg.lstsq` or from gradient descent that begins at 0.

    Args:
        coefficients: of xⁱ/i!, (degree + 1,). Good for a look; sums of such large terms lose digits that `values` keeps.
        fitted: p at the points, (n,).

    Reference: Brubeck, Nakatsukasa and Trefethen 2021, "Vandermonde with Arnoldi".
    """

    coefficients: Floats
    fitted: Floats
    _recurrence: Floats  # (k + 1, k): x qⱼ = Σ qᵢ H[i, j]
    _shares: Floats  # (k + 1,), of each q
    _points: Floats  # (n,)
    _vanishing: Floats  # coefficients of xʲ, of a polynomial that is multiplied by ∏ (x − xᵢ); none where p is the only one

    @classmethod
    def of(cls, x: Floats, y: Floats, degree: int) -> LeastSquares:
        """Fit points x, y (n,).

        Raises:
            ValueError: there are no points, or two at one x.
        """
        n = len(x)
        if not n or len(np.unique(x)) < n:
            raise ValueError("x: must be different numbers, at least one")
        basis, recurrence = _orthonormal(x, min(degree, n - 1))
        shares = basis.T @ y / n
        coefficients, vanishing = np.zeros(degree + 1), np.zeros(max(0, degree + 1 - n))
        coefficients[: len(shares)] = _in_powers(recurrence) @ shares
        if len(vanishing):
            removed = _multiples(x, degree)
            sizes = np.linalg.norm(removed, axis=0)
            Q, R = np.linalg.qr(removed / sizes)
            vanishing = np.linalg.solve(R, Q.T @ coefficients) / sizes
            coefficients = coefficients - removed @ vanishing
        return cls(coefficients, basis @ shares, recurrence, shares, x, vanishing)

    def values(self, x: Floats) -> Floats:
        """p at x (m,), (m,). At the points themselves `fitted` is more exact."""
        basis = np.ones((len(x), len(self._shares)))
        for k, column in enumerate(self._recurrence.T):
            basis[:, k + 1] = (x * basis[:, k] - basis[:, : k + 1] @ column[: k + 1]) / column[k + 1]
        value: Floats = basis @ self._shares
        if len(self._vanishing):
            value = value - np.prod(x[:, None] - self._points, axis=1) * np.polynomial.polynomial.polyval(x, self._vanishing)
        return value


def _orthonormal(x: Floats, degree: int) -> tuple[Floats, Floats]:
    """Polynomials q₀ … with mean(qᵢ qⱼ) = δᵢⱼ over x (n,): their values (n, degree + 1), and H (degree + 1, degree)."""
    basis, recurrence = np.ones((len(x), degree + 1)), np.zeros((degree + 1, degree))
    for k in range(degree):
        following = x * basis[:, k]
        for _ in range(2):  # the second pass removes what rounding left over
            along = basis[:, : k + 1].T @ following / len(x)
            following = following - basis[:, : k + 1] @ along
            recurrence[: k + 1, k] += along
        recurrence[k + 1, k] = np.linalg.norm(following) / math.sqrt(len(x))
        basis[:, k + 1] = following / recurrence[k + 1, k]
    return basis, recurrence


def _in_powers(recurrence: Floats) -> Floats:
    """Coefficients of xⁱ/i! (down the rows) of each q, (k + 1, k + 1)."""
    powers = np.eye(len(recurrence))
    for k, column in enumerate(recurrence.T):
        times_x = np.arange(len(powers)) * np.roll(powers[:, k], 1)  # x · xⁱ/i! = (i + 1) xⁱ⁺¹/(i + 1)!
        powers[:, k + 1] = (times_x - powers[:, : k + 1] @ column[: k + 1]) / column[k + 1]
    return powers


def _multiples(x: Floats, degree: int) -> Floats:
    """Coefficients of xⁱ/i! (down the rows) of xʲ ∏ (x − xᵢ), for all j up to the degree."""
    product = np.polynomial.polynomial.polyfromroots(x)
    columns = np.zeros((degree + 1, degree + 1 - len(x)))
    for j in range(columns.shape[1]):
        columns[j : j + len(product), j] = product
    factorials = np.array([math.factorial(power) for power in range(degree + 1)], dtype=np.float64)
    scaled: Floats = columns * factorials[:, None]
    return scaled
