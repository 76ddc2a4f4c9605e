"""Experiments of the playground worth starting from, each with its lesson."""

from __future__ import annotations

from typing import Any

from pages.ui.link import LinkState
from pages.ui.nonlinearity.settings import FIELDS
from pages.ui.presets import Preset
from pages.ui.presets import preset_row as row


def settings_for(changed: dict[str, Any]) -> dict[str, Any]:
    """Every field that makes an experiment; what is not named in `changed` is at its default."""
    kept = ("drawn", "seed", "data_seed")
    return {field.name: changed.get(field.name, field.default) for field in FIELDS if field.name not in kept}


SPIRAL: dict[str, Any] = {
    "data": "spiral", "size": 400, "test": 20, "deep": 2, "lr": "0.01", "batch": 20, "epochs": 400, "pace": "epochs",
}  # fmt: skip


def _preset(changed: dict[str, Any], lesson: str) -> Preset:
    return Preset(settings_for(changed), lesson)


PRESETS = {
    "XOR": _preset({}, "One hidden layer of 8 ReLU units: the plane is cut into pieces, and XOR is solved."),
    "XOR, no hidden layer": _preset({"deep": 0}, "One line, as the perceptron's: about half of the points stay wrong."),
    "XOR, no bend": _preset(
        {"activation": "identity", "init": "xavier_normal", "deep": 3, "lr": "0.01"},
        "Three hidden layers without a nonlinearity are one matrix: still one line.",
    ),
    "XOR by a product": _preset(
        {"deep": 0, "features": ["xy"]}, "The product xy as the input: with the right feature, no hidden layer is needed."
    ),
    "Circle": _preset({"data": "circle", "units1": 4, "regions": True}, "Four ReLU units fence the inner points in with four lines."),
    "Spiral": _preset(SPIRAL, "Two layers of 8 unroll the spiral. Watch the last layer's units."),
    "Three arms": _preset(SPIRAL | {"data": "arms", "epochs": 300}, "Three classes, three outputs, softmax."),
    "Hills and hollows": _preset(
        SPIRAL | {"data": "bumps", "size": 500, "activation": "tanh", "init": "xavier_normal"},
        "Regression: the same network without a last activation, and with a squared loss.",
    ),
}
VIEW = ("discrete", "tests", "regions", "shown", "space", "across", "up", "pace")  # which do not make another experiment


def preset_row(link: LinkState) -> None:
    """The presets, one click each."""

    def at(preset: str) -> bool:
        return all(link[name] == value for name, value in PRESETS[preset].settings.items() if name not in VIEW)

    row(link, "_plane_preset", PRESETS, at=at)
