"""Where a product leaves a number format, and how large a product of sigmoid gradients can be."""

from __future__ import annotations

import math

import pytest

from mlp_core.labs.stability.depth import sigmoid_bound_log10
from mlp_core.labs.stability.growth import crossing_factor


def test_crossing_factor_is_limit_over_rate() -> None:
    assert crossing_factor(math.log(10) / 2, 38.0) == pytest.approx(76.0)
    assert crossing_factor(-math.log(10), -45.0) == pytest.approx(45.0)
    assert crossing_factor(0.5, -45.0) == math.inf
    assert crossing_factor(0.0, 38.0) == math.inf


def test_sigmoid_bound_is_a_quarter_a_layer() -> None:
    assert 10 ** sigmoid_bound_log10(7) == pytest.approx(0.25**7)
