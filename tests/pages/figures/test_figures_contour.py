"""The picture of contours keeps right angles right, puts the level line through the point, and stays light."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pages.figures import contour
from pages.figures.contour import STEPS, spaced
from pages.figures.palette import GRADIENT, GREEN
from pages.ui.live_chart import figure_payload
from tests.support.figures.soundness import drawn, sound

contour_map = drawn(contour.contour_map)
slope_by_direction = drawn(contour.slope_by_direction)

PLACES = np.linspace(-3, 3, 81)
X, Y = np.meshgrid(PLACES, PLACES)
BOWL = X**2 + Y**2
BOTH = ((0.6, 0.8), (0.8, -0.6))


def test_heights_keep_their_order_and_their_sign() -> None:
    values = np.array([-4.0, -1.0, 0.0, 1.0, 9.0])
    np.testing.assert_array_equal(spaced(values), [-2, -1, 0, 1, 3])


def test_right_angles_look_right() -> None:
    spec = sound(contour_map(BOWL, 3.0, (1.0, 2.0, 5.0), *BOTH), 400_000)
    assert spec["layout"]["yaxis"]["scaleanchor"] == "x"
    assert spec["layout"]["xaxis"]["range"] == spec["layout"]["yaxis"]["range"] == [-3, 3]


def test_the_strong_contour_has_the_point_s_level() -> None:
    figure = contour_map(BOWL, 3.0, (1.0, 2.0, 5.0), *BOTH)
    (through,) = [trace for trace in figure.data if trace.name == "contour through the point"]
    assert through.contours.start == through.contours.end == pytest.approx(math.sqrt(5) / math.sqrt(18) * STEPS)
    assert np.max(np.abs(through.z)) == STEPS
    assert not [trace for trace in contour_map(BOWL, 3.0, (1.0, 2.0, math.nan), *BOTH).data if trace.name == "contour through the point"]


def test_the_arrow_and_the_tangent_run_as_they_were_found() -> None:
    figure = contour_map(BOWL, 3.0, (1.0, 0.5, 1.25), *BOTH)
    (arrow,) = figure.layout.annotations
    assert (arrow.ax, arrow.ay, arrow.arrowcolor) == (1.0, 0.5, GRADIENT)
    assert (arrow.y - arrow.ay) / (arrow.x - arrow.ax) == pytest.approx(0.8 / 0.6)
    (tangent,) = [trace for trace in figure.data if trace.name == "its tangent"]
    assert np.diff(tangent.y)[0] / np.diff(tangent.x)[0] == pytest.approx(-0.6 / 0.8)
    assert (np.mean(tangent.x), np.mean(tangent.y)) == pytest.approx((1.0, 0.5))


def test_without_directions_there_is_only_the_point() -> None:
    figure = contour_map(BOWL, 3.0, (0.0, 0.0, 0.0), None, None)
    assert not figure.layout.annotations
    assert [trace.mode for trace in figure.data if trace.type == "scatter"] == ["markers"]


def test_a_function_with_gaps_or_without_height_can_be_drawn() -> None:
    gaps = np.where(X > 0, BOWL, np.nan)
    nowhere = np.full((81, 81), np.nan)
    for field in (gaps, nowhere, np.zeros((81, 81))):
        figure_payload(contour.contour_map(field, 3.0, (1.0, 1.0, math.nan), None, None))


def test_it_travels_in_sixteen_bits_a_height() -> None:
    payload = figure_payload(contour.contour_map(BOWL, 3.0, (1.0, 2.0, 5.0), *BOTH))
    assert {trace["z"]["dtype"] for trace in payload["data"] if "z" in trace} == {"u2"}


def test_the_slopes_are_marked_where_gradient_and_contour_run() -> None:
    angles = np.arange(0.0, 361.0, 5.0)
    measured = np.cos(np.radians(angles))
    figure = slope_by_direction(angles, measured, measured, 0.0, (90.0, 270.0))
    sound(figure, 20_000)
    assert [(shape.x0, shape.line.color) for shape in figure.layout.shapes] == [(0.0, GRADIENT), (90.0, GREEN), (270.0, GREEN)]
    np.testing.assert_array_equal(figure.data[0].y, measured)
    assert len(slope_by_direction(angles, measured, measured, None, ()).layout.shapes) == 0


def test_rounding_is_not_blown_up_to_the_height_of_the_axis() -> None:
    angles = np.arange(0.0, 361.0, 5.0)
    figure = slope_by_direction(angles, 1e-18 * np.sin(angles), np.zeros(73), None, ())
    assert figure.layout.yaxis.range[1] > 1e-3
