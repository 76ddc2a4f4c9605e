"""The picture of shapes: a box an axis, its size and its role in it, and a line between axes that belong together."""

from __future__ import annotations

import pytest

from mlp_core.labs.tensors.shapes import Role
from pages.figures import tensors
from pages.figures.palette import FAULT, GREEN
from pages.figures.tensors import ROLE_COLORS, AxisBox, ShapeRow
from tests.support.figures.soundness import drawn, sound

shape_lineup = drawn(tensors.shape_lineup)

ROWS = (
    ShapeRow("A", "(2, 3)", (AxisBox(2, "stays"), AxisBox(3, "equal"))),
    ShapeRow("B", "(3,)", (None, AxisBox(3, "equal"))),
)


def test_every_axis_is_a_box_with_its_size_and_role() -> None:
    spec = sound(shape_lineup(ROWS), 8000)
    boxes = [shape for shape in spec["layout"]["shapes"] if shape["type"] == "rect"]
    assert [(box["x0"] + box["x1"]) / 2 for box in boxes] == pytest.approx([0, 1, 1])
    assert [(box["y0"] + box["y1"]) / 2 for box in boxes] == pytest.approx([0, 0, 1])
    assert [box["line"]["color"] for box in boxes] == [ROLE_COLORS["stays"], GREEN, GREEN]
    words = [annotation["text"] for annotation in spec["layout"]["annotations"]]
    assert words == ["<b>A</b>", "(2, 3)", "<b>2</b>", "stays", "<b>3</b>", "equal", "<b>B</b>", "(3,)", "<b>3</b>", "equal"]


def test_a_link_joins_the_boxes_in_the_color_of_the_first() -> None:
    rows = (ShapeRow("A", "(2, 3)", (AxisBox(2, "stays"), AxisBox(3, "clash"))), ShapeRow("B", "(2,)", (AxisBox(2, "clash"), None)))
    (line,) = [shape for shape in shape_lineup(rows, [((0, 1), (1, 0))]).to_plotly_json()["layout"]["shapes"] if shape["type"] == "line"]
    assert (line["x0"], line["x1"]) == (1, 0)
    assert 0 < line["y0"] < line["y1"] < 1
    assert line["line"]["color"] == FAULT


def test_every_role_there_is_has_a_color() -> None:
    assert set(ROLE_COLORS) == {role.value for role in Role}


def test_a_number_without_axes_can_be_drawn() -> None:
    sound(shape_lineup([ShapeRow("result", "()", ())]), 3000)
