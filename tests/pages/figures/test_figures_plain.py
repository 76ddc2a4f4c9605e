"""A figure made without plotly's checks is the one that plotly would have made, and the tests' own check finds what it let pass."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from pages.figures.palette import base_layout
from pages.figures.plain import bar, contour, heatmap, image, plain_figure, scatter
from tests.support.figures.soundness import drawn, sound

TRACES = [
    scatter(x=np.arange(3.0), y=np.arange(3.0), mode="lines", line={"color": "#123456"}),
    bar(x=[1, 2], y=[3, 4]),
    heatmap(z=np.eye(2)),
    contour(z=np.eye(2)),
    image(z=np.zeros((1, 1, 3), dtype=np.uint8)),
]


def test_it_equals_the_checked_figure() -> None:
    layout = base_layout(xaxis={"title": {"text": "x"}})
    checked = go.Figure(TRACES, layout).update_layout(template=None)
    assert sound(drawn(plain_figure)(TRACES, layout), 5_000) == sound(checked, 5_000)
    assert plain_figure(TRACES, layout)["layout"] == layout | {"template": {}}


def test_a_wrong_property_passes_here_and_not_in_the_tests() -> None:
    figure = plain_figure([scatter(x=[1], y=[1], colour="red")], base_layout())
    with pytest.raises(ValueError, match="colour"):
        go.Figure(figure)
