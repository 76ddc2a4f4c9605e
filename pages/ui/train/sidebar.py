"""The sidebar's widgets: what can be chosen about a network and its training, each with a line of help."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from mlp_core.activations import ACTIVATIONS
from mlp_core.initializers import INITIALIZERS
from mlp_core.labs.bfloat16 import Bfloat16, bfloat16_here
from mlp_core.reports.export import AMPLIFIED
from mlp_core.runtime.devices import available_devices
from mlp_core.spec import MAX_WIDTH
from mlp_core.words import Message, exactly, percent, rounded
from pages.language import _, said
from pages.ui import session
from pages.ui.link import HIDE, LOCK, LinkState, number_text
from pages.ui.run import steering
from pages.ui.train.controls import (
    CHANGES,
    DEFAULT,
    LAYERS,
    LR_STOPS,
    MAX_HIDDEN,
    OWN_ACTIVATION,
    nearest,
    optimizer_labels,
    optimizer_settings,
    spec_of,
    widgets_of,
)
from pages.ui.unbroken import unbroken

IMPLEMENTATION_LABELS = {
    "concise": Message("Concise: nn.Sequential"),
    "scratch": Message("From scratch: bare tensors"),
    "by_hand": Message("By hand: no autograd"),
}
PRECISION_LABELS = {"float32": "float32", "bfloat16": Message("bfloat16 products")}
DEVICE_LABELS = {"auto": Message("Automatic"), "cpu": "CPU", "cuda": "CUDA GPU", "mps": "Apple GPU"}

BOX_DIGITS = 8  # characters that the box of the lr has room for where it stands beside the slider
WORTH_IT = 0.95  # of the time in float32
BFLOAT16_HELP = Message(
    "bfloat16 rounds the factors of every product in a training step to 8 significant bits; weights, updates and tests stay float32. "
    "In five pairs of runs of the book's design it moved the test accuracy by 0.0004 at the most, another seed by up to 0.016."
)


class Group(NamedTuple):
    """Settings that are folded together: a title, the name of a Material symbol, the names of the widgets."""

    title: str
    icon: str
    settings: tuple[str, ...]


DEFAULTS = widgets_of(DEFAULT)
OPTIMIZER_SETTINGS = ("beta1", "beta2", "rho", "eps", "divide_by_batch")
GROUPS = {
    "weights": Group(Message("Initial weights"), "casino", ("init", "init_std", "init_value", "init_noise")),
    "regularization": Group(Message("Regularization"), "shield", ("weight_decay", "l1", *(f"dropout_{layer}" for layer in LAYERS))),
    "optimizer": Group(Message("Optimizer settings"), "trending_down", OPTIMIZER_SETTINGS),
    "data": Group(Message("Data and time"), "photo_library", ("batch_size", "epochs", "all_images", "train_size", "seed", CHANGES)),
    "computation": Group(Message("Computation"), "memory", ("implementation", "precision", "device")),
}


def draw_sidebar(link: LinkState) -> None:
    """Draw what matters first, and below it every other setting in folded groups."""
    with st.sidebar:
        _network_controls(link)
        _learning_controls(link)
        _group(link, "weights", _weight_controls)
        _group(link, "regularization", _regularization_controls)
        if optimizer_settings(link["optimizer"]).intersection(OPTIMIZER_SETTINGS):
            _group(link, "optimizer", _optimizer_controls)
        _group(link, "data", _data_controls)
        _group(link, "computation", _computation_controls)


def _group(link: LinkState, name: str, draw: Callable[[LinkState], None]) -> None:
    """A folded group, open where a preset or a link set one of its settings or locks it; its widgets are drawn, and sent, where it is open.

    Only the next that sets one opens or closes it anew: what a visitor opens or closes stays as long as the key does.
    """
    title, icon, settings = GROUPS[name]
    if set(settings) <= set(link.fields_of(HIDE)):
        return
    times = link.times_set(settings)
    groups: dict[str, tuple[int, bool]] = st.session_state.setdefault("_sidebar_groups", {})
    if name not in groups or groups[name][0] != times:
        groups[name] = times, any(link[setting] != DEFAULTS[setting] or setting in link.fields_of(LOCK) for setting in settings)
    place = st.expander(_(title), groups[name][1], key=f"group_{name}_{times}", icon=f":material/{icon}:", on_change="rerun")
    if place.open:
        with place:
            draw(link)


def _network_controls(link: LinkState) -> None:
    _number(link, "layers", _("Hidden layers"), _("0 to {most}; 0 leaves softmax regression: pixels straight to classes.", most=MAX_HIDDEN))
    for layer, column in _layers(link):
        with column:
            help = _("Width of hidden layer {layer}, 1 to {most}.", layer=layer, most=MAX_WIDTH)
            _number(link, f"units_{layer}", _("Units {layer}", layer=layer), help)
    labels = {name: activation.label for name, activation in ACTIVATIONS.items()} | {OWN_ACTIVATION: Message("Your own…")}
    _select(link, "activation", _("Activation"), labels, _("The nonlinearity of every hidden layer."))
    _activation_controls(link)


def _layers(link: LinkState) -> Iterator[tuple[int, DeltaGenerator]]:
    """Every hidden layer, from 1 on, with its place: two beside each other, where there is room for that."""
    for left in range(1, link["layers"] + 1, 2):
        yield from zip(range(left, min(left + 2, link["layers"] + 1)), st.columns(2), strict=False)


def _activation_controls(link: LinkState) -> None:
    name = link["activation"]
    if name == OWN_ACTIVATION:
        help = _("An expression in x, such as x*sigmoid(1.702*x) or where(x>0, x, 0.1*x).")
        st.text_input("φ(x) =", **link.value("expression", help=help))
    elif (parameter := ACTIVATIONS[name].parameter) is not None:
        st.slider(f"${parameter.symbol}$", **link.value(f"parameter_{name}", help=_(parameter.help)))


def _learning_controls(link: LinkState) -> None:
    of_next_run = steering.of_next_run(session.current_job(), link["lr"])
    beside = len(number_text(link["lr"])) <= BOX_DIGITS
    stop, exact = st.columns([3, 2], vertical_alignment="bottom") if beside else (st.container(), st.container())
    with stop:
        help = _("Length of a step, on a log scale from 0.00001 to 100. The box takes any value between.")
        st.select_slider(
            _("Learning rate of the next run") if of_next_run else _("Learning rate"),
            format_func=exactly,
            on_change=unbroken(_take_lr_stop),
            args=(link,),
            **link.value("lr_stop", help=help),
        )
    with exact:
        label = _("next lr") if of_next_run else "lr"
        _number(link, "lr", label, _("The exact learning rate."), on_change=unbroken(_follow_lr), args=(link,))
    _select(link, "optimizer", _("Optimizer"), optimizer_labels(), _("The rule that turns gradients into steps."))
    if "momentum" in optimizer_settings(link["optimizer"]):
        _number(link, "momentum", _("Momentum"), _("How much of the last step is carried into the next."))


def _weight_controls(link: LinkState) -> None:
    labels = {name: entry.label for name, entry in INITIALIZERS.items()}
    help = _("What the weights are before the first step. Biases start at 0, except with torch's default.")
    _select(link, "init", _("Initialization"), labels, help)
    settings = INITIALIZERS[link["init"]].settings
    if "init_std" in settings:
        _number(link, "init_std", "σ", _("Standard deviation of every weight; d2l takes 0.01."))
    if "init_value" in settings:
        _number(link, "init_value", _("Value"), _("Every weight starts at this value …"))
    if "init_noise" in settings:
        _number(link, "init_noise", _("Noise σ"), _("… give or take this standard deviation; 0 makes all units alike."))


def _regularization_controls(link: LinkState) -> None:
    help = _("Adds λ·w to the gradient of every parameter (AdamW: shrinks it directly).")
    _number(link, "weight_decay", _("Weight decay λ"), help, on_change=unbroken(_moved), args=(link, "weight_decay"))
    _number(link, "l1", _("L1 penalty"), _("After each step every parameter moves by lr times this towards 0, and stops there."))
    for layer, column in _layers(link):
        with column:
            help = _("Probability of setting a unit to 0 in a training step; off when testing.")
            steered = {"on_change": unbroken(_moved), "args": (link, "dropout")}
            _number(link, f"dropout_{layer}", _("Dropout {layer}", layer=layer), help, **steered)


def _optimizer_controls(link: LinkState) -> None:
    settings = optimizer_settings(link["optimizer"])
    if "beta1" in settings:
        first, second = st.columns(2)
        with first:
            _number(link, "beta1", "β₁", _("Decay of the average of the gradient."))
        with second:
            _number(link, "beta2", "β₂", _("Decay of the average of the squared gradient."))
    if "rho" in settings:
        _number(link, "rho", "ρ", _("Decay of the average of the squared gradient."))
    if "eps" in settings:
        _number(link, "eps", "ε", _("Keeps the denominator away from 0."))
    if "divide_by_batch" in settings:
        help = _("As the sgd of d2l's older edition did to an already averaged loss: lr = 100 is then 100/256 = 0.39.")
        st.checkbox(_("Divide by the batch size again"), **link.value("divide_by_batch", help=help))


def _data_controls(link: LinkState) -> None:
    _number(link, "batch_size", _("Batch size"), _("Images a step, 1 to 4096."), on_change=unbroken(_moved), args=(link, "batch_size"))
    _number(link, "epochs", _("Epochs"), _("Passes over the images, 1 to 100."))
    st.checkbox(_("All images"), **link.value("all_images", help=_("60,000 of them; fewer are faster to learn, and sooner overfitted.")))
    if not link["all_images"]:
        _number(link, "train_size", _("How many images"), _("So many, from the first on."))
    help = _("Decides initial weights, order of images and dropout. Same seed, same numbers, on the same computer.")
    _number(link, "seed", _("Seed"), help)
    help = _(
        "What changes by itself: `setting@step:value`, with commas between. The settings: `lr`, `weight_decay`, `dropout`, `batch_size`."
    )
    st.text_input(_("Changes on the way"), placeholder="lr@470:0.01,lr@940:0.001", **link.value(CHANGES, help=help))


def _computation_controls(link: LinkState) -> None:
    help = _("Programs for one thing, which round differently. {amplified} By hand writes backpropagation out.", amplified=AMPLIFIED)
    _select(link, "implementation", _("Implementation"), IMPLEMENTATION_LABELS, help)
    _select(link, "precision", _("Precision"), PRECISION_LABELS, _(BFLOAT16_HELP))
    if link["precision"] == "bfloat16" and (link["device"] == "cpu" or available_devices() == ("cpu",)):
        st.caption(_bfloat16_words(bfloat16_here()))
    here = ("auto", *available_devices(), link["device"])
    options = tuple(name for name in DEVICE_LABELS if name in here)
    _select(link, "device", _("Device"), DEVICE_LABELS, _("Automatic takes a GPU where the server has one."), options)


def _bfloat16_words(here: Bfloat16) -> str:
    error = percent(here.largest_error)
    if here.time_ratio > WORTH_IT:
        return _(
            "This server's processor gains nothing by it: a product takes {times} times as long as in float32, and is off by up to {error} "
            "of its largest entry.",
            times=rounded(here.time_ratio, 1),
            error=error,
        )
    return _(
        "On this server's processor a product takes {share} of the time it takes in float32, and is off by up to {error} "
        "of its largest entry.",
        share=rounded(here.time_ratio, 2),
        error=error,
    )


def _number(link: LinkState, name: str, label: str, help: str, **callback: Any) -> None:
    st.number_input(label, **callback, **link.value(name, help=help))


def _select(link: LinkState, name: str, label: str, labels: Mapping[str, str], help: str, options: tuple[str, ...] | None = None) -> None:
    st.selectbox(label, format_func=said(labels), **link.index(name, options, help=help))


def _take_lr_stop(link: LinkState) -> None:
    link["lr"] = link["lr_stop"]
    _moved(link, "lr")


def _follow_lr(link: LinkState) -> None:
    link["lr_stop"] = nearest(LR_STOPS, link["lr"])
    _moved(link, "lr")


def _moved(link: LinkState, name: str) -> None:
    steering.moved(session.current_job(), name, lambda: spec_of(link))
