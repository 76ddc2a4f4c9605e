"""The pictures of the plane show the arrays they are given, in the colors of their classes."""

from __future__ import annotations

import numpy as np

from pages.figures import plane
from pages.figures.palette import BLUE, GREEN, ORANGE
from pages.figures.plane import LEVELS, LabeledPoints, shading_of, shading_of_numbers, tile_colors
from tests.support.figures.pictures import pixels
from tests.support.figures.soundness import drawn, sound

POINTS = LabeledPoints(np.array([[1.0, 2], [-3, 4], [0, -5]]), np.array([0, 1, 2]), 3)
decision_plane, hidden_space = drawn(plane.decision_plane), drawn(plane.hidden_space)
playground_network = drawn(plane.playground_network)


def field(*first_row: tuple[float, ...]) -> np.ndarray:
    """(3, 3, classes) of which the lowest row is given and the rest is its first value."""
    values = np.tile(np.array(first_row[0]), (3, 3, 1))
    values[0] = first_row
    return values


def test_two_classes_are_shaded_by_probability() -> None:
    figure = decision_plane(shading_of(field((1.0, 0.0), (0.5, 0.5), (0.25, 0.75))), POINTS)
    sound(figure, 8000)
    plane, edge = figure.data[:2]
    assert plane.z[0].tolist() == [0, LEVELS / 2, 0.75 * LEVELS]
    assert (plane.x0, plane.dx, plane.y0, plane.dy) == (-6, 6, -6, 6)
    assert edge.contours.start == LEVELS / 2


def test_discrete_shading_knows_no_doubt() -> None:
    assert shading_of(field((0.9, 0.1), (0.49, 0.51), (0.5, 0.5)), discrete=True).values[0].tolist() == [0, 1, 0]
    assert shading_of_numbers(np.array([[-3.0, 0.1]]), discrete=True).values.tolist() == [[0, 1]]


def test_three_classes_are_a_color_and_a_strength() -> None:
    shading = shading_of(field((1.0, 0, 0), (0.2, 0.8, 0.0), (1 / 3, 1 / 3, 1 / 3)))
    assert shading.classes == 3
    np.testing.assert_allclose(shading.values[0], [0.999, 1.7, 0.0], atol=1e-9)
    colors = [stop[1] for stop in decision_plane(shading, POINTS).to_dict()["data"][0]["colorscale"]]
    assert len(colors) == 6


def test_numbers_have_0_in_the_middle_whatever_they_are() -> None:
    np.testing.assert_allclose(shading_of_numbers(np.array([[-2.0, 0, 1]])).values, [[0, 0.5, 0.75]])
    assert shading_of_numbers(np.zeros((2, 2))).values.tolist() == [[0.5, 0.5], [0.5, 0.5]]
    np.testing.assert_array_equal(shading_of_numbers(np.array([[np.nan, np.inf, -np.inf, 1.0]])).values, [[np.nan, 1.0, 0.0, 1.0]])


def test_where_there_is_no_number_no_class_is_painted() -> None:
    nothing = (float("nan"), float("nan"))
    for shading in (
        shading_of(field((1.0, 0.0), nothing, (0.25, 0.75))),
        shading_of(field((1.0, 0.0), nothing, (0.25, 0.75)), discrete=True),
        shading_of(field((1.0, 0.0, 0.0), (float("nan"),) * 3, (0.2, 0.8, 0.0))),
        shading_of_numbers(np.array([[1.0, np.nan, -1.0]] + [[1.0, 1.0, 1.0]] * 2)),
        shading_of_numbers(np.array([[1.0, np.nan, -1.0]] + [[1.0, 1.0, 1.0]] * 2), discrete=True),
    ):
        figure = decision_plane(shading, POINTS)
        sound(figure, 60_000)
        assert plane.has_undefined(figure.to_dict())
        shades, grey = figure.data[:2]
        assert np.isnan(np.asarray(shades.z, dtype=float)[0]).tolist() == [False, True, False]
        assert np.isnan(np.asarray(grey.z, dtype=float)[0]).tolist() == [True, False, True]
        assert grey.name == "not a number"
    assert not plane.has_undefined(decision_plane(shading_of(field((1.0, 0.0), (0.5, 0.5), (0.25, 0.75))), POINTS).to_dict())


def test_points_wear_their_class_and_test_points_are_hollow() -> None:
    figure = decision_plane(None, POINTS, POINTS, [np.array([[0.0, 0], [1, 0], [0, 1]])])
    sound(figure, 60_000)
    outlines, test, train = figure.data[1], figure.data[2:5], figure.data[5:]
    assert [trace.marker.color for trace in train] == [BLUE, ORANGE, GREEN]
    assert [(trace.x.tolist(), trace.y.tolist()) for trace in train] == [([1], [2]), ([-3], [4]), ([0], [-5])]
    assert not any(trace.marker.symbol.endswith("-open") for trace in train)
    assert all(trace.marker.symbol.endswith("-open") for trace in test)
    assert outlines.x[:4].tolist() == [0, 1, 0, 0]
    assert np.isnan(outlines.x[4])


def test_the_undecided_line_is_drawn_where_it_is() -> None:
    figure = hidden_space(np.array([[0.0, 1], [2, 3], [1, 1]]), POINTS, ("unit 1", "unit 3"), (1.0, -2.0, 0.5))
    sound(figure, 8000)
    line, *points = figure.data
    np.testing.assert_allclose(line.x - 2 * line.y + 0.5, 0, atol=1e-9)
    assert [trace.x.tolist() for trace in points] == [[0], [2], [1]]
    assert not len(hidden_space(np.zeros((3, 2)), POINTS, ("a", "b")).data[0].x)


WEIGHTS = [(np.array([[1.0, -2], [0.5, 4], [0, -0.1]]), np.array([0.1, 0.2, 0.3])), (np.array([[3.0, -1, 2]]), np.array([-0.5]))]
FIELDS = [np.stack([np.full((5, 5), float(v)) for v in range(size)]) for size in (2, 3, 1)]


def test_every_unit_and_every_edge_can_be_pointed_at() -> None:
    figure = playground_network(FIELDS, WEIGHTS, ["x", "y"])
    sound(figure, 40_000)
    handles, _, units = figure.data[-3:]
    assert sorted(map(tuple, handles.customdata)) == sorted([(1, u, s) for u in range(3) for s in range(2)] + [(2, 0, s) for s in range(3)])
    heavy = [tuple(edge) for edge in handles.customdata].index((1, 1, 1))
    assert handles.hovertext[heavy].startswith("weight 4;")
    assert [tuple(unit) for unit in units.customdata] == [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (2, 0)]
    assert units.hovertext[-1] == "output 1, bias −0.5"
    assert len(figure.layout.images) == 6


def test_an_edges_color_is_its_sign_and_its_width_its_size() -> None:
    figure = playground_network(FIELDS, WEIGHTS, ["x", "y"])
    lines = figure.data[:8]
    assert sum(len(line.x) for line in lines) == 9 * 3
    widest = [line for line in lines if line.line.width == max(line.line.width for line in lines)]
    assert [len(line.x) // 3 for line in widest] == [0, 2]  # 3 and 4 are above three quarters of 4, both positive


def test_a_tile_is_upright_and_signed() -> None:
    values = np.zeros((1, 4, 4))
    values[0, 3, 1], values[0, 0, 2] = 2.0, -2.0  # the highest y, and the lowest
    figure = playground_network([FIELDS[0], values], [(np.ones((1, 2)), np.zeros(1))], ["x", "y"])
    picture = pixels(figure.layout.images[2].source)
    side = len(picture) // 4
    np.testing.assert_array_equal(picture[side // 2, side + side // 2], tile_colors()[240])
    np.testing.assert_array_equal(picture[-1 - side // 2, 2 * side + side // 2], tile_colors()[0])


def test_weights_that_are_not_numbers_can_be_drawn() -> None:
    broken = [(np.full((3, 2), np.nan), np.zeros(3)), (np.full((1, 3), np.inf), np.zeros(1))]
    sound(playground_network([np.full_like(field, np.nan) for field in FIELDS], broken, ["x", "y"]), 40_000)


def test_the_points_of_a_regression_are_colored_by_their_number() -> None:
    numbers = LabeledPoints(np.array([[1.0, 2], [3, 4]]), np.array([-3.0, 0.5]), 0)
    figure = decision_plane(None, numbers, numbers)
    sound(figure, 60_000)
    test, train = figure.data[2:]
    assert train.marker.color.tolist() == [-1, 0.5]
    assert (train.marker.symbol, test.marker.symbol) == ("circle", "square")
