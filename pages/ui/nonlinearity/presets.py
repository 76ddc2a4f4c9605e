"""Experiments of the playground worth starting from, each with its lesson. Sets fields of the link, nothing else."""

from __future__ import annotations

from typing import Any, NamedTuple

import streamlit as st

from pages.ui.link import LinkState
from pages.ui.nonlinearity.settings import FIELDS


class Preset(NamedTuple):
    """Fields that differ from their defaults, and the lesson."""

    fields: dict[str, Any]
    lesson: str


SPIRAL: dict[str, Any] = {
    "data": "spiral", "size": 400, "test": 20, "deep": 2, "lr": "0.01", "batch": 20, "epochs": 400, "pace": "epochs",
}  # fmt: skip

PRESETS: dict[str, Preset] = {
    "XOR": Preset({}, "One hidden layer of 8 ReLU units: the plane is cut into pieces, and XOR is solved."),
    "XOR, no hidden layer": Preset({"deep": 0}, "One line, as the perceptron's: about half of the points stay wrong."),
    "XOR, no bend": Preset(
        {"activation": "identity", "init": "xavier_normal", "deep": 3, "lr": "0.01"},
        "Three hidden layers without a nonlinearity are one matrix: still one line.",
    ),
    "XOR by a product": Preset(
        {"deep": 0, "features": ["xy"]}, "The product xy as the input: with the right feature, no hidden layer is needed."
    ),
    "Circle": Preset({"data": "circle", "units1": 4, "regions": True}, "Four ReLU units fence the inner points in with four lines."),
    "Spiral": Preset(SPIRAL, "Two layers of 8 unroll the spiral. Watch the last layer's units."),
    "Three arms": Preset(SPIRAL | {"data": "arms", "epochs": 300}, "Three classes, three outputs, softmax."),
    "Hills and hollows": Preset(
        SPIRAL | {"data": "bumps", "size": 500, "activation": "tanh", "init": "xavier_normal"},
        "Regression: the same network without a last activation, and with a squared loss.",
    ),
}
# These do not make another experiment.
VIEW = ("discrete", "tests", "regions", "shown", "space", "across", "up", "pace", "drawn", "seed", "data_seed")


def preset_row(link: LinkState) -> None:
    """The presets, one click each; the one that the controls are at is marked."""
    here = next((name for name, preset in PRESETS.items() if _at(link, preset)), None)
    st.session_state["_plane_preset"] = here
    st.pills("Start from", tuple(PRESETS), key="_plane_preset", on_change=_take, args=(link,))
    if here is not None:
        st.caption(PRESETS[here].lesson)


def take(link: LinkState, preset: Preset) -> None:
    """Set every field of the playground; to be called from a callback."""
    for name, value in _values(preset).items():
        link[name] = value


def _take(link: LinkState) -> None:
    if (name := st.session_state["_plane_preset"]) is not None:
        take(link, PRESETS[name])


def _values(preset: Preset) -> dict[str, Any]:
    kept = ("drawn", "seed", "data_seed")
    return {field.name: preset.fields.get(field.name, field.default) for field in FIELDS if field.name not in kept}


def _at(link: LinkState, preset: Preset) -> bool:
    return all(link[name] == value for name, value in _values(preset).items() if name not in VIEW)
