"""A figure made without plotly's checks is the one that plotly would have made, and the tests' own check finds what it let pass."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from pages.figures.axes import axis
from pages.figures.figure import bar, contour, figure, heatmap, image, scatter, wrapped
from tests.support.figures.soundness import drawn, sound

TRACES = [
    scatter(x=np.arange(3.0), y=np.arange(3.0), mode="lines", line={"color": "#123456"}),
    bar(x=[1, 2], y=[3, 4]),
    heatmap(z=np.eye(2)),
    contour(z=np.eye(2)),
    image(z=np.zeros((1, 1, 3), dtype=np.uint8)),
]


def test_it_equals_the_checked_figure() -> None:
    made = figure(TRACES, xaxis=axis("x"))
    checked = go.Figure(TRACES, made["layout"]).update_layout(template=None)
    assert sound(drawn(figure)(TRACES, xaxis=axis("x")), 5_000) == sound(checked, 5_000)
    assert made["layout"]["xaxis"] == {"title": {"text": "x"}}


def test_a_layout_of_ones_own_wins() -> None:
    layout = figure([], hovermode="closest", margin={"l": 1})["layout"]
    assert (layout["hovermode"], layout["margin"], layout["uirevision"]) == ("closest", {"l": 1}, "keep")


def test_none_leaves_a_property_to_plotly() -> None:
    assert scatter(x=[1], customdata=None) == {"type": "scatter", "x": [1]}
    assert axis("x", dtick=None) == {"title": {"text": "x"}}


def test_a_wrong_property_passes_here_and_not_in_the_tests() -> None:
    with pytest.raises(ValueError, match="colour"):
        go.Figure(figure([scatter(x=[1], y=[1], colour="red")]))


def test_chinese_ends_its_lines_between_characters_and_never_within_a_number_or_before_a_comma() -> None:
    text = "学习率0.001，动量0.95，小批量256个样本；在Fashion-MNIST上训练了12个迭代周期（随机种子7）。"
    lines = wrapped(text, 16).split("<br>")
    assert "".join(lines) == text
    assert max(sum(1 + (letter > "\u2e80") for letter in line) for line in lines) <= 18  # a full stop may hang
    assert all(any(number in line for line in lines) for number in ("0.001", "0.95", "256", "Fashion-MNIST", "12", "7"))
    assert not [line for line in lines if line[0] in "，；。）"]
    assert wrapped("a < b and more", 6) == "a &lt; b<br>and<br>more"
    assert [wrapped(name, 10) for name in ("t-shirt（T恤）", "bag（包）")] == ["t-shirt<br>（T恤）", "bag（包）"]
