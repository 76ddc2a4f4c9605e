"""What a network of images holds, as pictures: the weights of its first layer, and one image on its way through."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import streamlit as st
import torch

from mlp_core.data import CLASS_NAMES, load_fashion_mnist
from mlp_core.initializers import initial_parameters
from mlp_core.jobs import JobSnapshot
from mlp_core.network import Network, generator_for
from mlp_core.spec import RunSpec
from pages.figures.layers import activation_strips
from pages.figures.pictures import MOST_UNITS, weight_images
from pages.figures.predictions import prediction_grid, probability_bars
from pages.ui.live_chart import live_chart
from pages.ui.memo import memo
from pages.ui.text import count, percent
from pages.ui.widget_values import WidgetValues

WEIGHT_COLUMNS = 8
PICTURE_HEIGHT = 210
DEFAULTS = {"inside_image": 0, "inside_changed": False}
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Passage:
    """One image through a network: what every layer puts out (units,), and the probabilities (classes,)."""

    layers: list[Floats]
    probabilities: Floats


def first_layer(snapshot: JobSnapshot, network: Network, chosen: WidgetValues) -> None:
    """The incoming weights of the first units, each as an image; or only what training made of them."""
    picture, words = st.columns([5, 3], gap="large")
    with words:
        changed = st.toggle(
            "Only what training changed", help="The weights less those before the first step, which the seed tells.",
            **chosen.value("inside_changed"),
        )  # fmt: skip
        units = network.weights()[0][0].shape[0]
        shown = f"the first {MOST_UNITS} of {count(units)} units" if units > MOST_UNITS else f"all {count(units)} units"
        what = "unit" if snapshot.spec.hidden else "class"
        st.markdown(
            f"After step {count(snapshot.step)}, {shown}. A {what} answers most to an image that is bright where its weights are **red** "
            "and dark where they are **blue**."
        )
        st.caption(
            "Large random initial weights, as of He or Xavier, hide under their grain what was learned: leave them out to see it. "
            "Healthy units then show blurred clothes, each its own; a unit without any color has not learned."
        )
    figure = memo(
        "inside_weights",
        (snapshot.spec, snapshot.step, snapshot.state, changed),
        lambda: weight_images(_weights(network) - (_initial(snapshot.spec) if changed else 0.0), columns=WEIGHT_COLUMNS),
    )
    with picture:
        height = figure["layout"]["height"]
        live_chart(figure, key="inside_weights", height=height, alt="The incoming weights of first-layer units as pictures")


def _weights(network: Network) -> Floats:
    return network.weights()[0][0][:MOST_UNITS].to("cpu", torch.float64, copy=True).numpy()


def _initial(spec: RunSpec) -> Floats:
    """The weights before the first step, drawn again from the seed."""

    def draw() -> Floats:
        weight, _ = initial_parameters(spec, spec.sizes, generator_for(spec, "init"))[0]
        return weight[:MOST_UNITS].double().numpy()

    return memo("inside_initial", spec, draw)


def one_image(snapshot: JobSnapshot, network: Network, chosen: WidgetValues) -> None:
    """A test image, what every unit makes of it, and what the network takes it for."""
    data = load_fashion_mnist()
    clicked = st.session_state.get("_image")
    if clicked is not None and clicked != st.session_state.get("_inside_clicked"):
        chosen["inside_image"] = clicked
    st.session_state["_inside_clicked"] = clicked
    last = len(data.test_labels) - 1
    chosen["inside_image"] = min(chosen["inside_image"], last)
    index = st.number_input(
        f"Test image, 0 to {count(last)}", width=220, help="A click on an image below chooses it too.",
        **chosen.value("inside_image", min_value=0, max_value=last),
    )  # fmt: skip
    passage = memo("inside_passage", (snapshot.spec, snapshot.step, snapshot.state, index), lambda: _through(network, index))
    label, said = int(data.test_labels[index]), int(np.nan_to_num(passage.probabilities).argmax())
    picture, strips, answer = st.columns([2, 7, 4], gap="medium", vertical_alignment="center")
    with picture:
        image = data.test_images[index : index + 1].numpy()
        live_chart(
            prediction_grid(image, [label], [said], CLASS_NAMES, columns=1), key="inside_image_picture", height=PICTURE_HEIGHT,
            alt=f"Test image {index}: {CLASS_NAMES[label]}, taken for {CLASS_NAMES[said]}",
        )  # fmt: skip
    with strips:
        names = [f"Layer {number}" for number in range(1, len(passage.layers))] + ["Output (logits)"]
        figure = activation_strips(passage.layers, names)
        live_chart(figure, key="inside_strips", height=figure["layout"]["height"], alt="What every unit of every layer puts out")
    with answer:
        figure = probability_bars(passage.probabilities, CLASS_NAMES, label, said)
        live_chart(figure, key="inside_probabilities", height=figure["layout"]["height"], alt="Probability of each class")
    st.caption(
        f"After step {count(snapshot.step)} the network says {CLASS_NAMES[said]} with probability "
        f"{percent(float(passage.probabilities[said]))}; the label is {CLASS_NAMES[label]}. Orange is above 0, blue below, each strip on a "
        "scale of its own. Point at a cell to read its value. The order of the units means nothing."
    )


def _through(network: Network, index: int) -> Passage:
    """A forward pass without dropout; beside a training thread its layers may be of neighboring steps."""
    device = network.weights()[0][0].device
    image = load_fashion_mnist().test_images[index].reshape(1, -1).to(device).float() / 255
    with torch.no_grad():
        layers = [layer.activation[0].double() for layer in network.layers(image)]
    return Passage([layer.cpu().numpy() for layer in layers], layers[-1].softmax(dim=0).cpu().numpy())
