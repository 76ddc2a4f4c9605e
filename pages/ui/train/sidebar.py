"""The sidebar's widgets: what can be chosen about a network and its training, each with a line of help. Knows labels, not what follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from mlp_core.activations import ACTIVATIONS, trainable_activations
from mlp_core.initializers import INITIALIZERS
from mlp_core.optimizers import OPTIMIZERS
from mlp_core.runtime.devices import available_devices
from mlp_core.spec import BOUNDS, DROPOUT_BOUNDS, MAX_EXPRESSION_LENGTH, MAX_WIDTH, TRAIN_SIZE_BOUNDS, WIDTH_BOUNDS, Bounds
from pages.ui.unbroken import unbroken
from pages.ui.widget_defaults import Seeds

PAGE = "train"
EPOCHS_BOUNDS = Bounds(1, 100, whole=True)
MAX_HIDDEN = 8  # layers with a control of their own
OWN_ACTIVATION = "own"
KINDS_OF_SGD = {"sgd": "SGD", "momentum": "SGD with momentum", "nesterov": "SGD with Nesterov momentum"}
IMPLEMENTATION_LABELS = {"concise": "Concise: nn.Sequential", "scratch": "From scratch: bare tensors"}
DEVICE_LABELS = {"auto": "Automatic", "cpu": "CPU", "cuda": "CUDA GPU", "mps": "Apple GPU"}
LR_STOPS = (*(float(f"{digit}e{power}") for power in range(-5, 2) for digit in (1, 2, 3, 5)), 100.0)


def draw_sidebar(seeds: Seeds) -> None:
    """Draw every group of controls."""
    with st.sidebar:
        _network_controls(seeds)
        _weight_controls(seeds)
        _learning_controls(seeds)
        _data_controls(seeds)
        _computation_controls(seeds)


def optimizer_labels() -> dict[str, str]:
    """The choices of an optimizer: the registry's, with SGD's momentum as choices of their own."""
    return KINDS_OF_SGD | {name: rule.label for name, rule in OPTIMIZERS.items() if name != "sgd"}


def optimizer_settings(choice: str) -> set[str]:
    """The fields of a `RunSpec` that such a choice uses."""
    settings = set(OPTIMIZERS["sgd" if choice in KINDS_OF_SGD else choice].settings)
    return settings - {"momentum"} if choice == "sgd" else settings


def nearest(stops: tuple[float, ...], value: float) -> float:
    """The stop of a logarithmic slider that is closest to a value."""
    return min(stops, key=lambda stop: abs(stop - value) / stop)


def _network_controls(seeds: Seeds) -> None:
    with st.expander("Network", expanded=True, icon=":material/lan:"):
        _slider(seeds, "layers", "Hidden layers", 0, MAX_HIDDEN, 1, "0 leaves softmax regression: pixels straight to classes.")
        for layer in range(1, seeds["layers"] + 1):
            left, right = st.columns(2)
            with left:
                _number(seeds, f"units_{layer}", f"Units {layer}", 1, f"Width of hidden layer {layer}, 1 to {MAX_WIDTH}.", WIDTH_BOUNDS)
            with right:
                help = "Probability of setting a unit to 0 in a training step; off when testing."
                _number(seeds, f"dropout_{layer}", f"Dropout {layer}", 0.1, help, DROPOUT_BOUNDS)
        names = [*trainable_activations(), OWN_ACTIVATION]
        labels = {name: "Your own…" if name == OWN_ACTIVATION else ACTIVATIONS[name].label for name in names}
        _select(seeds, "activation", "Activation", labels, "The nonlinearity of every hidden layer.")
        _activation_controls(seeds)


def _activation_controls(seeds: Seeds) -> None:
    name = seeds["activation"]
    if name == OWN_ACTIVATION:
        help = "An expression in x, such as x*sigmoid(1.702*x) or where(x>0, x, 0.1*x)."
        st.text_input("φ(x) =", seeds["expression"], key=seeds.key("expression"), max_chars=MAX_EXPRESSION_LENGTH, help=help)
    elif (parameter := ACTIVATIONS[name].parameter) is not None:
        _slider(seeds, f"parameter_{name}", f"${parameter.symbol}$", parameter.low, parameter.high, 0.01, parameter.help)


def _weight_controls(seeds: Seeds) -> None:
    with st.expander("Initial weights", expanded=True, icon=":material/casino:"):
        labels = {name: entry.label for name, entry in INITIALIZERS.items()}
        help = "What the weights are before the first step. Biases start at 0, except with torch's default."
        _select(seeds, "init", "Initialization", labels, help)
        settings = INITIALIZERS[seeds["init"]].settings
        if "init_std" in settings:
            _number(seeds, "init_std", "σ", 0.01, "Standard deviation of every weight; d2l takes 0.01.")
        if "init_value" in settings:
            _number(seeds, "init_value", "Value", 0.01, "Every weight starts at this value …")
        if "init_noise" in settings:
            _number(seeds, "init_noise", "Noise σ", 0.001, "… give or take this standard deviation; 0 makes all units alike.")


def _learning_controls(seeds: Seeds) -> None:
    with st.expander("Learning", expanded=True, icon=":material/trending_down:"):
        _select(seeds, "optimizer", "Optimizer", optimizer_labels(), "The rule that turns gradients into steps.")
        stop, exact = st.columns([3, 2], vertical_alignment="bottom")
        with stop:
            help = "Length of a step, on a log scale from 1e-5 to 100. The box takes any value between."
            st.select_slider(
                "Learning rate",
                LR_STOPS,
                seeds["lr_stop"],
                "{:g}".format,
                key=seeds.key("lr_stop"),
                help=help,
                on_change=unbroken(_take_lr_stop),
            )
        with exact:
            _number(seeds, "lr", "lr", 0.01, "The exact learning rate.", on_change=unbroken(_follow_lr))
        _optimizer_settings(seeds)
        help = "Adds λ·w to the gradient of every parameter (AdamW: shrinks it directly)."
        _number(seeds, "weight_decay", "Weight decay λ", 0.0001, help)
        _number(seeds, "l1", "L1 penalty", 0.0001, "Adds this times the sign of w to the gradient of every parameter.")


def _optimizer_settings(seeds: Seeds) -> None:
    settings = optimizer_settings(seeds["optimizer"])
    if "momentum" in settings:
        _number(seeds, "momentum", "Momentum", 0.05, "How much of the last step is carried into the next.")
    if "beta1" in settings:
        first, second = st.columns(2)
        with first:
            _number(seeds, "beta1", "β₁", 0.01, "Decay of the average of the gradient.")
        with second:
            _number(seeds, "beta2", "β₂", 0.001, "Decay of the average of the squared gradient.")
    if "rho" in settings:
        _number(seeds, "rho", "ρ", 0.01, "Decay of the average of the squared gradient.")
    if "eps" in settings:
        _number(seeds, "eps", "ε", 1e-8, "Keeps the denominator away from 0.")
    if "divide_by_batch" in settings:
        help = "As the sgd of d2l's older edition did to an already averaged loss: lr = 100 then means 100/256 = 0.39."
        st.checkbox("Divide by the batch size again", seeds["divide_by_batch"], key=seeds.key("divide_by_batch"), help=help)


def _data_controls(seeds: Seeds) -> None:
    with st.expander("Data and time", expanded=True, icon=":material/photo_library:"):
        _number(seeds, "batch_size", "Batch size", 1, "Images a step, 1 to 4096.")
        _number(seeds, "epochs", "Epochs", 1, "Passes over the images, 1 to 100.", EPOCHS_BOUNDS)
        help = "60,000 of them; fewer are faster to learn, and sooner overfitted."
        st.checkbox("All images", seeds["all_images"], key=seeds.key("all_images"), help=help)
        if not seeds["all_images"]:
            _number(seeds, "train_size", "How many images", 100, "So many, from the first on.", TRAIN_SIZE_BOUNDS)
        _number(seeds, "seed", "Seed", 1, "Decides initial weights, order of images and dropout. Same seed, same numbers.")


def _computation_controls(seeds: Seeds) -> None:
    with st.expander("Computation", icon=":material/memory:"):
        help = "Two programs for one thing: from the same seed they print the same numbers, up to rounding."
        _select(seeds, "implementation", "Implementation", IMPLEMENTATION_LABELS, help)
        here = ("auto", *available_devices(), seeds["device"])
        labels = {name: label for name, label in DEVICE_LABELS.items() if name in here}
        _select(seeds, "device", "Device", labels, "Automatic takes a GPU where the server has one.")


def _number(
    seeds: Seeds,
    name: str,
    label: str,
    step: float,
    help: str,
    bounds: Bounds | None = None,
    *,
    on_change: Callable[[], None] | None = None,
) -> None:
    """A number input with the limits of a field of the spec."""
    bounds = bounds or BOUNDS[name]
    low, high, step = (int(n) if bounds.whole else float(n) for n in (bounds.low, bounds.high, step))
    format = None if bounds.whole else "%.10g"
    st.number_input(label, low, high, seeds[name], step, format, key=seeds.key(name), help=help, on_change=on_change)


def _slider(seeds: Seeds, name: str, label: str, low: float, high: float, step: float, help: str) -> None:
    st.slider(label, low, high, seeds[name], step, key=seeds.key(name), help=help)


def _select(seeds: Seeds, name: str, label: str, labels: Mapping[str, str], help: str) -> None:
    names = list(labels)
    st.selectbox(label, names, names.index(seeds[name]), format_func=labels.__getitem__, key=seeds.key(name), help=help)


def _take_lr_stop() -> None:
    seeds = Seeds(PAGE)
    seeds.plant({"lr": seeds["lr_stop"]})


def _follow_lr() -> None:
    seeds = Seeds(PAGE)
    seeds.plant({"lr_stop": nearest(LR_STOPS, seeds["lr"])})
