"""Up to four designs side by side: activation, initialization and σ of each, from controls or from a link."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from mlp_core.activations import ACTIVATIONS, trainable_activations
from mlp_core.expression import ExpressionError, resolve
from mlp_core.initializers import INITIALIZERS
from mlp_core.spec import BOUNDS, EXPRESSION_PREFIX, RunSpec, SpecError
from pages.figures.palette import series_style
from pages.ui.link import Field, LinkState, choice, number
from pages.ui.text import plain

NONE = "none"
SLOTS = ("", "2", "3", "4")  # the first without a number, so that ?activation=tanh says what it means
INITS = tuple(INITIALIZERS)
WITH_STD = tuple(name for name, entry in INITIALIZERS.items() if "init_std" in entry.settings)


@dataclass(frozen=True, slots=True)
class Design:
    """One choice of activation and initialization, at any depth and width."""

    label: str
    color: str
    index: int
    spec: Callable[[int, int, int], RunSpec]  # (depth, width, seed)


# name -> activation, initialization and σ of each design; what it shows
PRESETS: dict[str, tuple[tuple[tuple[str, str, float], ...], str]] = {
    "Does ReLU cure it?": (
        (("sigmoid", "torch_default", 0.01), ("relu", "torch_default", 0.01), ("relu", "he_normal", 0.01)),
        "The sigmoid's gradient dies. So does ReLU's, with PyTorch's default weights; it takes He's to keep it.",
    ),
    "Too small": (
        (("relu", "normal", 0.01), ("tanh", "normal", 0.01), ("sigmoid", "normal", 0.01)),
        "N(0, 0.01²) suits one wide hidden layer. Through twenty layers, no activation survives it.",
    ),
    "Too large": (
        (("tanh", "normal", 1.0), ("relu", "normal", 1.0), ("sigmoid", "normal", 1.0)),
        "N(0, 1): the gradient explodes, most of all where nothing saturates.",
    ),
    "Just right": (
        (("tanh", "xavier_normal", 0.01), ("relu", "he_normal", 0.01), ("selu", "xavier_normal", 0.01)),
        "Xavier for tanh, He for ReLU: the two standard pairs, and SELU with variance 1/n.",
    ),
    "Three fates": (
        (("relu", "normal", 0.01), ("sigmoid", "xavier_normal", 0.01), ("relu", "he_normal", 0.01)),
        "The three that “So what?” trains: only one of them learns.",
    ),
}


def _read_activation(text: str) -> str:
    try:
        resolve(RunSpec(activation=text).activation)
    except ExpressionError as error:
        raise SpecError("activation", f"must be one that can be computed ({error})", text) from error
    return text


def _slot_fields(slot: str, activation: str, init: str) -> tuple[Field, ...]:
    def read(text: str) -> str:
        return text if text == NONE and slot else _read_activation(text)

    return (
        Field(f"activation{slot}", activation, read),
        choice(f"init{slot}", init, INITS),
        number(f"std{slot}", 0.01, BOUNDS["init_std"]),
    )


FIELDS = (
    *_slot_fields("", "sigmoid", "torch_default"),
    *_slot_fields("2", "relu", "torch_default"),
    *_slot_fields("3", "relu", "he_normal"),
    *_slot_fields("4", NONE, "he_normal"),
)


def designs_panel(link: LinkState) -> list[Design]:
    """Draw the controls; the designs that can be computed, with what is wrong with the others said beside them."""
    here = next((name for name, (designs, _) in PRESETS.items() if designs == _chosen(link)), None)
    st.session_state["stability_preset"] = here
    st.pills(
        "Designs to compare", tuple(PRESETS), key="stability_preset", on_change=_take_preset, args=(link,)
    )  # fmt: skip
    if here is not None:
        st.caption(PRESETS[here][1])
    designs = []
    for index, (slot, column) in enumerate(zip(SLOTS, st.columns(len(SLOTS), gap="small"), strict=True)):
        with column.container(border=True, height="stretch"):
            design = _slot(link, slot, index)
        if design is not None:
            designs.append(design)
    return designs


def _slot(link: LinkState, slot: str, index: int) -> Design | None:
    color = series_style(index)["color"]
    options = (*trainable_activations(), NONE) if slot else trainable_activations()
    st.selectbox(
        f"Activation of design {index + 1}", options, format_func=_activation_label, key=link.key(f"activation{slot}"),
        accept_new_options=True, help="Choose one, or type your own in x: `x*sigmoid(1.7*x)`",
    )  # fmt: skip
    activation = link[f"activation{slot}"]
    if activation == NONE:
        return None
    st.selectbox("Initialization", INITS, format_func=lambda name: INITIALIZERS[name].label, key=link.key(f"init{slot}"))
    init = link[f"init{slot}"]
    if init in WITH_STD:
        bounds = BOUNDS["init_std"]
        st.number_input("σ", bounds.low, bounds.high, step=0.01, format="%.4g", key=link.key(f"std{slot}"))
    std = link[f"std{slot}"]
    name = activation if activation in trainable_activations() else EXPRESSION_PREFIX + activation.removeprefix(EXPRESSION_PREFIX)
    try:
        _read_activation(name)
    except SpecError as error:
        st.error(f"{plain(activation)} {error.rule}.")
        return None
    weights = f"N(0, {std:g}²)" if init in WITH_STD else INITIALIZERS[init].label
    st.markdown(f':color[●]{{foreground="{color}"}} {_activation_label(name)}, {weights}')
    return Design(
        f"{_activation_label(name)}, {weights}", color, index,
        lambda depth, width, seed: RunSpec(hidden=(width,) * depth, activation=name, init=init, init_std=std, seed=seed),
    )  # fmt: skip


def _activation_label(name: str) -> str:
    if name == NONE:
        return "– no design –"
    return ACTIVATIONS[name].label if name in ACTIVATIONS else name.removeprefix(EXPRESSION_PREFIX)


def _chosen(link: LinkState) -> tuple[tuple[str, str, float], ...]:
    """The designs as the presets have them: σ counts only where it is used."""
    chosen = [(link[f"activation{slot}"], link[f"init{slot}"], link[f"std{slot}"]) for slot in SLOTS]
    return tuple((name, init, std if init in WITH_STD else 0.01) for name, init, std in chosen if name != NONE)


def _take_preset(link: LinkState) -> None:
    preset = st.session_state["stability_preset"]
    if preset is None:
        return
    designs = PRESETS[preset][0]
    for slot, design in zip(SLOTS, (*designs, *((NONE, "he_normal", 0.01),) * len(SLOTS)), strict=False):
        for name, value in zip(("activation", "init", "std"), design, strict=True):
            link[f"{name}{slot}"] = value
