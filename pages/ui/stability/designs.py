"""Up to four designs side by side: activation, initialization and σ of each, from controls or from a link."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import streamlit as st

from mlp_core.activations import ACTIVATIONS, trainable_activations
from mlp_core.expression import ExpressionError, resolve
from mlp_core.initializers import INITIALIZERS
from mlp_core.spec import BOUNDS, EXPRESSION_PREFIX, RunSpec, SpecError
from mlp_core.words import Message, squared
from pages.figures.palette import series_style
from pages.language import _
from pages.ui.link import Field, LinkState, choice, number
from pages.ui.presets import Preset, preset_row
from pages.ui.text import plain

NONE = "none"
SLOTS = ("", "2", "3", "4")  # the first without a number, so that ?activation=tanh says what it means
WITH_STD = tuple(name for name, entry in INITIALIZERS.items() if "init_std" in entry.settings)


@dataclass(frozen=True, slots=True)
class Design:
    """One choice of activation and initialization, at any depth and width."""

    label: str
    index: int
    spec: Callable[[int, int, int], RunSpec]  # (depth, width, seed)
    operations: int = 0  # of an own activation, on every element


def _preset(lesson: str, *designs: tuple[str, str], std: float = 0.01) -> Preset:
    """Activation and initialization of each design, and σ of all of them."""
    settings: dict[str, Any] = {}
    for slot, (activation, init) in zip(SLOTS, (*designs, *((NONE, "he_normal"),) * len(SLOTS)), strict=False):
        settings |= {f"activation{slot}": activation, f"init{slot}": init, f"std{slot}": 0.01 if activation == NONE else std}
    return Preset(settings, lesson)


PRESETS: dict[str, Preset] = {
    Message("Does ReLU cure it?"): _preset(
        Message("Layer by layer the sigmoid's gradient dies. So does ReLU's, with PyTorch's default weights; it takes He's to keep it."),
        ("sigmoid", "torch_default"), ("relu", "torch_default"), ("relu", "he_normal"),
    ),
    Message("Too small"): _preset(
        Message("N(0, 0.01²) suits one wide hidden layer. Each layer more takes nearly all of the gradient, whatever the activation."),
        ("relu", "normal"), ("tanh", "normal"), ("sigmoid", "normal"),
    ),
    Message("Too large"): _preset(
        Message("N(0, 1): where nothing saturates the gradient explodes; a saturated sigmoid can lose it all the same."),
        ("tanh", "normal"), ("relu", "normal"), ("sigmoid", "normal"), std=1.0,
    ),
    Message("Just right"): _preset(
        Message("The standard pairs: Xavier for tanh, He for ReLU, LeCun for SELU."),
        ("tanh", "xavier_normal"), ("relu", "he_normal"), ("selu", "lecun_normal"),
    ),
    Message("Three fates"): _preset(
        Message("The three that “So what?” trains first. Which of them will learn?"),
        ("relu", "normal"), ("sigmoid", "xavier_normal"), ("relu", "he_normal"),
    ),
}  # fmt: skip


def _read_activation(text: str) -> str:
    try:
        resolve(RunSpec(activation=text).activation)
    except ExpressionError as error:
        raise SpecError("activation", Message("must be one that can be computed ({why})", why=error.args[0]), text) from error
    return text


def _slot_fields(slot: str, activation: str, init: str) -> tuple[Field, ...]:
    def read(text: str) -> str:
        return text if text == NONE and slot else _read_activation(text)

    return (
        Field(f"activation{slot}", activation, read),
        choice(f"init{slot}", init, tuple(INITIALIZERS)),
        number(f"std{slot}", 0.01, BOUNDS["init_std"], 0.01),
    )


FIRST = (("sigmoid", "torch_default"), ("relu", "torch_default"), ("relu", "he_normal"), (NONE, "he_normal"))
FIELDS = tuple(field for slot, design in zip(SLOTS, FIRST, strict=True) for field in _slot_fields(slot, *design))


def designs_row(link: LinkState) -> None:
    """Designs worth comparing, one click each."""
    chosen = _compared(link)
    preset_row(
        link, "stability_preset", PRESETS, at=lambda name: _compared(PRESETS[name].settings) == chosen, label=_("Designs to compare"),
        title=_, label_visibility="collapsed",
    )  # fmt: skip


def designs_panel(link: LinkState) -> list[Design]:
    """Draw the controls; the designs that can be computed, with what is wrong with the others said below them."""
    st.caption(_("Choose activations, or type your own in x: `x*sigmoid(1.7*x)`"))
    designs = (_slot(link, slot, index) for index, slot in enumerate(SLOTS))
    return [design for design in designs if design is not None]


def designs_of(values: Mapping[str, Any]) -> list[Design]:
    """The designs that the fields describe, as far as they can be computed."""
    designs = []
    for index, slot in enumerate(SLOTS):
        with suppress(SpecError):
            designs.append(_design(values, slot, index))
    return [design for design in designs if design is not None]


def _slot(link: LinkState, slot: str, index: int) -> Design | None:
    known = (*trainable_activations(), *([NONE] if slot else []))
    options = tuple(dict.fromkeys((*known, str(link[f"activation{slot}"]))))  # the last may be one of the visitor's own
    hidden: dict[str, Any] = {"label_visibility": "collapsed"}
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown(f':color[●]{{foreground="{series_style(index)["color"]}"}}', width="content")
        st.selectbox(
            _("Activation of design {number}", number=index + 1), format_func=lambda name: _(_activation_label(name)),
            accept_new_options=True, **hidden, **link.index(f"activation{slot}", options),
        )  # fmt: skip
        if link[f"activation{slot}"] != NONE:
            label = _("Initialization of design {number}", number=index + 1)
            st.selectbox(label, format_func=lambda name: _(INITIALIZERS[name].label), **hidden, **link.index(f"init{slot}"))
            if link[f"init{slot}"] in WITH_STD:
                st.markdown("σ", width="content")
                st.number_input("σ", width=110, **hidden, **link.value(f"std{slot}"))
    try:
        return _design(link, slot, index)
    except SpecError as error:
        st.error(_("{value} {rule}.", value=plain(error.value), rule=error.rule))
        return None


def _design(values: Mapping[str, Any], slot: str, index: int) -> Design | None:
    """The design of a slot; None where there is none.

    Raises:
        SpecError: its activation cannot be computed.
    """
    activation, init, std = (values[f"{name}{slot}"] for name in ("activation", "init", "std"))
    if activation == NONE:
        return None
    name = activation if activation in trainable_activations() else EXPRESSION_PREFIX + activation.removeprefix(EXPRESSION_PREFIX)
    try:
        _read_activation(name)
    except SpecError as error:
        raise SpecError(f"activation{slot}", error.rule, activation) from error
    weights = f"N(0, {squared(std)})" if init in WITH_STD else INITIALIZERS[init].label
    label = Message("{activation}, {weights}", activation=_activation_label(name), weights=weights)
    return Design(
        label,
        index,
        lambda depth, width, seed: RunSpec(hidden=(width,) * depth, activation=name, init=init, init_std=std, seed=seed),
        resolve(name).operations,
    )


def _activation_label(name: str) -> str:
    if name == NONE:
        return Message("– no design –")
    return ACTIVATIONS[name].label if name in ACTIVATIONS else name.removeprefix(EXPRESSION_PREFIX)


def _compared(values: Mapping[str, Any]) -> tuple[tuple[str, str, float], ...]:
    """The designs that the fields describe; σ counts only where it is used."""
    chosen = [(values[f"activation{slot}"], values[f"init{slot}"], values[f"std{slot}"]) for slot in SLOTS]
    return tuple((name, init, std if init in WITH_STD else 0.01) for name, init, std in chosen if name != NONE)
