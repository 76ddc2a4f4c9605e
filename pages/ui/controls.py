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
from mlp_core.devices import available_devices
from mlp_core.expression import ExpressionError, resolve
from mlp_core.initializers import INITIALIZERS
from mlp_core.presets import PRESETS
from mlp_core.spec import ACTIVATIONS as TRAINABLE
from mlp_core.spec import BOUNDS, DEVICES, IMPLEMENTATIONS, MAX_TRAIN_SIZE, MAX_WIDTH, RunSpec, SpecError
from mlp_core.spec import INITIALIZERS as INITIALIZER_NAMES

MAX_HIDDEN = 8  # layers with a control of their own
OWN_ACTIVATION = "own"
DEFAULT_EXPRESSION = "x*sigmoid(1.702*x)"
OPTIMIZER_LABELS = {
    "sgd": "SGD",
    "momentum": "SGD with momentum",
    "nesterov": "SGD with Nesterov momentum",
    "adam": "Adam",
    "adamw": "AdamW",
    "rmsprop": "RMSprop",
    "adagrad": "Adagrad",
}
WITH_MOMENTUM = ("momentum", "nesterov", "rmsprop")
WITH_BETAS = ("adam", "adamw")
WITH_EPS = ("adam", "adamw", "rmsprop", "adagrad")
IMPLEMENTATION_LABELS = {"concise": "Concise: nn.Sequential", "scratch": "From scratch: bare tensors"}
DEVICE_LABELS = {"auto": "Automatic", "cpu": "CPU", "cuda": "CUDA GPU", "mps": "Apple GPU"}
LR_STOPS = (*(float(f"{digit}e{power}") for power in range(-5, 2) for digit in (1, 2, 3, 5)), 100.0)
FIELDS = tuple(field.name for field in fields(RunSpec))


@dataclass(frozen=True, slots=True)
class Design:
    """What the controls describe: an experiment, or the reason why they describe none; and what was wrong with the link."""

    spec: RunSpec | None
    error: SpecError | ExpressionError | None
    link_errors: tuple[SpecError, ...]


def design() -> Design:
    """Draw the sidebar and read the experiment from it."""
    _follow_link()
    with st.sidebar:
        _network_controls()
        _weight_controls()
        _learning_controls()
        _data_controls()
        _computation_controls()
    try:
        spec = _spec_of(st.session_state)
        resolve(spec.activation)
    except (SpecError, ExpressionError) as error:
        return Design(None, error, st.session_state["_link_errors"])
    st.session_state["_spec"] = spec
    _write_link(spec)
    return Design(spec, None, st.session_state["_link_errors"])


def choose(spec: RunSpec) -> None:
    """Set every control to `spec`. To be called before the controls are drawn: from a callback, say."""
    st.session_state["_spec"] = spec
    st.session_state["_link_errors"] = ()
    st.session_state.update(_widgets_of(spec))


def preset_row() -> None:
    """The presets, one click each; the one that the controls are at is marked."""
    spec: RunSpec | None = st.session_state.get("_spec")
    here = next((name for name, preset in PRESETS.items() if preset.spec == spec), None)
    st.session_state["_preset"] = here
    st.pills(
        "Start from",
        list(PRESETS),
        format_func=lambda name: PRESETS[name].title,
        key="_preset",
        on_change=_take_preset,
        help="One click sets every control. Then change what you like.",
    )
    if here is not None:
        st.caption(PRESETS[here].lesson)


def _take_preset() -> None:
    if (name := st.session_state["_preset"]) is not None:
        choose(PRESETS[name].spec)


def _follow_link() -> None:
    """Take over what the address says, if it says something new; else what was chosen before this page was left."""
    query = {name: value for name, value in st.query_params.items() if name in FIELDS}
    state = st.session_state
    if query and query != state.get("_link"):
        spec, errors = RunSpec.from_query(query)
        if len(spec.hidden) > MAX_HIDDEN:
            errors += (SpecError("hidden", f"must have at most {MAX_HIDDEN} layers on this page", f"{len(spec.hidden)} layers"),)
            spec = replace(spec, hidden=RunSpec().hidden, dropout=())
        choose(spec)
        state["_link_errors"] = errors
        state["_link"] = query
    for name, value in _widgets_of(state.get("_spec") or RunSpec()).items():
        state.setdefault(name, value)  # Streamlit forgets a widget that a run did not draw
    state.setdefault("_link_errors", ())


def _write_link(spec: RunSpec) -> None:
    """Put into the address what differs from the defaults, and leave other parameters alone."""
    query = spec.to_query()
    for name in FIELDS:
        if name in query:
            if st.query_params.get(name) != query[name]:
                st.query_params[name] = query[name]
        elif name in st.query_params:
            del st.query_params[name]
    st.session_state["_link"] = query


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
    widgets["momentum"] = spec.momentum or (0.9 if optimizer != "rmsprop" else 0.0)
    widgets["divide_by_batch"] = spec.divide_by_batch
    widgets["lr_stop"] = _nearest(LR_STOPS, spec.lr)
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
    chosen: dict[str, Any] = {name: widgets[name] for name in ("lr", "weight_decay", "batch_size", "epochs", "seed", "init")}
    if activation == OWN_ACTIVATION:
        chosen["activation"] = f"={widgets['expression'].strip()}"
    else:
        chosen["activation"] = activation
        chosen["activation_parameter"] = widgets.get(f"parameter_{activation}")
    if widgets["init"] == "normal":
        chosen["init_std"] = widgets["init_std"]
    if widgets["init"] == "constant":
        chosen["init_value"] = widgets["init_value"]
    if optimizer in WITH_MOMENTUM:
        chosen["momentum"] = widgets["momentum"]
    if optimizer in WITH_BETAS:
        chosen |= {"beta1": widgets["beta1"], "beta2": widgets["beta2"]}
    if optimizer in WITH_EPS:
        chosen["eps"] = widgets["eps"]
    if optimizer == "rmsprop":
        chosen["rho"] = widgets["rho"]
    is_sgd = optimizer in ("sgd", "momentum", "nesterov")
    return RunSpec(
        hidden=tuple(widgets[f"units_{layer}"] for layer in layers),
        dropout=dropout if any(dropout) else (),
        optimizer="sgd" if is_sgd else optimizer,
        nesterov=optimizer == "nesterov" and widgets["momentum"] > 0,
        divide_by_batch=is_sgd and widgets["divide_by_batch"],
        train_size=None if widgets["all_images"] else widgets["train_size"],
        implementation=widgets["implementation"],
        device=widgets["device"],
        **chosen,
    )


def _nearest(stops: tuple[float, ...], value: float) -> float:
    return min(stops, key=lambda stop: abs(stop - value) / stop)


def _network_controls() -> None:
    with st.expander("Network", expanded=True, icon=":material/lan:"):
        st.slider("Hidden layers", 0, MAX_HIDDEN, key="layers", help="0 leaves softmax regression: pixels straight to classes.")
        for layer in range(1, st.session_state["layers"] + 1):
            units, dropout = st.columns(2)
            units.number_input(
                f"Units in layer {layer}", 1, MAX_WIDTH, key=f"units_{layer}", help=f"Width of hidden layer {layer}, 1 to {MAX_WIDTH}."
            )
            dropout.number_input(
                f"Dropout {layer}", 0.0, 1.0, step=0.1, key=f"dropout_{layer}",
                help="Probability of setting a unit to 0 in a training step; off when testing.",
            )  # fmt: skip
        st.selectbox(
            "Activation",
            [*TRAINABLE, OWN_ACTIVATION],
            format_func=lambda name: "Your own…" if name == OWN_ACTIVATION else ACTIVATIONS[name].label,
            key="activation",
            help="The nonlinearity of every hidden layer.",
        )
        _activation_controls(st.session_state["activation"])


def _activation_controls(name: str) -> None:
    if name == OWN_ACTIVATION:
        st.text_input(
            "φ(x) =", key="expression", max_chars=200, help="An expression in x, such as x*sigmoid(1.702*x) or where(x>0, x, 0.1*x)."
        )
    elif (parameter := ACTIVATIONS[name].parameter) is not None:
        st.slider(f"${parameter.symbol}$", parameter.low, parameter.high, step=0.01, key=f"parameter_{name}", help=parameter.help)


def _weight_controls() -> None:
    with st.expander("Initial weights", expanded=True, icon=":material/casino:"):
        st.selectbox(
            "Initialization",
            INITIALIZER_NAMES,
            format_func=lambda name: INITIALIZERS[name].label,
            key="init",
            help="What the weights are before the first step. Biases start at 0, except with torch's default.",
        )
        if st.session_state["init"] == "normal":
            _number("σ", "init_std", 0.01, "Standard deviation of every weight; d2l takes 0.01.", format="%.4g")
        elif st.session_state["init"] == "constant":
            _number("Value", "init_value", 0.01, "Every weight starts at this value.", format="%.4g")


def _learning_controls() -> None:
    with st.expander("Learning", expanded=True, icon=":material/trending_down:"):
        st.selectbox(
            "Optimizer", list(OPTIMIZER_LABELS), format_func=OPTIMIZER_LABELS.__getitem__, key="optimizer",
            help="The rule that turns gradients into steps.",
        )  # fmt: skip
        stop, exact = st.columns([3, 2], vertical_alignment="bottom")
        stop.select_slider(
            "Learning rate", LR_STOPS, format_func=lambda lr: f"{lr:g}", key="lr_stop", on_change=_take_lr_stop,
            help="Length of a step, on a log scale from 1e-5 to 100. The box takes any value between.",
        )  # fmt: skip
        with exact:
            _number("lr", "lr", 0.01, "The exact learning rate.", format="%.5g", on_change=_follow_lr)
        _optimizer_settings(st.session_state["optimizer"])
        _number(
            "Weight decay λ",
            "weight_decay",
            0.0001,
            "Adds λ·w to the gradient of every parameter (AdamW: shrinks it directly).",
            format="%.5g",
        )


def _optimizer_settings(optimizer: str) -> None:
    if optimizer in WITH_MOMENTUM:
        _number("Momentum", "momentum", 0.05, "How much of the last step is carried into the next.")
    if optimizer in WITH_BETAS:
        first, second = st.columns(2)
        with first:
            _number("β₁", "beta1", 0.01, "Decay of the average of the gradient.", format="%.4g")
        with second:
            _number("β₂", "beta2", 0.001, "Decay of the average of the squared gradient.", format="%.5g")
    if optimizer == "rmsprop":
        _number("ρ", "rho", 0.01, "Decay of the average of the squared gradient.", format="%.4g")
    if optimizer in WITH_EPS:
        _number("ε", "eps", 1e-8, "Keeps the denominator away from 0.", format="%.1e")
    if optimizer in ("sgd", "momentum", "nesterov"):
        st.checkbox(
            "Divide by the batch size again", key="divide_by_batch",
            help="As the sgd of d2l's older edition did to an already averaged loss: lr = 100 then means 100/256 = 0.39.",
        )  # fmt: skip


def _data_controls() -> None:
    with st.expander("Data and time", expanded=True, icon=":material/photo_library:"):
        _number("Batch size", "batch_size", 1, "Images a step, 1 to 4096.")
        _number("Epochs", "epochs", 1, "Passes over the training images, 1 to 100.")
        st.checkbox("All images", key="all_images", help="60,000 of them; fewer are faster to learn, and sooner overfitted.")
        if not st.session_state["all_images"]:
            st.number_input("How many images", 1, MAX_TRAIN_SIZE, step=100, key="train_size", help="So many, from the first on.")
        _number("Seed", "seed", 1, "Decides initial weights, order of images and dropout. Same seed, same numbers.")


def _computation_controls() -> None:
    with st.expander("Computation", icon=":material/memory:"):
        st.radio(
            "Implementation", IMPLEMENTATIONS, format_func=IMPLEMENTATION_LABELS.__getitem__, key="implementation",
            help="Two programs for one thing: from the same seed they print the same numbers, up to rounding.",
        )  # fmt: skip
        here = ("auto", *available_devices())
        st.selectbox(
            "Device", [name for name in DEVICES if name in here or name == st.session_state["device"]],
            format_func=DEVICE_LABELS.__getitem__, key="device", help="Automatic takes a GPU where the server has one.",
        )  # fmt: skip


def _number(label: str, field: str, step: float, help: str, *, format: str | None = None, on_change: Any = None) -> None:
    """A number input for a field of the spec, with the field's own limits."""
    bounds = BOUNDS[field]
    kind = int if bounds.whole else float
    st.number_input(label, kind(bounds.low), kind(bounds.high), step=kind(step), format=format, key=field, help=help, on_change=on_change)


def _take_lr_stop() -> None:
    st.session_state["lr"] = st.session_state["lr_stop"]


def _follow_lr() -> None:
    st.session_state["lr_stop"] = _nearest(LR_STOPS, st.session_state["lr"])
