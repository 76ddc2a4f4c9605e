"""What the playground shows of a run: the network, the plane, the curves, the hidden space; and a weight set by hand."""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from mlp_core.jobs import JobSnapshot, TrainingJob
from mlp_core.labs.nonlinearity.linear_regions import Region, linear_regions
from mlp_core.labs.nonlinearity.plane import FEATURES, FINE, PLANE_EXTENT, Points, copied_weights, hidden_outputs, output_field, unit_fields
from mlp_core.network import Network
from mlp_core.training import Run
from mlp_core.words import Message, counted, joined, significant
from pages.figures.figure import Figure
from pages.figures.plane import (
    UNDEFINED,
    LabeledPoints,
    Shading,
    decision_plane,
    has_undefined,
    hidden_space,
    playground_network,
    shading_of,
    shading_of_numbers,
)
from pages.figures.series import CurveSeries, Quantity
from pages.figures.training import ACCURACY, LOSS, epoch_curves
from pages.language import _
from pages.ui import session
from pages.ui.link import LinkState
from pages.ui.live_chart import Click, live_chart
from pages.ui.memo import memo
from pages.ui.nonlinearity.own import add_point
from pages.ui.nonlinearity.settings import JOB, OWN, PlaneSettings, hidden_pair, shown_part
from pages.ui.run.run_controls import RunAtStep
from pages.ui.unbroken import unbroken

PLANE_HEIGHT, CURVE_HEIGHT = 360, 260
WIDTHS = (1.35, 1)  # of the network and the plane
CURVES = {  # what each is called, and what its picture shows, of a run and of several seeds
    "loss": (
        Message("Loss"),
        Message("Training and test loss against epochs"),
        Message("Training and test loss of five seeds against epochs"),
    ),
    "accuracy": (
        Message("Accuracy"),
        Message("Training and test accuracy against epochs"),
        Message("Training and test accuracy of five seeds against epochs"),
    ),
}
EDGE = "_plane_edge"  # (layer, unit, source or None for the bias), layers from 1: what the editor is at
COUNT_SECONDS = 2.0  # while it plays, regions are cut no more often


def scatter(points: Points) -> LabeledPoints:
    return LabeledPoints(points.xy, points.labels, points.classes)


def bare_row(link: LinkState, settings: PlaneSettings) -> None:
    """The plane with nothing but points, where it stays when there is a network, and what that takes."""
    left, right = st.columns(WIDTHS, gap="medium")
    why = _("Click the plane to draw points of at least two classes, or load a file; then press Play.")
    if not settings.features:
        why = _("Choose an input in the sidebar: with none there is nothing to learn from.")
    left.info(why, icon=":material/info:")
    with right:
        figure = decision_plane(None, scatter(settings.points))
        _clickable_plane(link, figure, _("The plane with its points"))


def network_row(
    link: LinkState, settings: PlaneSettings, job: TrainingJob, network: Network, *, moving: bool = False, past: bool = False
) -> None:
    """The network at the left, the plane at the right.

    Args:
        network: the job's own, or one of an earlier step: `past`.
        moving: whether the next frame follows.
    """
    left, right = st.columns(WIDTHS, gap="medium")
    shown = shown_part(link, job.run.sizes[:-1])
    with left:
        _network(link, settings, job, network, shown)
        _editor(settings, job, network, _first(job, moving=moving, past=past))
    with right:
        _plane(link, settings, network, shown, moving=moving)


def _first(job: TrainingJob, *, moving: bool, past: bool) -> str:
    """What has to be done before a weight can be set by hand; empty where nothing has."""
    if moving:
        return _("Pause to set it by hand.")
    if past:
        return _("Go back to now to set it by hand.")
    return _("Reset to set it by hand.") if job.ended else ""


def _network(link: LinkState, settings: PlaneSettings, job: TrainingJob, network: Network, shown: tuple[int, int] | None) -> None:
    names = [FEATURES[name][0] for name in settings.features]
    figure = playground_network(unit_fields(network, settings.features), copied_weights(network), names, shown)
    alt = _("The network {sizes}, each unit with a picture of what it computes", sizes=" → ".join(map(str, job.run.sizes)))
    live_chart(figure, key="plane_network", height=PLANE_HEIGHT, alt=alt, on_click=partial(_choose_part, link, job.run.sizes))


def _choose_part(link: LinkState, sizes: Sequence[int], click: Click) -> None:
    """Have a unit shown large, or an edge in the editor, of the network that was clicked."""
    match click.data:
        case [int(layer), int(unit), int(source)] if _is_unit(sizes, layer, unit) and _is_unit(sizes, layer - 1, source):
            st.session_state[EDGE] = (layer, unit, source)
        case [int(layer), int(unit)] if _is_unit(sizes, layer, unit):
            st.session_state[EDGE] = (layer, unit, None) if layer else None
            link["shown"] = "" if layer == len(sizes) - 1 else f"{layer}.{unit}"
            link.write()  # here, since what runs next may be no more than this part of the page


def _is_unit(sizes: Sequence[int], layer: int, unit: int) -> bool:
    return 0 <= layer < len(sizes) and 0 <= unit < sizes[layer]


def _editor(settings: PlaneSettings, job: TrainingJob, network: Network, first: str) -> None:
    """Set the weight or bias that was clicked last; where something has to be done before, `first` says what."""
    edge: tuple[int, int, int | None] | None = st.session_state.get(EDGE)
    sizes = job.run.sizes
    if edge is None or edge[0] >= len(sizes) or edge[1] >= sizes[edge[0]] or (edge[2] or 0) >= sizes[edge[0] - 1]:
        st.caption(_("Click a unit to see it large, an edge near its beginning to set its weight. Orange is positive, blue negative."))
        return
    layer, unit, source = edge
    weight, bias = copied_weights(network)[layer - 1]
    value = float(bias[unit] if source is None else weight[unit, source])
    receiver = Message("output {unit}", unit=unit + 1) if layer == len(sizes) - 1 else _hidden_unit(layer, unit)
    if source is None:
        label = _("Bias of {unit}", unit=receiver)
    else:
        sender = settings.features[source] if layer == 1 else _hidden_unit(layer - 1, source)
        label = _("Weight from {sender} to {receiver}", sender=sender, receiver=receiver)
    if first:
        st.caption(_("{what}: **{value}**. {first}", what=label, value=significant(value, 4), first=first))
        return
    key = f"plane_weight_{layer}_{unit}_{source}_{job.run.step}_{value:.6g}"
    st.number_input(
        label, -100.0, 100.0, min(max(value, -100.0), 100.0), 0.1, "%.4g", key=key, on_change=unbroken(_set_weight), args=(job, edge, key),
        help=_("Set by hand, between two steps. The link does not carry it: it restores the start."),
    )  # fmt: skip


def _hidden_unit(layer: int, unit: int) -> Message:
    return Message("unit {unit} of hidden layer {layer}", unit=unit + 1, layer=layer)


def _set_weight(job: TrainingJob, edge: tuple[int, int, int | None], key: str) -> None:
    layer, unit, source = edge
    value = float(st.session_state[key])
    job.change(partial(Run.set_weight, layer=layer - 1, unit=unit, source=source, value=value))
    if (group := session.jobs().group(JOB)) is not None:
        group.edited = True


def _plane(link: LinkState, settings: PlaneSettings, network: Network, shown: tuple[int, int] | None, *, moving: bool) -> None:
    now = (settings.key, int(time.monotonic() / COUNT_SECONDS))
    regions = memo("plane_regions", now, lambda: regions_of(settings, network)) if moving else regions_of(settings, network)
    figure = plane_figure(link, settings, network, regions, shown)
    _clickable_plane(link, figure, _("The plane, shaded by what the network says, with its points"))
    grey = Message("Gray: {what}.", what=UNDEFINED) if has_undefined(figure) else ""
    st.caption(_(joined(_plane_caption(settings, shown, regions), grey)))


def plane_figure(
    link: LinkState, settings: PlaneSettings, network: Network, regions: list[Region] | None, shown: tuple[int, int] | None = None
) -> Figure:
    """The plane with its points, shaded by what a unit computes, the output by default; `regions` are outlined where that is wanted."""
    test = scatter(settings.test) if link["tests"] else None
    outlines = [region.corners for region in regions or ()] if link["regions"] else []
    return decision_plane(_shading(link, settings, network, shown), scatter(settings.train), test, outlines)


def _plane_caption(settings: PlaneSettings, shown: tuple[int, int] | None, regions: list[Region] | None) -> str:
    what = Message("The output.")
    if shown is not None:
        layer, unit = shown
        inputs = Message("Unit {unit} of the inputs.", unit=unit + 1)
        what = Message("Unit {unit} of hidden layer {layer}.", unit=unit + 1, layer=layer) if layer else inputs
    if settings.negative_slope is None:
        return joined(what, Message("Linear regions are counted for ReLU and leaky ReLU on the inputs x and y."))
    if regions is None:
        return joined(what, Message("More linear regions than can be cut in time."))
    return joined(what, counted(len(regions), "**{n}** linear region in this square.", "**{n}** linear regions in this square."))


def regions_of(settings: PlaneSettings, network: Network) -> list[Region] | None:
    """The linear regions of the square; None where there are none to count, or too many."""
    slope = settings.negative_slope
    if slope is None:
        return None
    hidden = copied_weights(network)[:-1] if slope < 1 else []
    if hidden:
        weight, bias = hidden[0]
        wide = np.zeros((len(weight), 2))
        for column, name in enumerate(settings.features):
            wide[:, ("x", "y").index(name)] = weight[:, column]
        hidden = [(wide, bias), *hidden[1:]]
    return linear_regions(hidden, PLANE_EXTENT, slope)


def _shading(link: LinkState, settings: PlaneSettings, network: Network, shown: tuple[int, int] | None) -> Shading:
    discrete = bool(link["discrete"])
    if shown is not None:
        return shading_of_numbers(unit_fields(network, settings.features, FINE)[shown[0]][shown[1]], discrete=discrete)
    field = output_field(network, settings.loss, settings.features)
    if settings.points.classes:
        return shading_of(field, discrete=discrete)
    return shading_of_numbers(field[:, :, 0], discrete=discrete)


def _clickable_plane(link: LinkState, figure: Figure, alt: str) -> None:
    """The plane; where the points are the visitor's own, a click adds one."""
    live_chart(figure, key="plane", height=PLANE_HEIGHT, alt=alt, on_click=partial(_add_clicked, link) if link["data"] == OWN else None)


def _add_clicked(link: LinkState, click: Click) -> None:
    if link["data"] == OWN and click.place is not None:
        add_point(link, *click.place)


def curve(quantity: Quantity, classes: bool, snapshot: JobSnapshot, cursor: int | None = None) -> Figure:
    """Loss or accuracy of a run, on points that have classes or numbers; of several seeds their band."""
    losses = _("cross-entropy (nats)") if classes else "½(o − y)²"
    run = CurveSeries(snapshot.history, snapshot.steps_per_epoch, members=snapshot.members)
    return epoch_curves(run, quantity, losses if quantity is LOSS else _("accuracy (%)"), snapshot.spec.epochs, cursor=cursor)


def show_curves(columns: Sequence[DeltaGenerator], classes: bool, snapshot: JobSnapshot, *, key: str, cursor: int | None = None) -> None:
    """The curve of the loss in the first of these columns; in the second that of the accuracy, where there are classes.

    Args:
        key: what the charts' keys begin with.
    """
    for column, name, quantity in zip(columns, ("loss", "accuracy"), (LOSS, ACCURACY) if classes else (LOSS,), strict=False):
        title, alt, alt_of_seeds = CURVES[name]
        with column:
            st.markdown(f"###### {_(title)}")
            figure = curve(quantity, classes, snapshot, cursor)
            live_chart(figure, key=f"{key}_{name}", height=CURVE_HEIGHT, alt=_(alt_of_seeds if snapshot.members else alt))


def curves_row(link: LinkState, settings: PlaneSettings, now: JobSnapshot, moment: RunAtStep) -> None:
    """Loss, accuracy, and the points in the space of two hidden units.

    Args:
        now: the run as it stands: a curve stays whole when one looks back.
        moment: where the rest of the page stands.
    """
    *curves, space = st.columns(3, gap="medium")
    show_curves(curves, settings.points.classes > 0, now, key="plane", cursor=moment.cursor)
    with space:
        _space(link, settings, moment.network)


def _space(link: LinkState, settings: PlaneSettings, network: Network | None) -> None:
    hidden = settings.spec.hidden
    if network is None or not hidden or max(hidden) < 2:
        return
    st.markdown(f"###### {_('Hidden space')}")
    layer, across, up = hidden_pair(link, hidden)
    outputs = hidden_outputs(network, settings.train.xy, settings.features, layer - 1)[:, [across - 1, up - 1]]
    points, placed = scatter(settings.train), np.isfinite(outputs).all(axis=1)
    figure = hidden_space(
        outputs[placed],
        replace(points, xy=points.xy[placed], labels=points.labels[placed]),
        (_("layer {layer}, unit {unit}", layer=layer, unit=across), _("unit {unit}", unit=up)),
        _undecided(network, hidden, layer),
    )
    live_chart(figure, key="plane_space", height=CURVE_HEIGHT, alt=_("Training points in the space of two hidden units"))
    if not placed.all():
        missing = int((~placed).sum())
        st.caption(_(counted(missing, "{n} point without a place here: not a number.", "{n} points without a place here: not a number.")))


def _undecided(network: Network, hidden: tuple[int, ...], layer: int) -> tuple[float, float, float] | None:
    """Where a network whose last hidden layer has two units is undecided: a line in their space."""
    weight, bias = copied_weights(network)[-1]
    if layer != len(hidden) or weight.shape != (1, 2):
        return None
    return float(weight[0, 0]), float(weight[0, 1]), float(bias[0])
