"""What is measured of every layer, over time and as histograms."""

from __future__ import annotations

import math

import streamlit as st

from mlp_core.activations import Activation
from mlp_core.data import load_fashion_mnist
from mlp_core.expression import resolve
from mlp_core.jobs import JobSnapshot
from mlp_core.network import Network
from mlp_core.reports.diagnosis import verdict as healthy
from mlp_core.spec import INPUTS, RunSpec
from mlp_core.training.inspection import PROBE_IMAGES, Histogram, Inspection, LayerInspection, inspect
from pages.figures.layers import FlatRange, MeasuredLayers, layer_histograms, layer_statistics
from pages.ui.live_chart import live_chart
from pages.ui.memo import memo
from pages.ui.text import count, percent
from pages.ui.widget_values import WidgetValues

OUTPUTS_OF_UNITS, WEIGHTS, GRADIENTS = "Activations", "Weights", "Gradients"
AXES = {OUTPUTS_OF_UNITS: "output of a unit", WEIGHTS: "weight", GRADIENTS: "gradient ∂L/∂W"}
OWN_AXES = {OUTPUTS_OF_UNITS: "output / layer's largest", WEIGHTS: "weight / layer's largest", GRADIENTS: "gradient / layer's largest"}
DEFAULTS = {"inside_kind": OUTPUTS_OF_UNITS, "inside_own": False}
RANGES = {
    "mean": healthy.MEAN,
    "std": healthy.STD,
    "flat": (100 * healthy.FLAT[0], 100 * healthy.FLAT[1]),
    "gradient": healthy.GRADIENT,
    "update": healthy.UPDATE,
}


def over_time(snapshot: JobSnapshot) -> None:
    """Every layer's statistics over the epochs: what was probed from the start, and what somebody has looked at."""
    moments = moments_of(snapshot)
    if not moments:
        st.info("Press **Train** or **Step one batch**: the network is measured before its first step.", icon=":material/visibility:")
        return
    if not any(ratio is not None for moment in moments for ratio in moment.update_ratios):
        st.caption(_why_nothing(snapshot))
    key = (snapshot.spec, moments[-1].step, len(moments))
    figure = memo(
        "inside_over_time",
        key,
        lambda: layer_statistics(moments, snapshot.steps_per_epoch, snapshot.spec.epochs, RANGES, healthy.UPDATE_RULE),
    )
    alt = "Mean, standard deviation, dead or saturated share, gradient norm and update-to-weight ratio of every layer against epochs"
    live_chart(figure, key="inside_over_time", height=figure["layout"]["height"], alt=alt)
    st.caption(
        "Measured on at most 256 training examples, dropout off. **Green** is where these numbers lay in the chapter's networks that learn "
        "(measured on Fashion-MNIST, from step 100 on). The dotted line is Karpathy's rule of thumb: an update of about a thousandth of "
        "the weights' size. Far below it the lr is too low; above a tenth, steps are likely to throw away what was learned."
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


def histograms(snapshot: JobSnapshot, network: Network | None, chosen: WidgetValues) -> None:
    """Distributions of activations, weights or gradients in every layer, as last seen."""
    look = _newest(snapshot, network)
    if look is None:
        st.info(_why_nothing(snapshot), icon=":material/visibility:")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        kind = st.segmented_control(
            "What", label_visibility="collapsed", required=True, **chosen.default("inside_kind", [OUTPUTS_OF_UNITS, WEIGHTS, GRADIENTS])
        )
        own = st.toggle("Each layer on its own scale", help="Shows shapes where sizes differ much.", **chosen.value("inside_own"))
    hidden = len(look.layers) - 1
    layers = look.layers[:hidden] if kind == OUTPUTS_OF_UNITS and hidden else look.layers
    activation = resolve(snapshot.spec.activation)
    flat = flat_of(activation, snapshot.spec) if kind == OUTPUTS_OF_UNITS and hidden else None
    figure = memo(
        "inside_histograms",
        (snapshot.spec, look.step, kind, own),
        lambda: layer_histograms(
            [_counted(layer, kind) for layer in layers],
            (OWN_AXES if own else AXES)[kind],
            hidden=hidden,
            flat=flat,
            notes=[_note(layer) if kind == OUTPUTS_OF_UNITS and hidden else "" for layer in layers],
            own_scales=own,
        ),
    )
    live_chart(figure, key="inside_histograms", height=figure["layout"]["height"], alt=f"Histograms of the {kind.lower()} of every layer")
    st.caption(f"After step {count(look.step)}. {_lesson(kind, flat is not None and not own)}")


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
    if network is None or not ended or network.weights()[0][0].shape[1] != INPUTS:
        return None
    return memo("inside_late_look", (snapshot.spec, snapshot.step), lambda: _late_look(snapshot, network))


def _late_look(snapshot: JobSnapshot, network: Network) -> Inspection:
    data, device = load_fashion_mnist(), network.weights()[0][0].device
    images = data.train_images[:PROBE_IMAGES].reshape(-1, INPUTS).to(device).float() / 255
    labels = data.train_labels[:PROBE_IMAGES].clone().to(device)
    return inspect(network, images, labels, step=snapshot.step)


def _why_nothing(snapshot: JobSnapshot) -> str:
    if snapshot.members:
        return "Several seeds train at once, and nobody can look into all of them: train a single one to see its updates and histograms."
    if snapshot.state == "playing":
        return "Collecting…"
    if snapshot.state in ("finished", "stopped"):
        return "Updates are measured while somebody looks: train again with this panel open to see them."
    return "Updates and histograms are measured while it trains: press **Train** or **Step one batch** with this panel open."


def _counted(layer: LayerInspection, kind: str) -> Histogram:
    return {OUTPUTS_OF_UNITS: layer.activations, WEIGHTS: layer.weights, GRADIENTS: layer.gradients}[kind]


def _note(layer: LayerInspection) -> str:
    stats = layer.stats
    parts = []
    if stats.saturated_fraction:
        parts.append(f"{percent(stats.saturated_fraction, 0)} saturated")
    if stats.dead_units:
        parts.append(f"{stats.dead_units} dead")
    return ", ".join(parts)


def _lesson(kind: str, flat: bool) -> str:
    if kind == OUTPUTS_OF_UNITS:
        shaded = "Outputs in the shaded part let next to no gradient through. " if flat else ""
        return f"{shaded}Healthy layers spread about equally wide; a spread that shrinks from layer to layer is a signal that vanishes."
    if kind == WEIGHTS:
        return "Before training they show the initialization; healthy training widens them slowly. Ridges that do not move do not learn."
    return "Healthy layers have gradients of about the same width; one that shrinks towards the first layer is a gradient that vanishes."
