"""From widgets to a `RunSpec` and back, and from a link to the widgets. The only place that knows the widgets' keys.

The address bar is the experiment: whatever is chosen is written there, and a link restores it. Streamlit can bind a widget to a
parameter itself, but then drops what it can not use without a word; here a bad value is named instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import streamlit as st

from mlp_core.activations import ACTIVATIONS
from mlp_core.expression import ExpressionError, resolve
from mlp_core.initializers import INITIALIZERS
from mlp_core.presets import PRESETS
from mlp_core.spec import (
    BOUNDS,
    RunSpec,
    SpecError,
)
from pages.ui.address import Address
from pages.ui.train.sidebar import (
    EPOCHS_BOUNDS,
    KINDS_OF_SGD,
    LR_STOPS,
    MAX_HIDDEN,
    OWN_ACTIVATION,
    PAGE,
    draw_sidebar,
    nearest,
    optimizer_settings,
)
from pages.ui.unbroken import unbroken
from pages.ui.widget_defaults import Seeds

DEFAULT_EXPRESSION = "x*sigmoid(1.702*x)"
FIELDS = tuple(field.name for field in fields(RunSpec))


@dataclass(frozen=True, slots=True)
class Design:
    """What the controls describe: an experiment, or the reason why they describe none; and what was wrong with the link."""

    spec: RunSpec | None
    error: SpecError | ExpressionError | None
    link_errors: tuple[SpecError, ...]


def design() -> Design:
    """Draw the sidebar and read the experiment from it."""
    seeds, address = Seeds(PAGE), Address(PAGE, FIELDS)
    _follow_link(seeds, address)
    draw_sidebar(seeds)
    seeds.keep()
    try:
        spec = _spec_of(seeds)
        resolve(spec.activation)
    except (SpecError, ExpressionError) as error:
        return Design(None, error, st.session_state["_link_errors"])
    if spec != st.session_state["_spec"]:  # the person has moved on from what the link said
        st.session_state["_spec"], st.session_state["_link_errors"] = spec, ()
    address.write(spec.to_query())
    return Design(spec, None, st.session_state["_link_errors"])


def choose(spec: RunSpec) -> None:
    """Set every control to `spec`. To be called before the controls are drawn: from a callback, say."""
    st.session_state["_spec"] = spec
    st.session_state["_link_errors"] = ()
    Seeds(PAGE).plant(_widgets_of(spec))


def take(spec: RunSpec) -> None:
    """`choose`, for an experiment from outside.

    Raises:
        SpecError: this page has no controls for it.
    """
    if len(spec.hidden) > MAX_HIDDEN:
        raise SpecError("hidden", f"must have at most {MAX_HIDDEN} layers on this page", f"{len(spec.hidden)} layers")
    EPOCHS_BOUNDS.check("epochs", spec.epochs)
    choose(spec)


def preset_row(spec: RunSpec | None) -> None:
    """The presets, one click each; the one that the controls are at is marked.

    Args:
        spec: the experiment that the controls describe; None while they describe none.
    """
    here = next((name for name, preset in PRESETS.items() if preset.spec == spec), None)
    seeds = Seeds(PAGE)
    seeds.plant({"preset": here})
    st.pills(
        "Start from",
        list(PRESETS),
        default=here,
        required=True,
        format_func=lambda name: PRESETS[name].title,
        key=seeds.key("preset"),
        on_change=unbroken(_take_preset),
        help="One click sets every control. Then change what you like.",
    )
    if here is not None:
        st.caption(PRESETS[here].lesson)


def _take_preset() -> None:
    if (name := Seeds(PAGE)["preset"]) is not None:
        choose(PRESETS[name].spec)


def _follow_link(seeds: Seeds, address: Address) -> None:
    """Take over what the address says, if a link led here; else what was chosen before this page was left."""
    query = address.arrived(entering=seeds.entering, chosen=_query_of(seeds))
    if query is None:
        return
    spec, errors = RunSpec.from_query(query)
    if len(spec.hidden) > MAX_HIDDEN:
        errors += (SpecError("hidden", f"must have at most {MAX_HIDDEN} layers on this page", f"{len(spec.hidden)} layers"),)
        spec = replace(spec, hidden=RunSpec().hidden, dropout=())
    if spec.epochs > EPOCHS_BOUNDS.high:
        errors += (SpecError("epochs", f"{EPOCHS_BOUNDS.rule} on this page", spec.epochs),)
        spec = replace(spec, epochs=RunSpec().epochs)
    shown = _spec_of(_widgets_of(spec))
    for name, (given, _) in spec.differences(shown).items():
        if name not in ("activation", "dropout"):  # which differ by blanks and zeros at most
            errors += (SpecError(name, "cannot be chosen here together with the rest of the link", given),)
    choose(shown)
    st.session_state["_link_errors"] = errors
    address.followed(query)


def _query_of(seeds: Seeds) -> dict[str, str] | None:
    """What the controls now say, as the address says it; None while they describe no experiment, or before they were drawn."""
    try:
        return _spec_of(seeds).to_query() if seeds else None
    except (SpecError, ExpressionError):
        return None


def _widgets_of(spec: RunSpec) -> dict[str, Any]:
    """The value of every widget for `spec`."""
    widgets: dict[str, Any] = {name: getattr(spec, name) for name in BOUNDS}
    widgets |= {"layers": len(spec.hidden), "init": spec.init, "implementation": spec.implementation, "device": spec.device}
    for layer in range(MAX_HIDDEN):
        widgets[f"units_{layer + 1}"] = spec.hidden[layer] if layer < len(spec.hidden) else 256
        widgets[f"dropout_{layer + 1}"] = spec.dropout[layer] if layer < len(spec.dropout) else 0.0
    widgets["activation"] = OWN_ACTIVATION if spec.expression is not None else spec.activation
    widgets["expression"] = spec.expression or DEFAULT_EXPRESSION
    for name, activation in ACTIVATIONS.items():
        if (parameter := activation.parameter) is not None:
            given = spec.activation_parameter if name == spec.activation else None
            widgets[f"parameter_{name}"] = parameter.default if given is None else given
    optimizer = spec.optimizer
    if optimizer == "sgd" and spec.momentum > 0:
        optimizer = "nesterov" if spec.nesterov else "momentum"
    widgets["optimizer"] = optimizer
    widgets["momentum"] = spec.momentum or (0.0 if "momentum" in optimizer_settings(optimizer) else 0.9)
    widgets["divide_by_batch"] = spec.divide_by_batch
    widgets["lr_stop"] = nearest(LR_STOPS, spec.lr)
    widgets["all_images"] = spec.train_size is None
    widgets["train_size"] = spec.train_size or 1000
    return widgets


def _spec_of(widgets: Mapping[str, Any]) -> RunSpec:
    """The experiment that the widgets describe; a setting that is not shown counts as its default.

    Raises:
        SpecError: the settings do not go together.
    """
    layers = range(1, widgets["layers"] + 1)
    dropout = tuple(widgets[f"dropout_{layer}"] for layer in layers)
    activation, optimizer = widgets["activation"], widgets["optimizer"]
    chosen: dict[str, Any] = {name: widgets[name] for name in ("lr", "weight_decay", "l1", "batch_size", "epochs", "seed", "init")}
    if activation == OWN_ACTIVATION:
        chosen["activation"] = f"={widgets['expression'].strip()}"
    else:
        chosen["activation"] = activation
        chosen["activation_parameter"] = widgets.get(f"parameter_{activation}")
    used = {*INITIALIZERS[widgets["init"]].settings, *optimizer_settings(optimizer)}
    chosen |= {name: widgets[name] for name in used if name != "nesterov"}
    return RunSpec(
        hidden=tuple(widgets[f"units_{layer}"] for layer in layers),
        dropout=dropout if any(dropout) else (),
        optimizer="sgd" if optimizer in KINDS_OF_SGD else optimizer,
        nesterov=optimizer == "nesterov" and widgets["momentum"] > 0,
        train_size=None if widgets["all_images"] else widgets["train_size"],
        implementation=widgets["implementation"],
        device=widgets["device"],
        **chosen,
    )
