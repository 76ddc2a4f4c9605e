"""The section "Depth": real networks, measured in one forward and backward pass beside what mean-field theory predicts; and a map of
where gradients vanish or explode over σ_w and depth, or σ_w and σ_b, with theory's critical line on it."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from mlp_core.initializers import INITIALIZERS
from mlp_core.labs.stability.depth import factor_a_layer, sigmoid_bound_log10
from mlp_core.labs.stability.mean_field import DepthPrediction
from mlp_core.spec import MAX_LAYERS, MAX_SEED, Bounds, RunSpec, most_operations
from mlp_core.stability.depth import DepthReport
from mlp_core.theory import Array
from mlp_core.words import Message, count, from_log10, joined, listed, significant
from pages.figures.depth import DepthSeries, GradientBound, activation_ridges, gradient_map, shares_by_layer, sizes_by_layer
from pages.figures.figure import Figure
from pages.language import _, said
from pages.ui.computing import computed
from pages.ui.data_source import load_data
from pages.ui.link import LinkState, choice, number, stop
from pages.ui.live_chart import live_chart
from pages.ui.measures import Computed, Values, once
from pages.ui.sections import beside
from pages.ui.stability import measures
from pages.ui.stability.designs import Design, designs_of, designs_panel, designs_row
from pages.ui.text import plain

WIDTHS = ("8", "16", "32", "64", "128")
BATCHES = ("16", "32", "64", "128", "256")
MOST_WORK = 64**2 * 100 * 256  # width² x depth x images: four designs of it stay below a second
PASSES = 4  # of an own activation through a network: in float64, which takes twice as long, in float32, and for histograms


class Quantity(NamedTuple):
    """What can be shown layer by layer: the field of a report and of a prediction, the axis, how to read it."""

    label: str
    field: str
    axis: str
    reading: str


QUANTITIES = {
    "dW": Quantity(
        "|∂L/∂W|", "weight_gradient_log10", "|∂L/∂W|",
        Message(
            "Layer 1 is next to the input, the last is the output layer. Theory is a band for this batch: at its upper edge images of one "
            "class pull the same way; at its lower edge each pulls its own way or, where that is less, all are alike to the network, so "
            "that only what the labels are out of balance is left. Both edges are two standard deviations further out, by which networks "
            "of this width scatter."
        ),
    ),
    "dh": Quantity(
        "|∂L/∂h|", "hidden_gradient_log10", "|∂L/∂h|",
        Message(
            "The gradient of the whole batch with respect to a layer's outputs; layer 0 is the input. Theory has no free parameter here."
        ),
    ),
    "rms": Quantity(
        Message("Size of h"), "activation_rms_log10", Message("root mean square of h"), Message("Root mean square over units and images."),
    ),
    "mean": Quantity(
        Message("Mean of h"), "activation_mean", Message("mean of h"),
        Message("Over units and images. Theory is that of infinitely many units; a network of few scatters about it."),
    ),
    "std": Quantity(Message("Spread of h"), "activation_std", Message("standard deviation of h"), Message("Over units and images.")),
    "saturated": Quantity(
        Message("Saturated"), "saturated_fraction", Message("saturated outputs (%)"),
        Message("Outputs where the activation is flat: |tanh| > 0.97, sigmoid outside 0.03 … 0.97."),
    ),
    "dead": Quantity(
        Message("Dead units"), "dead_fraction", Message("dead units (%)"), Message("Units that put out 0 for every image of the batch."),
    ),
}  # fmt: skip
SHOWN = {name: one.label for name, one in QUANTITIES.items()} | {"ridges": Message("Histograms")}
CHART_HEIGHT = 390
PLANES = {"depth": Message("σ_w and depth"), "sigma_b": Message("σ_w and σ_b")}
MAP_WIDTH_LIMIT = 64  # units of the networks measured for the map
FIELDS = (
    number("depth", 20, Bounds(1, MAX_LAYERS, whole=True)),
    stop("width", "64", WIDTHS),
    stop("batch", "256", BATCHES),
    choice("input", "images", tuple(measures.SOURCES)),
    number("seed", 0, Bounds(0, MAX_SEED, whole=True)),
    choice("show", "dW", tuple(SHOWN)),
    choice("plane", "depth", tuple(PLANES)),
    choice("map", "1", ("1", "2", "3", "4")),
    number("sigma_b", 0.0, Bounds(0.0, measures.HIGHEST_SIGMA_B), 0.05),
)


JOB = "depth"
Asked = tuple[tuple[RunSpec, ...], str, int]  # the networks, the source of their input, and how many images
Found = tuple[DepthReport, DepthReport, DepthPrediction | None]  # of a network, in float64, in float32, and predicted


@dataclass(frozen=True, slots=True)
class Measured:
    """A design at the depth and width chosen: in float64, in float32, and predicted."""

    design: Design
    spec: RunSpec
    report: DepthReport
    single: DepthReport
    prediction: DepthPrediction | None


def _theory(one: Measured) -> float | None:
    return factor_a_layer(one.prediction.hidden_gradient_log10) if one.prediction is not None else None


MEASURES = {
    "log10_first_layer_gradient": once(
        Message("First layer's gradient"), Message("|∂L/∂W₁| before training, in float64"), "log10",
        lambda one: one.report.weight_gradient_log10[0],
    ),
    "log10_last_layer_gradient": once(
        Message("Last layer's gradient"), Message("|∂L/∂W| of the output layer before training, in float64"), "log10",
        lambda one: one.report.weight_gradient_log10[-1],
    ),
    "printed_gradient": once(
        Message("First layer's grad.norm()"), Message("What it prints before training, in float32"), "number",
        lambda one: one.single.printed_norm[0],
    ),
    "gradient_factor": once(
        Message("Gradient's factor a layer"), Message("By which |∂L/∂h| is multiplied on its way back through a layer, on average"),
        "number", lambda one: factor_a_layer(one.report.hidden_gradient_log10),
    ),
    "predicted_factor": once(Message("Predicted factor a layer"), Message("The same by mean-field theory, √χ"), "number", _theory),
    "saturated_fraction": once(
        Message("Saturated"), Message("Outputs of all hidden layers where the activation is flat"), "fraction",
        lambda one: one.report.saturated_fraction.mean(),
    ),
    "dead_fraction": once(
        Message("Dead units"), Message("Of all hidden layers: that put out 0 for every image of the batch"), "fraction",
        lambda one: one.report.dead_fraction.mean(),
    ),
}  # fmt: skip


def _networks(specs: tuple[RunSpec, ...], source: str, size: int) -> Generator[float, None, list[Found]]:
    """All that is measured and predicted; yields how much is done."""
    found: list[Found] = []
    for index, spec in enumerate(specs):
        yield index / len(specs)
        report, single = (measures.depth_report(spec, source, size, precision) for precision in ("float64", "float32"))
        found.append((report, single, measures.depth_prediction(spec, source, size)))
    return found


def section(link: LinkState) -> None:
    """Choose designs and a depth; see every layer's signal and gradient."""
    load_data()
    designs_row(link)
    controls, results = beside("depth", 1.9)
    with controls:
        designs = designs_panel(link)
        size = _controls(link, max((design.operations for design in designs), default=0))
        designs = _affordable(designs, _elements(link, size), Message("these layers"))
    depth, width, source = link["depth"], int(link["width"]), link["input"]
    if not designs:
        results.info(_("Choose at least one activation."))
        return
    asked = _asked(link, designs, size)

    def draw(networks: list[Found]) -> None:
        measured = _measured(designs, asked, networks)
        _picture(link["show"], measured, source, size)
        _table(measured)

    with results:
        st.segmented_control(
            _("What to show, layer by layer"),
            format_func=said(SHOWN),
            required=True,
            label_visibility="collapsed",
            **link.default("show"),
        )
        computed(JOB, asked, partial(_networks, *asked), draw, _("Measuring"))
    _map_panel(link, designs, depth, width)


def subject(values: Values) -> Computed:
    """One network a design."""
    designs = designs_of(values)
    size = _size(values, _options(values), max((design.operations for design in designs), default=0))
    most = most_operations(_elements(values, size))
    designs = [design for design in designs if design.operations <= most]
    asked, labels = _asked(values, designs, size), tuple(design.label for design in designs)

    def results(found: list[Found]) -> dict[str, Measured]:
        return dict(zip(labels if len(labels) > 1 else ("",), _measured(designs, asked, found), strict=True))

    return Computed(MEASURES, labels if len(labels) > 1 else (), results, (JOB, asked))


def _asked(values: Values, designs: list[Design], size: int) -> Asked:
    specs = tuple(design.spec(values["depth"], int(values["width"]), values["seed"]) for design in designs)
    return specs, values["input"], size


def _measured(designs: list[Design], asked: Asked, networks: list[Found]) -> list[Measured]:
    return [Measured(design, spec, *found) for design, spec, found in zip(designs, asked[0], networks, strict=True)]


def _elements(values: Values, size: int) -> int:
    """How many values of an activation its networks take."""
    return size * int(values["depth"]) * int(values["width"]) * PASSES


def _options(values: Values) -> Sequence[str]:
    return (*BATCHES, values["batch"])


def _size(values: Values, batches: Sequence[str], operations: int) -> int:
    """The number of images that can be afforded with so many operations of an own activation."""
    wanted, affordable = int(values["batch"]), MOST_WORK // (int(values["width"]) ** 2 * values["depth"])
    if operations:
        affordable = min(affordable, most_operations(_elements(values, 1)) // operations)
    return max((int(b) for b in batches if int(b) <= min(wanted, affordable)), default=int(BATCHES[0]))


def _affordable(designs: list[Design], elements: int, of: str) -> list[Design]:
    """Those whose own activation can be computed on so many elements; of the others it is said why not."""
    most = most_operations(elements)
    for design in designs:
        if design.operations > most:
            st.error(
                _(
                    "{design}: {values} values of {of} leave time for at most {most} operations on each, and this activation has "
                    "{operations}.",
                    design=plain(_(design.label)), values=count(elements), of=of, most=most, operations=design.operations,
                ),
                icon=":material/error:",
            )  # fmt: skip
    return [design for design in designs if design.operations <= most]


def _controls(link: LinkState, operations: int) -> int:
    """Draw what all designs share; the number of images that can be afforded with so many operations of an own activation."""
    st.slider(_("Hidden layers"), **link.value("depth"))
    st.select_slider(_("Units a layer"), **link.value("width"))
    with st.popover(_("Input, batch and seed"), icon=":material/tune:"):
        st.selectbox(_("Input"), format_func=said(measures.SOURCES), **link.index("input"))
        st.select_slider(_("Images in the batch"), **link.value("batch"))
        st.number_input(_("Seed"), **link.value("seed"))
    wanted, size = int(link["batch"]), _size(link, link.options("batch"), operations)
    if size < wanted:
        fewer = _(
            "{size} images instead of {wanted}, so that networks of this depth and width answer within a second.", size=size, wanted=wanted
        )
        st.caption(f":material/speed: {fewer}")
    return size


def _picture(quantity: str, measured: list[Measured], source: str, size: int) -> None:
    if quantity == "ridges":
        for start in range(0, len(measured), 2):
            for column, one in zip(st.columns(2), measured[start : start + 2], strict=False):
                with column:
                    st.markdown(f"###### {_(one.design.label)}")
                    figure = activation_ridges(*measures.histograms(one.spec, source, size), one.design.index)
                    alt = _("Outputs of {design}, layer by layer", design=one.design.label)
                    live_chart(figure, key=f"ridges_{one.design.index}", height=360, alt=alt)
        st.caption(
            _("Each layer on its own scale, from minus to plus its largest output, which stands at the right. Heights are roots of counts.")
        )
        return
    label, _field, _axis, reading = QUANTITIES[quantity]
    figure = _sizes(quantity, measured) if quantity in ("dW", "dh", "rms") else _shares(quantity, measured)
    designs = listed([one.design.label for one in measured])
    alt = _("{quantity} of every layer of {designs}, measured and predicted", quantity=label, designs=designs)
    live_chart(figure, key="depth", height=CHART_HEIGHT, alt=alt)
    st.caption(_(joined(Message("One forward and one backward pass, **before any training**."), reading)))


def _sizes(quantity: str, measured: list[Measured]) -> Figure:
    _label, field, title, _reading = QUANTITIES[quantity]
    first, series = 0 if quantity == "dh" else 1, []
    for one in measured:
        values, single = getattr(one.report, field), getattr(one.single, field)
        layers = np.arange(first, first + len(values), dtype=float)
        series.append(DepthSeries(_(one.design.label), layers, values, single, getattr(one.prediction, field, None)))
    return sizes_by_layer(series, _(title), _sigmoid_bound(measured) if quantity == "dh" else None)


def _sigmoid_bound(measured: list[Measured]) -> GradientBound | None:
    """0.25 a layer, from the last hidden layer of the first sigmoid network down to its first."""
    for one in measured:
        gradient = one.report.hidden_gradient_log10
        last = len(gradient) - 1
        if one.spec.activation == "sigmoid" and last > 1 and np.isfinite(gradient[last]):
            log10 = gradient[last] + np.array([sigmoid_bound_log10(last - 1), 0.0])
            return GradientBound(_("0.25 a layer: σ′ at its best"), np.array([1.0, last]), log10)
    return None


def _shares(quantity: str, measured: list[Measured]) -> Figure:
    _label, field, title, _reading = QUANTITIES[quantity]
    scale = 100 if field.endswith("fraction") else 1
    values = [scale * getattr(one.report, field) for one in measured]
    predicted = [getattr(one.prediction, field, None) for one in measured]
    return shares_by_layer([_(one.design.label) for one in measured], values, _(title), predicted)


def _table(measured: list[Measured]) -> None:
    rows = [
        {
            _("design"): _(one.design.label),
            _("|∂L/∂W| of layer 1"): from_log10(one.report.weight_gradient_log10[0]),
            _("in float32"): from_log10(one.single.weight_gradient_log10[0]),
            _("grad.norm() prints"): significant(one.single.printed_norm[0], 4),
            _("gradient × a layer"): _factor(one.report),
            _("theory: √χ"): _factor(one.prediction) if one.prediction is not None else _("none"),
        }
        for one in measured
    ]
    st.dataframe(rows, hide_index=True)
    if any(one.single.printed_norm[0] == 0 and np.isfinite(one.single.weight_gradient_log10[0]) for one in measured):
        st.caption(_("`grad.norm()` prints 0 where float32 holds the gradient, but not its square: `dtype=torch.float64` would show it."))


def _factor(measured: DepthReport | DepthPrediction) -> str:
    value = factor_a_layer(measured.hidden_gradient_log10)
    return "–" if math.isnan(value) else significant(value)


def _map_panel(link: LinkState, designs: list[Design], depth: int, width: int) -> None:
    """One small random network for every point of the plane, all of the activation of one design."""
    st.markdown(f"##### {_('Where gradients live')}")
    st.markdown(
        _(
            "Every cell is a real random network: red, its gradient explodes on the way back; blue, it vanishes. "
            r"Theory multiplies its square by $\chi = \sigma_w^2\,E[\varphi'(z)^2]$ a layer."
        )
    )
    controls, picture = beside("map")
    by_number = {str(design.index + 1): design for design in designs}
    which = link["map"] if link["map"] in by_number else next(iter(by_number))
    link.fit("map", which, Message("must be the number of a design that is shown: {numbers}", numbers=", ".join(by_number)))
    with controls:
        st.segmented_control(_("Plane"), format_func=said(PLANES), required=True, **link.default("plane"))
        st.radio(_("Activation of"), format_func=lambda number: _(by_number[number].label), **link.index("map", tuple(by_number)))
        if link["plane"] == "depth":
            st.slider(_("σ_b of the biases"), **link.value("sigma_b"))
        else:
            st.caption(_("Through {layers} layers.", layers=measures.PLANE_DEPTH))
        st.caption(_(r"The diamond is the design itself: $\sigma_w = \sqrt{n}\,\mathrm{std}(W)$."))
    design, plane, units = by_number[link["map"]], link["plane"], min(width, MAP_WIDTH_LIMIT)
    with picture:
        if not _affordable([design], measures.plane_elements(plane, units), Message("this map")):
            return
    spec = design.spec(depth, width, 0)
    sigma_w, heights, line = measures.map_axes(spec.activation, plane, link["sigma_b"])
    changes = measures.gradient_plane(spec.activation, plane, link["sigma_b"], units)
    initializer = INITIALIZERS[spec.init]
    w, b = float(np.sqrt(width)) * initializer.std(width, width, spec), initializer.bias_std(width, width, spec)
    y, yname, ytitle = min(float(depth), float(heights[-1])), _("layers"), _("layers the gradient has gone back")
    if plane == "sigma_b":
        y, yname, ytitle = b, "σ<sub>b</sub>", "σ<sub>b</sub>"
    here = (w, y) if 0 < w <= sigma_w[-1] and b <= heights[-1] else None
    with picture:
        figure = gradient_map(sigma_w, heights, changes, line, yname=yname, ytitle=ytitle, here=here)
        alt = _("Gradient of {design} over {plane}, with theory's line", design=design.label, plane=PLANES[plane])
        live_chart(figure, key="gradient_map", height=420, alt=alt)
        st.caption(_line_words(*line))


def _line_words(sigma_w: Array, _heights: Array, jumps: NDArray[np.bool_]) -> str:
    """What theory's line is."""
    found = np.isfinite(sigma_w)
    words = []
    if (found & ~jumps).any():
        words.append(Message(r"Dashed: $\chi = 1$."))
    if (found & jumps).any():
        words.append(
            Message(
                r"Dotted: there is no $\chi = 1$, for two states exist. Left of the line the inputs' signal settles at the small one, with "
                r"$\chi < 1$; right of it, at the large one or nowhere, with $\chi > 1$."
            )
        )
    if words:
        return _(joined(*words))
    return _(r"Up to $\sigma_w = {most}$ there is no $\chi = 1$.", most=f"{measures.MOST_SIGMA_W:g}")
