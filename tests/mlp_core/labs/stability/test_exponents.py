"""The largest exponent of every law against mpmath where it has a closed form, and against plain products where it is estimated."""

from __future__ import annotations

import math
from dataclasses import replace

import mpmath
import numpy as np
import pytest

from mlp_core.labs.stability.exponents import largest_exponent
from mlp_core.stability.products import ENSEMBLES

KNOWN = {"uniform": {1: -0.451, 2: 0.139, 4: 0.587}}  # measured elsewhere, to 0.002


def digamma_exponent(n: int) -> float:
    return float((mpmath.log(2) + mpmath.digamma(mpmath.mpf(n) / 2)) / 2)


def plain_exponent(n: int, law: str, products: int = 2000, factors: int = 60, forgotten: int = 15) -> tuple[float, float]:
    """Mean growth of a vector a factor, and its standard error, by multiplying it out."""
    stream = np.random.default_rng(77)
    x, total = np.tile(np.eye(n)[0], (products, 1)), np.zeros(products)
    for k in range(factors):
        x = np.einsum("tij,tj->ti", ENSEMBLES[law].draw(stream, products, n), x)
        length = np.linalg.norm(x, axis=1)
        x /= length[:, None]
        total += np.log(length) * (k >= forgotten)
    rates = total / (factors - forgotten)
    return float(rates.mean()), float(rates.std(ddof=1)) / math.sqrt(products)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 16, 64])
def test_gaussian_entries_have_the_closed_form(n: int) -> None:
    for law, shift in (("gaussian", 0.0), ("xavier", -0.5 * math.log(n))):
        exponent = largest_exponent(law, n)
        assert exponent.value == pytest.approx(digamma_exponent(n) + shift, abs=1e-12)
        assert exponent.error == 0.0
        assert exponent.variance == pytest.approx(float(mpmath.psi(1, mpmath.mpf(n) / 2)) / 4)


def test_one_uniform_number_at_a_time_has_a_closed_form() -> None:
    top = mpmath.sqrt(3)
    mean, square = float(mpmath.quad(mpmath.log, [0, top]) / top), float(mpmath.quad(lambda m: mpmath.log(m) ** 2, [0, top]) / top)
    exponent = largest_exponent("uniform", 1)
    assert exponent.value == pytest.approx(mean, abs=1e-12)
    assert exponent.variance == pytest.approx(square - mean**2, abs=1e-12)
    assert exponent.critical_scale == pytest.approx(math.e / math.sqrt(3), abs=1e-12)
    assert exponent.error == 0.0


@pytest.mark.parametrize("n", [2, 3, 4, 12])
def test_uniform_entries_are_estimated_as_plain_products_grow(n: int) -> None:
    exponent, (measured, error) = largest_exponent("uniform", n), plain_exponent(n, "uniform")
    assert 0 < exponent.error < 1e-3
    assert abs(exponent.value - measured) < 4 * math.hypot(error, exponent.error)
    assert exponent.value > digamma_exponent(n) + 0.004  # a uniform number is seldom as near to 0 as a normal one
    assert exponent.critical_error == pytest.approx(exponent.error * math.exp(-exponent.value))


@pytest.mark.parametrize(("n", "measured"), KNOWN["uniform"].items())
def test_uniform_entries_as_measured_elsewhere(n: int, measured: float) -> None:
    assert largest_exponent("uniform", n).value == pytest.approx(measured, abs=0.003)


def test_an_estimate_is_as_far_off_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of Gaussian entries, as if nobody knew their closed form."""
    monkeypatch.setitem(ENSEMBLES, "secret", replace(ENSEMBLES["gaussian"], exponents=lambda n: None))
    estimates = {n: largest_exponent("secret", n) for n in range(1, 41)}
    off = np.array([(one.value - digamma_exponent(n)) / one.error for n, one in estimates.items()])
    assert np.abs(off).max() < 4.0
    assert 0.6 < math.sqrt(np.square(off).mean()) < 1.5
    for n, one in estimates.items():
        assert one.error < 1.2e-3
        assert one.variance == pytest.approx(float(mpmath.psi(1, mpmath.mpf(n) / 2)) / 4, rel=0.15)


@pytest.mark.parametrize("n", [1, 2, 16])
def test_orthogonal_factors_change_no_size(n: int) -> None:
    exponent = largest_exponent("orthogonal", n)
    assert (exponent.value, exponent.error, exponent.variance, exponent.critical_scale) == (0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize("law", sorted(ENSEMBLES))
@pytest.mark.parametrize("n", [1, 4])
def test_the_mean_square_is_kept_at_the_scale_that_is_said_to(law: str, n: int) -> None:
    x = np.ones(n) / math.sqrt(n)
    factors = ENSEMBLES[law].mean_square_scale(n) * ENSEMBLES[law].draw(np.random.default_rng(3), 40_000, n)
    assert ((factors @ x) ** 2).sum(axis=1).mean() == pytest.approx(1.0, abs=0.03)


def test_what_is_estimated_is_the_same_at_every_call() -> None:
    first = largest_exponent("uniform", 3)
    largest_exponent.cache_clear()
    assert largest_exponent("uniform", 3) == first
