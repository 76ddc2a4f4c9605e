"""The drawn network has the units, edges, shapes and counts of the real one, and its words fit a phone."""

from __future__ import annotations

import math
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core.spec import weight_count
from pages.figures import network
from pages.figures.network import MOST_COLUMNS, MOST_EDGES, abbreviated
from pages.figures.palette import BLUE, VERMILION, translucent
from tests.support.figures.pictures import pixels
from tests.support.figures.soundness import drawn, sound

network_diagram = drawn(network.network_diagram)

PHONE = 358  # px
LETTER = 0.5  # width of an average letter, of the font's size
D2L = (784, 256, 10)
BYTES = 36_000

some_sizes = st.lists(st.integers(1, 2048), min_size=2, max_size=14).map(tuple)


def units(figure: go.Figure) -> Any:
    return next(trace for trace in figure.data if trace.mode == "markers" and trace.hoverinfo == "text")


def texts(figure: go.Figure) -> list[str]:
    return [text for trace in figure.data if trace.mode == "text" for text in trace.text]


def edges(figure: go.Figure) -> list[tuple[float, float, float, float]]:
    """(x, y, x, y) of every segment of every line."""
    found = []
    for trace in figure.data:
        if trace.mode == "lines":
            x, y = np.asarray(trace.x).reshape(-1, 3), np.asarray(trace.y).reshape(-1, 3)
            assert np.isnan(x[:, 2]).all()
            assert np.isnan(y[:, 2]).all()
            found += [(float(a), float(b), float(c), float(d)) for a, b, c, d in zip(x[:, 0], y[:, 0], x[:, 1], y[:, 1], strict=True)]
    return found


def columns(figure: go.Figure) -> dict[int, int]:
    """x -> units drawn there."""
    x, counts = np.unique(np.asarray(units(figure).x), return_counts=True)
    return dict(zip(x.tolist(), counts.tolist(), strict=True))


def test_d2l_network_shows_its_widths_shapes_and_counts() -> None:
    figure = network_diagram(D2L, activation_label="ReLU")
    for text in ("<b>784</b>", "<b>256</b>", "<b>10</b>", "ReLU", "(784, 256)<br>200,704", "(256, 10)<br>2,560", "<b>28 × 28</b>"):
        assert text in texts(figure)
    hover = " ".join(text for trace in figure.data if trace.mode == "text" and trace.hovertext for text in trace.hovertext)
    assert "together 200,960 parameters" in hover
    assert "together 2,570 parameters" in hover
    assert columns(figure) == {0: 12, 1: 12, 2: 10}
    assert len(edges(figure)) == 12 * 12 + 12 * 10
    sound(figure, BYTES)


def test_softmax_regression_has_one_weight_and_no_activation() -> None:
    figure = network_diagram((784, 10), activation_label="ReLU")
    assert columns(figure) == {0: 12, 1: 10}
    assert "(784, 10)<br>7,840" in texts(figure)
    assert "ReLU" not in texts(figure)


def test_a_layer_left_out_in_part_shows_its_ends_and_dots_between() -> None:
    figure = network_diagram((2, 100, 2), max_units=6)
    hidden = [text for x, text in zip(units(figure).x, units(figure).hovertext, strict=True) if x == 1]
    assert [text.split("unit ")[1] for text in hidden] == [f"{n} of 100" for n in (1, 2, 3, 98, 99, 100)]
    (dots,) = [trace for trace in figure.data if trace.mode == "markers" and trace.hoverinfo == "skip"]
    y = sorted(y for x, y in zip(units(figure).x, units(figure).y, strict=True) if x == 1)
    assert y[2] < min(dots.y) <= max(dots.y) < y[3]
    assert set(dots.x) == {1}


def test_a_small_network_is_drawn_in_full_without_dots_or_picture() -> None:
    figure = network_diagram((2, 4, 1))
    assert columns(figure) == {0: 2, 1: 4, 2: 1}
    assert not figure.layout.images
    assert not any(len(trace.x) for trace in figure.data if trace.mode == "markers" and trace.hoverinfo == "skip")


@given(some_sizes)
@settings(deadline=None, max_examples=40)
def test_every_edge_joins_two_units_of_neighboring_layers(sizes: tuple[int, ...]) -> None:
    figure = network_diagram(sizes)
    places = {(float(x), float(np.float32(y))) for x, y in zip(units(figure).x, units(figure).y, strict=True)}
    drawn = edges(figure)
    assert all((a, b) in places and (c, d) in places and c == a + 1 for a, b, c, d in drawn)
    counts = columns(figure)
    assert len(drawn) == len(set(drawn)) == sum(counts[x] * counts[x + 1] for x in counts if x + 1 in counts)
    assert len(drawn) <= MOST_EDGES
    assert len(counts) == min(len(sizes), MOST_COLUMNS - (len(sizes) > MOST_COLUMNS))
    sound(figure, BYTES)


@given(some_sizes, st.sampled_from(["", "ReLU", "leaky ReLU", "hard sigmoid", "=x*sigmoid(1.702*x)"]), st.booleans())
@settings(deadline=None, max_examples=40)
def test_no_words_meet_on_a_phone(sizes: tuple[int, ...], activation: str, pictured: bool) -> None:
    sizes = (784, *sizes[1:]) if pictured else sizes
    rates = (0.125, 0.875) * len(sizes)
    figure = network_diagram(sizes, activation_label=activation, dropout=rates[: len(sizes) - 2])
    low, high = figure.layout.xaxis.range
    boxes = []
    for trace in figure.data:
        if trace.mode != "text":
            continue
        for x, y, text in zip(trace.x, trace.y, trace.text, strict=True):
            lines = text.replace("<b>", "").replace("</b>", "").split("<br>")
            half = max(map(len, lines)) * LETTER * trace.textfont.size / 2
            px, tall = (x - low) / (high - low) * PHONE, len(lines) * 1.25 * trace.textfont.size / 2
            boxes.append((px - half, px + half, y - tall, y + tall, text))
    for a, b in combinations(boxes, 2):
        assert a[1] <= b[0] + 1 or b[1] <= a[0] + 1 or a[3] <= b[2] + 2 or b[3] <= a[2] + 2, (a, b)
    assert all(left > -2 and right < PHONE + 2 and top >= 0 and bottom <= figure.layout.height for left, right, top, bottom, _ in boxes)


@pytest.mark.parametrize("count", [2, 3, 6, 10, 11, 100])
def test_layers_left_out_are_counted(count: int) -> None:
    figure = network_diagram((64,) * count, activation_label="tanh")
    left_out = [text for text in texts(figure) if "more" in text]
    shown = len(columns(figure))
    assert left_out == ([f"⋯<br>{count - shown} more<br>layers"] if count > 10 else [])
    roles = {text.split(",")[0] for text in units(figure).hovertext}
    assert {"input", "output"} <= roles
    assert len(roles) == shown


@given(st.floats(0, 1), st.integers(1, 30))
@settings(deadline=None, max_examples=40)
def test_the_share_of_dropped_units_is_the_probability(p: float, width: int) -> None:
    figure = network_diagram((3, width, 3), dropout=(p,))
    drawn = columns(figure)[1]
    dropped = [text for text in units(figure).hovertext if text.endswith("dropped")]
    assert len(dropped) == math.floor(drawn * p + 0.5)
    assert [symbol for symbol in units(figure).marker.symbol if symbol == "circle-x-open"] == ["circle-x-open"] * len(dropped)
    assert len(edges(figure)) == 2 * 3 * (drawn - len(dropped))
    assert (f"dropout {p:g}" in texts(figure)) == (p > 0)


def test_dropout_and_activation_of_a_deep_network_are_told_once() -> None:
    figure = network_diagram((784, 64, 64, 64, 10), activation_label="tanh", dropout=(0.2, 0.2, 0.5))
    assert "each hidden layer: tanh, dropout 0.2 to 0.5" in texts(figure)
    figure = network_diagram((784, 64, 64, 64, 10), activation_label="tanh", dropout=(0.5,) * 3)
    assert "each hidden layer: tanh, dropout 0.5" in texts(figure)


def test_weights_decide_color_and_width() -> None:
    first, second = np.array([[0.9, -0.9], [0.1, -0.5], [0.0, math.nan]]), np.array([[0.2, 0.5, -0.31]])
    figure = network_diagram((2, 3, 1), weights=[first, second])
    drawn = {}
    for trace in figure.data:
        if trace.mode == "lines":
            for x, y in zip(np.asarray(trace.x).reshape(-1, 3), np.asarray(trace.y).reshape(-1, 3), strict=True):
                drawn[float(x[0]), float(y[0]), float(y[1])] = (trace.line.color, trace.line.width)
    places = [sorted(b for a, b in zip(units(figure).x, units(figure).y, strict=True) if a == layer) for layer in range(3)]
    for layer, matrix in enumerate((first, second)):
        for (to, of), weight in np.ndenumerate(matrix):
            edge = drawn.get((layer, places[layer][of], places[layer + 1][to]))
            if weight == 0 or math.isnan(weight):
                assert edge is None
                continue
            assert edge is not None
            third = sum(abs(weight) > limit for limit in (0.3, 0.6))  # thirds of the largest, 0.9
            assert edge[0] == translucent(VERMILION if weight > 0 else BLUE, (0.5, 0.75, 1.0)[third])
            assert edge[1] == pytest.approx((0.8, 2.0, 3.2)[third])


def test_weights_of_units_left_out_are_not_drawn() -> None:
    weights = np.full((1, 100), 1.0)
    weights[0, 50] = 1000.0  # in the middle: not drawn, and no measure for the others
    figure = network_diagram((100, 1), max_units=4, weights=[weights])
    assert len(edges(figure)) == 4
    assert [trace.line.width for trace in figure.data if trace.mode == "lines"] == [pytest.approx(3.2)]


def test_network_of_zero_weights_has_no_edges() -> None:
    assert edges(network_diagram((3, 2), weights=[np.zeros((2, 3))])) == []


def test_the_picture_is_the_image() -> None:
    image = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    source = network_diagram(D2L, image=image).layout.images[0].source
    shown = pixels(source).astype(float)
    assert shown.shape == (224, 224, 4)
    brightness = shown[4::8, 4::8, :3].mean(axis=2)
    assert (shown[..., 3] == 255).all()
    assert np.corrcoef(brightness.ravel(), image.ravel())[0, 1] > 0.9999
    assert (np.repeat(np.repeat(brightness, 8, axis=0), 8, axis=1) == shown[..., :3].mean(axis=2)).all()


def test_an_expression_is_shown_as_text() -> None:
    figure = network_diagram(D2L, activation_label="=x*(x<0)")
    assert "=x*(x&lt;0)" in texts(figure)


@given(st.integers(0, 4_194_304))
def test_abbreviated_counts_are_short_and_right(count: int) -> None:
    text = abbreviated(count)
    assert len(text) <= 4
    value = float(text.rstrip("kM")) * {"k": 1e3, "M": 1e6}.get(text[-1], 1)
    assert value == pytest.approx(count, rel=0.05)


def test_counts_add_up_to_the_parameters_of_the_network() -> None:
    sizes = (784, 256, 128, 10)
    figure = network_diagram(sizes)
    (shapes,) = [trace for trace in figure.data if trace.mode == "text" and trace.hovertext]
    totals = [int(text.split("together ")[1].split(" ")[0].replace(",", "")) for text in shapes.hovertext]
    assert totals == [(n_in + 1) * n_out for n_in, n_out in pairwise(sizes)]
    assert sum(totals) == weight_count(sizes)


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"sizes": (784,)}, "at least an input and an output"),
        ({"sizes": D2L, "dropout": (0.5, 0.5)}, r"one probability a hidden layer \(1\)"),
        ({"sizes": D2L, "weights": [np.zeros((784, 256)), np.zeros((10, 256))]}, r"shapes \[\(256, 784\), \(10, 256\)\]"),
        ({"sizes": D2L, "max_units": 0}, "max_units must be at least 1"),
    ],
)
def test_refuses_what_is_no_network(arguments: dict[str, Any], rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        network_diagram(**arguments)
