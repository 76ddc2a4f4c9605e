"""Linear regions against counts known in closed form, against activation patterns on a fine grid, and against the network itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mlp_core.labs.nonlinearity.linear_regions import MOST_REGIONS, linear_regions
from mlp_core.labs.nonlinearity.plane import copied_weights
from mlp_core.network import Concise
from mlp_core.spec import RunSpec

HALF = 6.0


def hidden(spec: RunSpec) -> list[tuple[np.ndarray, np.ndarray]]:
    return copied_weights(Concise(spec, (2, *spec.hidden, 1)))[:-1]


def test_no_layer_is_one_region() -> None:
    (region,) = linear_regions([], HALF) or []
    np.testing.assert_array_equal(region.slope, np.eye(2))


@pytest.mark.parametrize("lines", [1, 2, 5, 9])
def test_lines_through_one_layer_make_as_many_regions_as_schlaefli_says(lines: int) -> None:
    """Lines in general position that all meet near the origin: 1 + n + n(n−1)/2."""
    angle = np.pi * (np.arange(lines) + 0.3) / lines
    weight, bias = np.column_stack([np.cos(angle), np.sin(angle)]), 0.3 * np.sin(7.0 * np.arange(lines) + 1)
    regions = linear_regions([(weight, bias)], 50.0)
    assert regions is not None
    assert len(regions) == 1 + lines + lines * (lines - 1) // 2


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", ["relu", "leaky_relu"])
def test_deep_regions_are_the_networks_own(seed: int, name: str) -> None:
    spec = RunSpec(hidden=(8, 8), activation=name, init="torch_default", seed=seed)
    network = Concise(spec, (2, 8, 8, 1))
    regions = linear_regions(hidden(spec), HALF, 0.01 if name == "leaky_relu" else 0.0)
    assert regions is not None
    area = 0.0
    for region in regions:
        x, y = region.corners.T
        area += float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) / 2
        middle = region.corners.mean(axis=0)
        outputs = network.layers(torch.tensor(middle[None]).float())[1].activation[0].detach().numpy()
        np.testing.assert_allclose(region.slope @ middle + region.offset, outputs, atol=1e-5)
    assert area == pytest.approx((2 * HALF) ** 2)
    line = torch.linspace(-HALF, HALF, 500)
    grid = torch.cartesian_prod(line, line)
    patterns = torch.cat([layer.pre_activation > 0 for layer in network.layers(grid)[:-1]], dim=1)
    seen = len(torch.unique(patterns, dim=0))
    assert 0.85 * len(regions) <= seen <= len(regions)  # the grid misses the smallest


def test_too_many_are_not_counted() -> None:
    spec = RunSpec(hidden=(40, 40, 40), activation="relu", init="he_normal", seed=1)
    regions = linear_regions(hidden(spec), HALF)
    assert regions is None or len(regions) <= MOST_REGIONS
