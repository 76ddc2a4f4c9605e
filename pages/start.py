"""The start page: what this is, and where to begin."""

from collections.abc import Callable, Mapping
from itertools import cycle
from typing import Any

import streamlit as st

from pages.ui.navigation import NAMES, page_header  # first: it limits what all others compute with

# isort: split
from mlp_core.labs.previews import bowl, fitted_too_well, product_sizes, sigmoid_with_gradient, xor_by_hidden_units
from mlp_core.spec import INPUTS, OUTPUTS, PRESETS, query_of
from mlp_core.words import Message
from pages.figures.network import network_drawing
from pages.figures.previews import arrow_across_contour, bent_plane, curve_through_noise, growing_products, value_over_gradient
from pages.language import _
from pages.ui.link import link_to
from pages.ui.live_chart import live_chart
from pages.ui.memo import memo
from pages.ui.network_drawing import drawing_payload, network_picture

CARDS: tuple[tuple[str, Message, Callable[[], Any], Message], ...] = (  # file stem of a page, sentence, figure, and what the figure shows
    (
        "train",
        Message("Design a network, press one button, and watch it learn 60,000 pictures of clothes."),
        lambda: drawing_payload(network_drawing((INPUTS, 256, OUTPUTS), activation_label="ReLU", max_units=8)),
        Message("A network of 784, 256 and 10 units"),
    ),
    (
        "activations",
        Message("Every activation over its gradient, what it does to a signal, and one of your own."),
        lambda: value_over_gradient(*sigmoid_with_gradient()),
        Message("The sigmoid and its gradient, which is never above a quarter"),
    ),
    (
        "stability",
        Message("Products of random matrices and gradients through depth: measured, beside what theory predicts."),
        lambda: growing_products(product_sizes()),
        Message("The size of products of random matrices grows exponentially"),
    ),
    (
        "nonlinearity",
        Message("Layers that collapse into one, a perceptron that gives up on XOR, and a network that bends the plane."),
        lambda: bent_plane(*xor_by_hidden_units()),
        Message("Four ReLU units solve XOR: positive where x and y differ in sign"),
    ),
    (
        "generalization",
        Message("Too many parameters, too few points: capacity, weight decay and dropout, with the luck of the draw made visible."),
        lambda: curve_through_noise(*fitted_too_well()),
        Message("A polynomial of degree 14 goes through 16 noisy points of a cubic and swings between them"),
    ),
    (
        "tensors",
        Message("The operations that a network is made of, on matrices that you edit, and the gradient across a contour line."),
        lambda: arrow_across_contour(*bowl()),
        Message("The gradient of a function stands at a right angle on its level line"),
    ),
)
WAYS = (  # file stem of a page, icon and sentence: those without a picture
    (
        "lessons",
        ":material/school:",
        Message("Bet on what will happen, run it, and compare: a guided way through the chapter, in steps that are measured on the spot."),
    ),
    (
        "sweep",
        ":material/grid_view:",
        Message("Many networks at once: which hyperparameters are best, over several seeds, and whether that is more than luck."),
    ),
)
EXPERIMENTS: tuple[tuple[Message, Mapping[str, Any]], ...] = (  # a label, and the fields of its `RunSpec` that differ from the default
    (Message("The book's network: 82 to 85 % in ten epochs"), PRESETS["mlp"].settings),
    (Message("A learning rate twenty times too high"), PRESETS["lr_too_high"].settings),
    (Message("Five sigmoid layers that learn nothing"), PRESETS["deep_sigmoid"].settings),
    (Message("Five ReLU layers with He's initialization: the cure?"), {"hidden": (64,) * 5, "init": "he_normal", "epochs": 5}),
    (Message("All hidden weights equal: are 256 units worth one?"), {"init": "constant"}),
    (Message("Everything through a single unit"), PRESETS["bottleneck"].settings),
)

page_header("start")
st.markdown(
    _(
        "**Understand a multilayer perceptron by breaking it:** a playground for chapter 5 of "
        "[*Dive into Deep Learning*](https://d2l.ai/chapter_multilayer-perceptrons/). Every curve is computed "
        "while you watch, networks learn from real pictures of clothes, and every claim of the chapter can be put to the test."
    )
)

for place, (page, icon, sentence) in zip(st.columns(2), WAYS, strict=True):
    with place.container(border=True, height="stretch", key=f"card_of_{page}"):
        link_to(page, f"**{_(NAMES[page])}**", {}, icon)
        st.caption(_(sentence))

columns = st.columns(3) + st.columns(3)
for column, (page, sentence, figure, alt) in zip(columns, CARDS, strict=True):
    with column.container(border=True, height="stretch", key=f"card_of_{page}"):
        show: Callable[..., object] = network_picture if page == "train" else live_chart
        show(memo(f"card_{page}", 0, figure), key=f"card_{page}", height=200, alt=_(alt))
        link_to(page, f"**{_(NAMES[page])}**", {}, ":material/arrow_forward:")
        st.caption(_(sentence))

st.markdown(f"#### {_('Experiments to begin with')}")
for column, (label, settings) in zip(cycle(st.columns(2)), EXPERIMENTS, strict=False):
    with column:
        link_to("train", _(label), query_of(settings), ":material/science:")
