"""The largest Lyapunov exponent of every law of random matrices: in closed form where there is one, estimated with its error where not."""

import functools
import math
from typing import NamedTuple

import numpy as np

from mlp_core.stability.products import ENSEMBLES, Ensemble

ESTIMATE_ENTRIES = 500_000  # drawn an estimate: those of all n from 1 to 64 take a second
CHAINS = 128  # products followed at a time
FORGOTTEN = 5  # factors after which a product no longer knows the direction that it began with
LEAST_STEPS = 4


class Exponent(NamedTuple):
    """Growth a factor in nats at scale 1; at another scale s it is ln s more.

    `variance` is that of one factor's step: after k factors the growth scatters by sqrt(variance · k).
    """

    value: float
    error: float  # its standard error; 0 where there is a closed form
    variance: float

    @property
    def critical_scale(self) -> float:
        """The scale at which products neither grow nor die: exp(-λ₁)."""
        return math.exp(-self.value)

    @property
    def critical_error(self) -> float:
        """The standard error of the critical scale."""
        return self.critical_scale * self.error


@functools.lru_cache(maxsize=512)
def largest_exponent(ensemble: str, n: int) -> Exponent:
    """λ₁ of products of n x n matrices of this law at scale 1; the same number at every call."""
    law = ENSEMBLES[ensemble]
    exponents = law.exponents(n)
    return _estimated(law, n) if exponents is None else Exponent(float(exponents[0]), 0.0, float(law.variances(n)[0]))


def _estimated(law: Ensemble, n: int) -> Exponent:
    """The mean of ln |M x| over directions x as the products bring them about, with what is known of M x exactly as control variates.

    Formula: for entries of variance 1, independent, u = |M x|²/n - 1 has the mean 0 and the variance (2 + κ Σ x_j⁴)/n given |x| = 1,
        with κ the excess kurtosis of an entry. As ln |M x| = ½ (ln n + u - u²/2 + ...), most of its scatter is u's and u²'s.

    Reference: Furstenberg (1963), Noncommuting random products, theorem 8.5, for the formula of λ₁.
    """
    stream = np.random.default_rng(0)
    steps = max(LEAST_STEPS, ESTIMATE_ENTRIES // (CHAINS * n * n))
    x = stream.standard_normal((CHAINS, n, 1))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    logs, controls = np.empty((steps, CHAINS)), np.empty((steps, 2, CHAINS))
    for step in range(-FORGOTTEN, steps):
        y = law.draw(stream, CHAINS, n) @ x
        length = np.linalg.norm(y, axis=1)[:, 0]
        if step >= 0:
            u = length**2 / n - 1.0
            logs[step] = np.log(length)
            controls[step] = u, u**2 - (2.0 + law.excess_kurtosis * (x**4).sum(axis=(1, 2))) / n
        x = y / length[:, None, None]
    known = np.vstack([np.ones(CHAINS), controls.mean(axis=0)]).T  # chains are independent of each other, steps are not quite
    solution, rest, *_ = np.linalg.lstsq(known, logs.mean(axis=0), rcond=None)
    error = math.sqrt(float(rest[0]) / (CHAINS - known.shape[1]) / CHAINS)
    return Exponent(float(solution[0]), error, float(logs.var()))
