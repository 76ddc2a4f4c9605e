"""Linear least squares by singular values: stopped early, or held back by a penalty.

With X = U S Vᵀ both are w = V (f / s) Uᵀ y; they differ only in f, the share of each direction that is learned. A direction whose s drowns
in rounding is left out: neither would have learned it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LinearFit:
    """Features (n, d), taken apart once; then each answer costs a few products.

    Directions whose singular value is below eps · max(n, d) of the largest count as absent, as in `numpy.linalg.lstsq`: float64 cannot
    tell them from rounding.
    """

    left: Floats  # (n, r), of the r directions that are there
    singular: Floats  # (r,), descending
    right: Floats  # (r, d)
    count: int

    @classmethod
    def of(cls, features: Floats) -> LinearFit:
        """Take features (n, d) apart.

        Raises:
            ValueError: one of them is not finite.
        """
        if not np.isfinite(features).all():
            raise ValueError("features: must be finite numbers")
        left, singular, right = np.linalg.svd(features, full_matrices=False)
        smallest = np.finfo(np.float64).eps * max(features.shape) * singular.max(initial=0.0)
        there = singular > smallest
        return cls(left[:, there], singular[there], right[there], len(features))

    def gradient_descent(self, targets: Floats, rate: float, steps: int) -> Floats:
        """w after `steps` steps on ½‖Xw − y‖²/n with all n samples, from w = 0; f = 1 − (1 − η s²/n)^t.

        Where the rate is above 2n / s₁², w is far away or not finite, as it would be.
        """
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            shrunk = rate * self.singular**2 / self.count
            learned = -np.expm1(steps * np.log1p(-shrunk))  # of small s all digits, where 1 − (1 − …)^t keeps none
            return self._weights(targets, np.where(shrunk < 1, learned, 1.0 - np.power(1.0 - shrunk, steps)))

    def ridge(self, targets: Floats, decay: float) -> Floats:
        """argmin ½‖Xw − y‖²/n + ½λ‖w‖², at λ = 0 the smallest w of least squares; f = s² / (s² + nλ). Hoerl and Kennard 1970."""
        square = self.singular**2
        return self._weights(targets, square / (square + self.count * decay))

    def _weights(self, targets: Floats, learned: Floats) -> Floats:
        weights: Floats = (learned / self.singular * (targets @ self.left)) @ self.right
        return weights
