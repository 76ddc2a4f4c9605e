"""The start page's small figures: sound, bare of what a glance does not need, and true to the numbers they are given."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from mlp_core.labs.previews import bowl, fitted_too_well, product_sizes, sigmoid_with_gradient, xor_by_hidden_units
from pages.figures import previews
from tests.support.figures.soundness import drawn, sound

arrow_across_contour = drawn(previews.arrow_across_contour)
bent_plane = drawn(previews.bent_plane)
curve_through_noise = drawn(previews.curve_through_noise)
growing_products = drawn(previews.growing_products)
value_over_gradient = drawn(previews.value_over_gradient)

FIGURES = {
    "sigmoid": lambda: value_over_gradient(*sigmoid_with_gradient()),
    "products": lambda: growing_products(product_sizes()),
    "polynomial": lambda: curve_through_noise(*fitted_too_well()),
    "gradient": lambda: arrow_across_contour(*bowl()),
    "xor": lambda: bent_plane(*xor_by_hidden_units()),
}


@pytest.mark.parametrize("name", FIGURES)
def test_it_is_a_glance(name: str) -> None:
    figure: go.Figure = FIGURES[name]()
    sound(figure.update_annotations(font_color=None), most_bytes=60_000)  # a curve's name has the curve's color
    assert figure.layout.showlegend is False
    assert figure.layout.dragmode is False
    assert figure.layout.xaxis.fixedrange
    assert figure.layout.yaxis.fixedrange
    assert figure.layout.xaxis.title.text


def test_function_and_derivative_are_named_in_their_colors() -> None:
    figure = value_over_gradient(*sigmoid_with_gradient(9))
    colors = {trace.name: trace.line.color for trace in figure.data}
    assert {note.text[: len("σ'(x)") if "'" in note.text else len("σ(x)")]: note.font.color for note in figure.layout.annotations} == colors


def test_every_product_is_a_line_of_its_own() -> None:
    sizes = np.array([[1.0, 2.0, 4.0], [0.5, 0.0, -1.0]])
    (trace,) = growing_products(sizes).data
    lines = np.split(np.column_stack([trace.x, trace.y]), [3, 4, 7])
    assert np.array_equal(lines[0], [[1, 1.0], [2, 2.0], [3, 4.0]])
    assert np.array_equal(lines[2], [[1, 0.5], [2, 0.0], [3, -1.0]])
    assert np.isnan(lines[1]).all()


def test_a_plane_is_shaded_evenly_around_zero() -> None:
    (trace,) = bent_plane(np.array([0.0, 1.0]), np.array([[1.0, -3.0], [0.0, 2.0]])).data
    assert (trace.zmin, trace.zmax) == (-3.0, 3.0)


def test_a_fit_that_leaves_the_frame_does_not_stretch_it() -> None:
    x, ys = np.linspace(0, 1, 5), np.array([0.0, 1.0, 0.0, 1.0, 2.0])
    figure = curve_through_noise(x, x, 1e6 * x, x, ys)
    assert list(figure.layout.yaxis.range) == pytest.approx([-1.2, 3.2])


def test_the_arrow_points_along_the_gradient_in_equal_scales() -> None:
    figure = arrow_across_contour(*bowl(at=(1.0, 0.5)))
    arrow = figure.data[1]
    assert (arrow.x[0], arrow.y[0]) == (1.0, 0.5)
    assert (arrow.x[1] - arrow.x[0]) * 3.0 == pytest.approx((arrow.y[1] - arrow.y[0]) * 2.0)
    assert np.hypot(arrow.x[1] - arrow.x[0], arrow.y[1] - arrow.y[0]) == pytest.approx(1.0)
    assert figure.layout.yaxis.scaleanchor == "x"
