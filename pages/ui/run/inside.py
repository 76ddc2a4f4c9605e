"""The panel "Look inside": each layer of a run while it learns, one view at a time."""

import math
from collections.abc import Callable

import numpy as np
import streamlit as st
import torch

from mlp_core.activations import Activation
from mlp_core.data import CLASS_NAMES, load_fashion_mnist
from mlp_core.expression import resolve
from mlp_core.initializers import initial_parameters
from mlp_core.jobs import JobSnapshot
from mlp_core.network import Network, generator_for
from mlp_core.network.network import probed_images
from mlp_core.records import LayerStats
from mlp_core.reports.diagnosis import verdict as healthy
from mlp_core.spec import INPUTS, RunSpec
from mlp_core.training.inspection import Inspection, inspect
from mlp_core.words import Message, count, counted, joined, listed, percent
from pages.figures.figure import Floats
from pages.figures.layers import FlatRange, MeasuredLayers, activation_strips, layer_histograms, layer_statistics
from pages.figures.pictures import MOST_UNITS, weight_images
from pages.figures.predictions import prediction_grid, probability_bars
from pages.language import _
from pages.ui.live_chart import live_chart
from pages.ui.memo import memo
from pages.ui.widget_values import WidgetValues

OVER_TIME, HISTOGRAMS = Message("Over time"), Message("Histograms")
FIRST_LAYER, IMAGE = Message("First-layer weights"), Message("One image")
OUTPUTS_OF_UNITS, WEIGHTS, GRADIENTS = Message("Outputs"), Message("Weights"), Message("Gradients")
HISTOGRAM = {OUTPUTS_OF_UNITS: "activations", WEIGHTS: "weights", GRADIENTS: "gradients"}  # of a layer that was looked into
DEFAULTS = {"inside_view": OVER_TIME, "inside_kind": OUTPUTS_OF_UNITS, "inside_own": False, "inside_image": 0, "inside_changed": False}
AXES = {OUTPUTS_OF_UNITS: Message("output of a unit"), WEIGHTS: Message("weight"), GRADIENTS: Message("gradient ∂L/∂W")}
OWN_AXES = {
    OUTPUTS_OF_UNITS: Message("output / layer's largest"),
    WEIGHTS: Message("weight / layer's largest"),
    GRADIENTS: Message("gradient / layer's largest"),
}
ALTS = {
    OUTPUTS_OF_UNITS: Message("Histograms of the activations of every layer"),
    WEIGHTS: Message("Histograms of the weights of every layer"),
    GRADIENTS: Message("Histograms of the gradients of every layer"),
}
LESSONS = {
    OUTPUTS_OF_UNITS: Message(
        "Healthy layers spread about equally wide; a spread that shrinks from layer to layer is a signal that vanishes."
    ),
    WEIGHTS: Message(
        "Before training they show the initialization; healthy training widens them slowly. Ridges that do not move do not learn."
    ),
    GRADIENTS: Message(
        "Healthy layers have gradients of about the same width; one that shrinks towards the first layer is a gradient that vanishes."
    ),
}
RANGES = {
    "mean": healthy.MEAN,
    "std": healthy.STD,
    "flat": (100 * healthy.FLAT[0], 100 * healthy.FLAT[1]),
    "gradient": healthy.GRADIENT,
    "update": healthy.UPDATE,
}
WEIGHT_COLUMNS = 8
PICTURE_HEIGHT = 210


def inside_panel(snapshot: JobSnapshot, network: Network | None, look: Callable[[], None]) -> None:
    """Draw the view that is chosen; to be called at every tick while the panel is open.

    Args:
        network: of the snapshot's run; None before its first step. It may be learning on another thread meanwhile.
        look: says that somebody looks, so that inspections are made.
    """
    look()
    views = [OVER_TIME, HISTOGRAMS, *([FIRST_LAYER, IMAGE] if network is not None and _sees_images(network) else [])]
    chosen = WidgetValues("inside", DEFAULTS)
    if chosen["inside_view"] not in views:
        chosen["inside_view"] = OVER_TIME
    view = st.segmented_control(
        _("View"), label_visibility="collapsed", required=True, format_func=_, **chosen.default("inside_view", views)
    )
    if view == HISTOGRAMS:
        _histograms(snapshot, network, chosen)
    elif view == FIRST_LAYER and network is not None:
        _first_layer(snapshot, network, chosen)
    elif view == IMAGE and network is not None:
        _one_image(snapshot, network, chosen)
    else:
        _over_time(snapshot)
    chosen.keep()


def _sees_images(network: Network) -> bool:
    return network.weights()[0][0].shape[1] == INPUTS


def _over_time(snapshot: JobSnapshot) -> None:
    """Every layer's statistics over the epochs: what was probed from the start, and what somebody has looked at."""
    moments = moments_of(snapshot)
    if not moments:
        st.info(_("Press **Train** or **One batch**: the network is measured before its first step."), icon=":material/visibility:")
        return
    if not any(ratio is not None for moment in moments for ratio in moment.update_ratios):
        st.caption(_(_why_nothing(snapshot)))
    figure = memo(
        "inside_over_time",
        (snapshot.settings, moments[-1].step, len(moments), snapshot.history.knots),
        lambda: layer_statistics(
            moments, snapshot.steps_per_epoch, snapshot.spec.epochs, RANGES, healthy.UPDATE_RULE, snapshot.history.knots
        ),
    )
    alt = _("Mean, standard deviation, dead or saturated share, gradient norm and update-to-weight ratio of every layer against epochs")
    live_chart(figure, key="inside_over_time", alt=alt)
    st.caption(
        _(
            "Measured on at most 256 training examples, dropout off. **Green** is where these numbers lay in the chapter's networks that "
            "learn (measured on Fashion-MNIST, from step 100 on). The dotted line is Karpathy's rule of thumb: an update of about a "
            "thousandth of the weights' size. Far below it the lr is too low; above a tenth, steps are likely to throw away what was "
            "learned."
        )
    )


def moments_of(snapshot: JobSnapshot) -> list[MeasuredLayers]:
    """Probes and inspections in the order of their steps; an inspection stands for a probe of the same step."""
    probed = {probe.step: MeasuredLayers(probe.step, probe.layers, [None] * len(probe.layers)) for probe in snapshot.history.probes}
    looked = {
        look.step: MeasuredLayers(look.step, [layer.stats for layer in look.layers], [layer.update_ratio for layer in look.layers])
        for look in snapshot.inspections
    }
    together = probed | looked
    return [together[step] for step in sorted(together)]


def _histograms(snapshot: JobSnapshot, network: Network | None, chosen: WidgetValues) -> None:
    """Distributions of activations, weights or gradients in every layer, as last seen."""
    look = _newest(snapshot, network)
    if look is None:
        st.info(_(_why_nothing(snapshot)), icon=":material/visibility:")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        kinds = chosen.default("inside_kind", [OUTPUTS_OF_UNITS, WEIGHTS, GRADIENTS])
        kind = st.segmented_control(_("What"), label_visibility="collapsed", required=True, format_func=_, **kinds)
        own = st.toggle(_("Each layer on its own scale"), help=_("Shows shapes where sizes differ much."), **chosen.value("inside_own"))
    hidden = len(look.layers) - 1
    outputs = kind == OUTPUTS_OF_UNITS and hidden > 0
    layers = look.layers[:hidden] if outputs else look.layers
    flat = flat_of(resolve(snapshot.spec.activation), snapshot.spec) if outputs else None
    figure = memo(
        "inside_histograms",
        (snapshot.spec, look.step, kind, own),
        lambda: layer_histograms(
            [getattr(layer, HISTOGRAM[kind]) for layer in layers],
            _((OWN_AXES if own else AXES)[kind]),
            hidden=hidden,
            flat=flat,
            notes=[_(_note(layer.stats)) for layer in layers] if outputs else (),
            own_scales=own,
        ),
    )
    live_chart(figure, key="inside_histograms", alt=_(ALTS[kind]))
    shaded = "" if flat is None or own else Message("Outputs in the shaded part let next to no gradient through.")
    st.caption(_(joined(Message("After step {step}.", step=count(look.step)), shaded, LESSONS[kind])))


def flat_of(activation: Activation, spec: RunSpec) -> FlatRange | None:
    """Where the outputs of an activation count as saturated; None where they do not tell."""
    interval = activation.range(spec.activation_parameter)
    if interval is None or activation.saturated_margin is None:
        return None
    low, high = interval.low + activation.saturated_margin, interval.high - activation.saturated_margin
    return FlatRange(low, high) if math.isfinite(low) or math.isfinite(high) else None


def _newest(snapshot: JobSnapshot, network: Network | None) -> Inspection | None:
    """The last look inside; where there is none and the run has ended, one that is made now."""
    if snapshot.inspections:
        return snapshot.inspections[-1]
    ended = snapshot.state in ("finished", "stopped") and snapshot.stop_reason is not None
    if network is None or not ended or not _sees_images(network):
        return None

    def late_look() -> Inspection:
        data, device = load_fashion_mnist(), network.weights()[0][0].device
        first = slice(probed_images(snapshot.spec.sizes, network.activation))
        images = data.train_images[first].reshape(-1, INPUTS).to(device).float() / 255
        labels = data.train_labels[first].clone().to(device)
        return inspect(network, images, labels, step=snapshot.step)

    return memo("inside_late_look", (snapshot.spec, snapshot.step), late_look)


def _why_nothing(snapshot: JobSnapshot) -> str:
    if snapshot.members:
        return Message(
            "Several seeds train at once, and nobody can look into all of them: train a single one to see its updates and histograms."
        )
    if snapshot.state == "playing":
        return Message("Collecting…")
    if snapshot.state in ("finished", "stopped"):
        return Message("Updates are measured while somebody looks: train again with this panel open to see them.")
    return Message("Updates and histograms are measured while it trains: press **Train** or **One batch** with this panel open.")


def _note(stats: LayerStats) -> str:
    parts = list[str]()
    if stats.saturated_fraction:
        parts.append(Message("{share} saturated", share=percent(stats.saturated_fraction, 0)))
    if stats.dead_units:
        parts.append(Message("{n} dead", n=stats.dead_units))
    return listed(parts)


def _first_layer(snapshot: JobSnapshot, network: Network, chosen: WidgetValues) -> None:
    """The incoming weights of the first units, each as an image; or only what training made of them."""
    picture, words = st.columns([5, 3], gap="large")
    with words:
        changed = st.toggle(
            _("Only what training changed"), help=_("The weights less those before the first step, which the seed tells."),
            **chosen.value("inside_changed"),
        )  # fmt: skip
        units, step = network.weights()[0][0].shape[0], count(snapshot.step)
        if units > MOST_UNITS:
            shown = Message("After step {step}, the first {shown} of {units} units.", step=step, shown=MOST_UNITS, units=count(units))
        else:
            shown = counted(units, "After step {step}, the only unit.", "After step {step}, all {n} units.", step=step)
        what = Message("A class answers most to an image that is bright where its weights are **red** and dark where they are **blue**.")
        if snapshot.spec.hidden:
            what = Message("A unit answers most to an image that is bright where its weights are **red** and dark where they are **blue**.")
        st.markdown(_(joined(shown, what)))
        st.caption(
            _(
                "Large random initial weights, as of He or Xavier, hide under their grain what was learned: leave them out to see it. "
                "Healthy units then show blurred clothes, each its own; a unit without any color has not learned."
            )
        )
    figure = memo(
        "inside_weights",
        (snapshot.spec, snapshot.step, snapshot.state, changed),
        lambda: weight_images(_first_weights(network) - (_initial_weights(snapshot.spec) if changed else 0.0), columns=WEIGHT_COLUMNS),
    )
    with picture:
        live_chart(figure, key="inside_weights", alt=_("The incoming weights of first-layer units as pictures"))


def _first_weights(network: Network) -> Floats:
    return network.weights()[0][0][:MOST_UNITS].to("cpu", torch.float64, copy=True).numpy()


def _initial_weights(spec: RunSpec) -> Floats:
    """The weights before the first step, drawn again from the seed."""

    def draw() -> Floats:
        weight, _ = initial_parameters(spec, spec.sizes, generator_for(spec, "init"))[0]
        return weight[:MOST_UNITS].double().numpy()

    return memo("inside_initial", spec, draw)


def _one_image(snapshot: JobSnapshot, network: Network, chosen: WidgetValues) -> None:
    """A test image, what every unit makes of it, and what the network takes it for."""
    data = load_fashion_mnist()
    clicked = st.session_state.get("_image")
    if clicked is not None and clicked != st.session_state.get("_inside_clicked"):
        chosen["inside_image"] = clicked
    st.session_state["_inside_clicked"] = clicked
    last = len(data.test_labels) - 1
    chosen["inside_image"] = min(chosen["inside_image"], last)
    index = st.number_input(
        _("Test image, 0 to {last}", last=count(last)), width=220, help=_("A click on an image below chooses it too."),
        **chosen.value("inside_image", min_value=0, max_value=last),
    )  # fmt: skip
    outputs, probabilities = memo("inside_passage", (snapshot.spec, snapshot.step, snapshot.state, index), lambda: _outputs(network, index))
    label, predicted = int(data.test_labels[index]), int(np.nan_to_num(probabilities).argmax())
    names, answered = list(map(_, CLASS_NAMES)), _answer(probabilities)
    picture, strips, answer = st.columns([2, 7, 4], gap="medium", vertical_alignment="center")
    with picture:
        image = data.test_images[index : index + 1].numpy()
        live_chart(
            prediction_grid(image, [label], [predicted], names, columns=1), key="inside_image_picture", height=PICTURE_HEIGHT,
            alt=_("Test image {index}: {label}; {answer}", index=index, label=CLASS_NAMES[label], answer=answered),
        )  # fmt: skip
    with strips:
        layers = [_("Layer {number}", number=number) for number in range(1, len(outputs))] + [_("Output (logits)")]
        figure = activation_strips(outputs, layers)
        live_chart(figure, key="inside_strips", alt=_("What every unit of every layer puts out"))
    with answer:
        figure = probability_bars(probabilities, names, label, predicted)
        live_chart(figure, key="inside_probabilities", alt=_("Probability of each class"))
    st.caption(
        _(
            "After step {step} {answer}; the label is {label}. Orange is above 0, blue below, each strip on a scale of its own. Point at a "
            "cell to read its value. The order of the units means nothing.",
            step=count(snapshot.step),
            answer=answered,
            label=CLASS_NAMES[label],
        )
    )


def _answer(probabilities: Floats) -> str:
    """What the network says of an image, as a part of a sentence."""
    if not np.isfinite(probabilities).all():
        return Message("the network says nothing: its outputs are no numbers any more")
    said, sure = CLASS_NAMES[int(probabilities.argmax())], percent(float(probabilities.max()))
    return Message("the network says {label} with probability {probability}", label=said, probability=sure)


def _outputs(network: Network, index: int) -> tuple[list[Floats], Floats]:
    """What every layer puts out for a test image, (units,) each, and the probabilities (classes,), without dropout.

    Beside a training thread the layers may be of neighboring steps.
    """
    device = network.weights()[0][0].device
    image = load_fashion_mnist().test_images[index].reshape(1, -1).to(device).float() / 255
    with torch.no_grad():
        layers = [layer.activation[0].double() for layer in network.layers(image)]
    return [layer.cpu().numpy() for layer in layers], layers[-1].softmax(dim=0).cpu().numpy()
