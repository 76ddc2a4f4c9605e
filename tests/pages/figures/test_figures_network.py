"""The drawn network has the units, edges, shapes and counts of the real one, and its words fit every width."""

from __future__ import annotations

import base64
import json
import math
import re
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core.activations import ACTIVATIONS
from mlp_core.spec import weight_count
from pages.figures.network import MOST_COLUMNS, MOST_EDGES, Drawing, abbreviated, drawn_units, network_drawing, network_state, quantized
from pages.language import languages, spoken
from tests.support.reading import read

WIDTHS = (358, 640, 1000)  # px: a phone, where the letters begin to be larger, a laptop
LETTER = 0.5  # width of an average letter, of the font's size
D2L = (784, 256, 10)
BYTES = 9_000

some_sizes = st.lists(st.integers(1, 2048), min_size=2, max_size=14).map(tuple)


def texts(drawing: Drawing) -> list[str]:
    return ["\n".join(label.lines) for label in drawing["labels"]]


def hints(drawing: Drawing, x: int) -> list[str]:
    (layer,) = (layer for layer in drawing["layers"] if layer["x"] == x)
    return [hint for _, _, hint, _ in layer["units"]]


def columns(drawing: Drawing) -> dict[int, int]:
    """x -> units drawn there."""
    return {layer["x"]: len(layer["units"]) for layer in drawing["layers"]}


def sent_bytes(drawing: Drawing) -> int:
    return len(json.dumps(drawing, allow_nan=False).encode())


def test_d2l_network_shows_its_widths_shapes_and_counts() -> None:
    drawing = network_drawing(D2L, activation_label="ReLU")
    for text in ("784", "256", "10", "ReLU", "(784, 256)\n200,704", "(256, 10)\n2,560", "28 × 28"):
        assert text in texts(drawing)
    said = " ".join(label.hint for label in drawing["labels"])
    assert "together 200,960 parameters" in said
    assert "together 2,570 parameters" in said
    assert columns(drawing) == {0: 12, 1: 12, 2: 10}
    assert [layer["kind"] for layer in drawing["layers"]] == ["input", "hidden", "output"]


def test_softmax_regression_has_one_weight_and_no_activation() -> None:
    drawing = network_drawing((784, 10), activation_label="ReLU")
    assert columns(drawing) == {0: 12, 1: 10}
    assert "(784, 10)\n7,840" in texts(drawing)
    assert "ReLU" not in texts(drawing)


def test_a_layer_left_out_in_part_shows_its_ends_and_dots_between() -> None:
    drawing = network_drawing((2, 100, 2), max_units=6)
    assert [text.split("unit ")[1] for text in hints(drawing, 1)] == [f"{n} of 100" for n in (1, 2, 3, 98, 99, 100)]
    gap, y = drawing["layers"][1]["gap"], [y for _, y, _, _ in drawing["layers"][1]["units"]]
    assert gap is not None
    assert y[2] + 4 < gap < y[3] - 4
    assert [layer["gap"] for layer in drawing["layers"]][::2] == [None, None]


def test_of_the_pixels_those_are_drawn_that_lie_on_one_line_through_the_middle() -> None:
    places = [tuple(map(int, re.findall(r"\d+", text)[:2])) for text in hints(network_drawing(D2L), 0)]
    assert {column for _, column in places} == {15}
    rows = [row for row, _ in places]
    assert rows == sorted(set(rows))
    assert rows[0] - 1 == pytest.approx(28 - rows[-1], abs=1)


def test_a_small_network_is_drawn_in_full_without_dots_or_picture() -> None:
    drawing = network_drawing((2, 4, 1))
    assert columns(drawing) == {0: 2, 1: 4, 2: 1}
    assert drawing["picture"] is None
    assert all(layer["gap"] is None for layer in drawing["layers"])


@given(some_sizes)
@settings(deadline=None, max_examples=40)
def test_a_network_of_any_size_fits_its_place(sizes: tuple[int, ...]) -> None:
    drawing = network_drawing(sizes)
    counts = columns(drawing)
    assert sum(counts[x] * counts[x + 1] for x in counts if x + 1 in counts) <= MOST_EDGES
    assert len(counts) == min(len(sizes), MOST_COLUMNS - (len(sizes) > MOST_COLUMNS))
    for layer in drawing["layers"]:
        y = np.array([y for _, y, _, _ in layer["units"]])
        assert drawing["left"] < layer["x"] < drawing["right"]
        assert y.mean() == pytest.approx(122, abs=drawing["spacing"])
        assert (np.diff(y) >= drawing["spacing"] - 0.02).all()
        assert 52 <= y.min() <= y.max() <= 192
        assert len(y) == sizes[layer["layer"]] or layer["gap"] is not None
    assert sent_bytes(drawing) < BYTES


@given(
    some_sizes,
    st.sampled_from(["", "ReLU", "leaky ReLU", "hard sigmoid", "=x*sigmoid(1.702*x)"]),
    st.booleans(),
    st.sampled_from(WIDTHS),
)
@settings(deadline=None, max_examples=80)
def test_no_words_meet(sizes: tuple[int, ...], activation: str, pictured: bool, width: int) -> None:
    sizes = (784, *sizes[1:]) if pictured else sizes
    rates = (0.125, 0.875) * len(sizes)
    drawing = network_drawing(sizes, activation_label=activation, dropout=rates[: len(sizes) - 2])
    wide, times = drawing["wide"]
    boxes = []
    for label in drawing["labels"]:
        size = label.size * (times if width >= wide else 1)
        half, tall = max(map(len, label.lines)) * LETTER * size / 2, len(label.lines) * 1.25 * size / 2
        px = (label.x - drawing["left"]) / (drawing["right"] - drawing["left"]) * width
        boxes.append((px - half, px + half, label.y - tall, label.y + tall, label.lines))
    for a, b in combinations(boxes, 2):
        assert a[1] <= b[0] + 1 or b[1] <= a[0] + 1 or a[3] <= b[2] + 2 or b[3] <= a[2] + 2, (a, b)
    assert all(left > -2 and right < width + 2 and top >= 0 and bottom <= drawing["height"] for left, right, top, bottom, _ in boxes)


@pytest.mark.parametrize("count", [2, 3, 6, 10, 11, 100])
def test_layers_left_out_are_counted(count: int) -> None:
    drawing = network_drawing((64,) * count, activation_label="tanh")
    left_out = [text for text in texts(drawing) if "more" in text]
    shown = len(columns(drawing))
    assert left_out == ([f"⋯\n{count - shown} more\nlayers"] if count > 10 else [])
    roles = {hints(drawing, x)[0].split(",")[0] for x in columns(drawing)}
    assert {"input", "output"} <= roles
    assert len(roles) == shown


@given(st.floats(0, 1), st.integers(1, 30))
@settings(deadline=None, max_examples=40)
def test_the_share_of_dropped_units_is_the_probability(p: float, width: int) -> None:
    drawing = network_drawing((3, width, 3), dropout=(p,))
    units = drawing["layers"][1]["units"]
    dropped = [text for _, _, text, dropped in units if dropped]
    assert len(dropped) == math.floor(len(units) * p + 0.5)
    assert all(text.endswith("dropped") for text in dropped)
    assert not any(dropped for layer in drawing["layers"][::2] for *_, dropped in layer["units"])
    named = [float(read(text.removeprefix("dropout "))) for text in texts(drawing) if text.startswith("dropout ")]
    assert named == ([pytest.approx(p, rel=1e-5)] if p > 0 else [])


def test_dropout_and_activation_of_a_deep_network_are_told_once() -> None:
    drawing = network_drawing((784, 64, 64, 64, 10), activation_label="tanh", dropout=(0.2, 0.2, 0.5))
    assert "each hidden layer: tanh, dropout 0.2 to 0.5" in texts(drawing)
    drawing = network_drawing((784, 64, 64, 64, 10), activation_label="tanh", dropout=(0.5,) * 3)
    assert "each hidden layer: tanh, dropout 0.5" in texts(drawing)


def test_the_picture_is_the_image() -> None:
    image = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    picture = network_drawing(D2L, image=image)["picture"]
    assert picture is not None
    assert base64.b64decode(picture["pixels"]) == image.tobytes()


@given(st.integers(0, 4_194_304))
def test_abbreviated_counts_are_short_and_right(count: int) -> None:
    text = abbreviated(count)
    assert len(text) <= 4
    value = float(text.rstrip("kM")) * {"k": 1e3, "M": 1e6}.get(text[-1], 1)
    assert value == pytest.approx(count, rel=0.05)


def test_counts_add_up_to_the_parameters_of_the_network() -> None:
    sizes = (784, 256, 128, 10)
    said = [label.hint for label in network_drawing(sizes)["labels"] if label.hint]
    totals = [int(text.split("together ")[1].split(" ")[0].replace(",", "")) for text in said]
    assert totals == [(n_in + 1) * n_out for n_in, n_out in pairwise(sizes)]
    assert sum(totals) == weight_count(sizes)


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"sizes": (784,)}, "at least an input and an output"),
        ({"sizes": D2L, "dropout": (0.5, 0.5)}, r"one probability a hidden layer \(1\)"),
        ({"sizes": D2L, "max_units": 0}, "max_units must be at least 1"),
    ],
)
def test_refuses_what_is_no_network(arguments: dict[str, Any], rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        network_drawing(**arguments)


def state_of(sizes: tuple[int, ...], seed: int = 0) -> tuple[dict[str, Any], list[Any], list[Any]]:
    """A state of random weights and activations, and these: of every layer drawn."""
    drawn, random = drawn_units(sizes), np.random.default_rng(seed)
    weights = {layer: random.normal(size=(len(drawn[layer]), len(drawn[layer - 1]))) for layer in drawn if layer - 1 in drawn}
    activations = {layer: random.uniform(size=len(units)) for layer, units in drawn.items()}
    return network_state(sizes, "ReLU", 7, None, weights, activations), list(weights.values()), list(activations.values())


def levels(encoded: str) -> list[int]:
    found: list[int] = np.frombuffer(base64.b64decode(encoded), dtype=np.int8).tolist()
    return found


def test_the_weight_of_every_drawn_edge_is_sent_in_the_order_of_the_units() -> None:
    sizes = (784, 30, 20, 10)
    state, weights, _ = state_of(sizes)
    drawing, expected = network_drawing(sizes, activation_label="ReLU", dropout=(0.5, 0.25)), []
    for left, right, weight in zip(drawing["layers"][:-1], drawing["layers"][1:], weights, strict=True):
        pairs = [(to, of) for of, _ in enumerate(left["units"]) for to, _ in enumerate(right["units"])]
        expected += [round(127 * weight[pair] / np.abs(weight).max()) for pair in pairs]
    assert levels(state["edges"]) == expected
    assert state["of"] == drawing["of"]
    assert state["step"] == 7


def test_inputs_and_outputs_are_measured_by_one_and_hidden_units_by_the_largest_of_their_layer() -> None:
    state, _, (inputs, hidden, outputs) = state_of((784, 30, 10))
    expected = [*np.round(127 * inputs), *np.round(127 * hidden / hidden.max()), *np.round(127 * outputs)]
    assert levels(state["units"]) == expected


@pytest.mark.parametrize("sizes", [(784, 256, 10), (784, *(64,) * 8, 10), (784, 10), (3, 2048, 2048, 4)])
def test_a_state_is_small(sizes: tuple[int, ...]) -> None:
    assert len(json.dumps(state_of(sizes)[0])) < 1200


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.5, -1.0, 0.25], [64, -127, 32]),
        ([math.nan, 2.0, -math.inf], [-128, 127, -128]),
        ([0.0, 0.0], [0, 0]),
        ([math.inf], [-128]),
        ([1e-30, -2e-30], [64, -127]),
    ],
)
def test_values_are_shares_of_the_largest_and_what_is_not_finite_is_marked(values: list[float], expected: list[int]) -> None:
    assert quantized(np.array(values)).tolist() == expected


def test_networks_of_other_sizes_or_activations_have_other_names() -> None:
    names = [network_drawing(sizes, activation_label=label)["of"] for sizes in (D2L, (784, 255, 10)) for label in ("ReLU", "tanh")]
    assert len(set(names)) == len(names)


def test_a_network_has_one_name_in_all_languages() -> None:
    label = ACTIVATIONS["identity"].label
    english = network_drawing(D2L, activation_label=label)
    with spoken(languages()["zh"]):
        chinese = network_drawing(D2L, activation_label=label)
    assert chinese["labels"] != english["labels"]
    assert chinese["of"] == english["of"]
