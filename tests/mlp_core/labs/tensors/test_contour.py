"""Gradients against their closed forms, tangents against the curves' own geometry, and what stands at a critical point."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from mlp_core.labs.tensors.contour import CONTOUR_EXTENT, RADIUS, SURFACES, Surface, field, read_point, slopes

Gradient = Callable[[float, float], tuple[float, float]]
VALUES: dict[str, Callable[[float, float], float]] = {
    "bowl": lambda x, y: x * x + y * y,
    "valley": lambda x, y: x * x + 4 * y * y,
    "saddle": lambda x, y: x * x - y * y,
    "banana": lambda x, y: (1 - x) ** 2 + 5 * (y - x * x) ** 2,
    "waves": lambda x, y: math.sin(x) * math.cos(y),
    "plane": lambda x, y: x + 2 * y,
    "unit": lambda x, y: math.tanh(2 * x - y),
}
GRADIENTS: dict[str, Gradient] = {
    "bowl": lambda x, y: (2 * x, 2 * y),
    "valley": lambda x, y: (2 * x, 8 * y),
    "saddle": lambda x, y: (2 * x, -2 * y),
    "banana": lambda x, y: (-2 * (1 - x) - 20 * x * (y - x * x), 10 * (y - x * x)),
    "waves": lambda x, y: (math.cos(x) * math.cos(y), -math.sin(x) * math.sin(y)),
    "plane": lambda x, y: (1.0, 2.0),
    "unit": lambda x, y: (2 * (1 - math.tanh(2 * x - y) ** 2), -(1 - math.tanh(2 * x - y) ** 2)),
}
PLACES = st.integers(-60, 60).map(lambda step: step / 20)  # what the page's sliders can set


def surface_of(function: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Surface:
    return Surface("", "", function, (0.0, 0.0), "")


def test_every_surface_has_a_closed_form() -> None:
    assert SURFACES.keys() == VALUES.keys() == GRADIENTS.keys()


@pytest.mark.parametrize("name", SURFACES)
@given(x=PLACES, y=PLACES)
def test_value_and_gradient(name: str, x: float, y: float) -> None:
    reading = read_point(SURFACES[name], x, y)
    assert reading.value == pytest.approx(VALUES[name](x, y), rel=1e-12, abs=1e-12)
    assert reading.gradient == pytest.approx(GRADIENTS[name](x, y), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", SURFACES)
@given(x=PLACES, y=PLACES)
@example(x=0.95, y=0.9)  # on the bent floor, where contours curve most
@example(x=3.0, y=-3.0)  # where the unit is saturated
def test_the_gradient_is_orthogonal_to_a_tangent_found_without_it(name: str, x: float, y: float) -> None:
    reading = read_point(SURFACES[name], x, y)
    if reading.kind != "regular":
        assert reading.steepness < 1e-3
        assert reading.degrees is None
        return
    assert reading.tangent is not None
    assert reading.degrees is not None
    assert math.hypot(*reading.tangent) == pytest.approx(1)
    assert reading.degrees == pytest.approx(90, abs=0.002)


@given(radius=st.floats(0.2, 3), angle=st.floats(0, 2 * math.pi))
def test_the_tangent_of_a_circle_and_of_an_ellipse(radius: float, angle: float) -> None:
    x, y = radius * math.cos(angle), radius * math.sin(angle)
    for name, ellipse in (("bowl", (-math.sin(angle), math.cos(angle))), ("valley", (-math.sin(angle), math.cos(angle) / 2))):
        place = (x, y) if name == "bowl" else (x, y / 2)  # x = r cos, y = r/2 sin lies on x² + 4y² = r²
        tangent = read_point(SURFACES[name], *place).tangent
        assert tangent is not None
        length = math.hypot(*ellipse)
        assert abs(tangent[0] * ellipse[0] + tangent[1] * ellipse[1]) / length == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "point", "kind", "crossings"),
    [
        ("bowl", (0.0, 0.0), "minimum", 0),
        ("banana", (1.0, 1.0), "minimum", 0),
        ("saddle", (0.0, 0.0), "saddle", 4),
        ("waves", (math.pi / 2, 0.0), "maximum", 0),
        ("waves", (-math.pi / 2, 0.0), "minimum", 0),
        ("waves", (0.0, math.pi / 2), "saddle", 4),
        ("plane", (0.0, 0.0), "regular", 2),
    ],
)
def test_critical_points_are_told_by_the_values_around_them(name: str, point: tuple[float, float], kind: str, crossings: int) -> None:
    reading = read_point(SURFACES[name], *point)
    assert reading.kind == kind
    assert len(reading.crossings) == crossings
    assert (reading.tangent is None) == (kind != "regular")


def test_the_contours_of_a_saddle_cross_at_right_angles() -> None:
    """x² = y² is the two diagonals."""
    assert read_point(SURFACES["saddle"], 0.0, 0.0).crossings == pytest.approx([math.pi / 4 * odd for odd in (1, 3, 5, 7)])


def test_other_points_there_can_be() -> None:
    level = surface_of(lambda x, y: 0 * x + 3)
    monkey = surface_of(lambda x, y: x**3 - 3 * x * y**2)
    bend = surface_of(lambda x, y: x**3 + 0 * y)
    kink = surface_of(lambda x, y: x.abs() + 0 * y)
    assert read_point(level, 1.0, 1.0).kind == "flat"
    assert len(read_point(monkey, 0.0, 0.0).crossings) == 6
    at_bend = read_point(bend, 0.0, 0.0)
    assert (at_bend.kind, at_bend.degrees) == ("regular", None)
    assert at_bend.tangent == pytest.approx((0, -1), abs=1e-6)
    assert read_point(kink, 0.0, 0.0).kind == "minimum"


def test_where_there_is_no_value_nothing_is_made_up() -> None:
    logarithm = surface_of(lambda x, y: torch.log(x) + y)
    assert read_point(logarithm, -1.0, 0.0).kind == "undefined"
    assert read_point(logarithm, 0.0, 0.0).kind == "undefined"
    assert read_point(logarithm, RADIUS / 2, 0.0).kind == "edge"
    assert np.isnan(field(logarithm, 5)[:, :3]).all()
    assert np.isfinite(field(logarithm, 5)[:, 3:]).all()


@pytest.mark.parametrize("name", SURFACES)
def test_the_field_is_the_function_on_a_grid(name: str) -> None:
    values = field(SURFACES[name], 7)
    places = np.linspace(-CONTOUR_EXTENT, CONTOUR_EXTENT, 7)
    np.testing.assert_allclose(values, [[VALUES[name](x, y) for x in places] for y in places], atol=1e-12)


@pytest.mark.parametrize("name", SURFACES)
def test_the_measured_slope_is_the_gradient_s_share_of_a_direction(name: str) -> None:
    angles = np.linspace(0, 6, 13)
    across, up = GRADIENTS[name](*SURFACES[name].start)
    measured = slopes(SURFACES[name], *SURFACES[name].start, angles)
    np.testing.assert_allclose(measured, across * np.cos(angles) + up * np.sin(angles), atol=1e-4)
