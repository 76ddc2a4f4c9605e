"""A distribution pushed through an activation, and what that would do to a gradient through many layers. Draws its own controls."""

import math

import streamlit as st

from mlp_core.labs.activations.distribution import MEAN_BOUNDS, STD_BOUNDS, Pushed, gradient_scale_log10, push_through
from mlp_core.reports.export import csv_table
from mlp_core.spec import MAX_LAYERS, Bounds
from mlp_core.words import Message, counted, exactly, from_log10, joined, latex_number, percent, significant
from pages.figures.activations import FunctionSeries, pushed_distribution
from pages.language import _, written
from pages.ui.activations.activations import ShownActivation
from pages.ui.downloads import download
from pages.ui.link import LinkState, link_to, number
from pages.ui.live_chart import live_chart

CHART_HEIGHT = 400
LARGEST_LOG = 700.0  # ln of about the largest and, negative, the smallest float64
INPUT_COLUMNS = (
    Message("input from"), Message("input to"), Message("input active"), Message("input saturated"), Message("input dead"),
)  # fmt: skip
OUTPUT_COLUMNS = (
    Message("output from"), Message("output to"), Message("output active"), Message("output saturated"), Message("output dead"),
)  # fmt: skip
FIELDS = (
    number("mean", 0.0, MEAN_BOUNDS, 0.1),
    number("std", 1.0, STD_BOUNDS, 0.05),
    number("weight_variance", 1.0, Bounds(0.1, 4.0), 0.1),
    number("depth", 20, Bounds(1, MAX_LAYERS, whole=True)),
)


def distribution_panel(link: LinkState, shown: ShownActivation) -> None:
    """Inputs N(μ, s²) against outputs, the fractions that learn nothing, and the gradient after L such layers."""
    st.subheader(_("A distribution pushed through {activation}", activation=shown.title))
    controls, picture = st.columns([1, 2.4], gap="medium")
    with controls:
        variance_help = _("Weights have variance σ_w² divided by the layer's inputs. He: 2. Xavier, for equal widths: 1.")
        st.slider(_(r"Mean $\mu$ of the inputs"), **link.value("mean"))
        st.slider(_("Standard deviation $s$ of the inputs"), **link.value("std"))
        st.slider(_(r"Weight variance $\sigma_w^2$"), **link.value("weight_variance", help=variance_help))
        st.slider(_("Layers $L$"), **link.value("depth"))
    pushed = push_through(shown.activation, link["mean"], link["std"], **shown.parameters)
    with picture:
        curve = FunctionSeries(_(shown.label), *(part.numpy() for part in (pushed.curve.x, pushed.curve.value, pushed.curve.gradient)))
        alt = _("Histogram of inputs below the curve of {activation}, histogram of its outputs to the right.", activation=shown.label)
        figure = pushed_distribution(curve, pushed.inputs, pushed.outputs)
        live_chart(figure, key="pushed_distribution", height=CHART_HEIGHT, alt=alt)
    _metrics(pushed, shown.activation.saturated_margin)
    _through_depth(shown, pushed.log_slope_square, link["weight_variance"], link["depth"])
    download(_("Histograms (CSV)"), written("distribution.csv"), lambda: _csv(pushed))


def _metrics(pushed: Pushed, margin: float | None) -> None:
    saturated, dead, output, gradient = st.columns(4)
    fraction = pushed.saturated_fraction
    if fraction is None:
        meant = _("The output of this function does not tell whether it is flat.")
    elif margin:
        meant = _("Outputs within {margin} of an end of its range: the slope is small there, and not 0.", margin=f"{margin:g}")
    else:
        meant = _("Outputs at an end of its range.")
    saturated.metric(_("Saturated"), "–" if fraction is None else _(percent(fraction)), help=meant)
    dead.metric(_("Gradient exactly 0"), _(percent(pushed.dead_fraction)), help=_("The slope itself, wherever the output lies."))
    output.metric(_("Output, mean ± std"), _mean_and_std(pushed))
    gradient.metric(r"$E[\varphi'(z)^2]$", _slope_square(pushed.log_slope_square))
    if pushed.undefined_fraction > 0:
        share = significant(100 * pushed.undefined_fraction)
        st.warning(_("For {share} % of the inputs value or gradient is not a number: what is said here is of the others.", share=share))


def _mean_and_std(pushed: Pushed) -> str:
    if math.isnan(pushed.std_output):
        return "–"
    if math.isnan(pushed.mean_output):
        return _("diverges")
    std = significant(pushed.std_output) if math.isfinite(pushed.std_output) else _("diverges")
    return f"{significant(pushed.mean_output)} ± {std}"


def _slope_square(log: float) -> str:
    if not log < math.inf:
        return "–" if math.isnan(log) else _("diverges")
    return significant(math.exp(log), 4) if abs(log) < LARGEST_LOG else from_log10(log / math.log(10))


def _through_depth(shown: ShownActivation, log_slope_square: float, variance: float, depth: int) -> None:
    if not log_slope_square < LARGEST_LOG:
        st.markdown(_(r"$E[\varphi'(z)^2]$ is no number here, and so nothing can be said of a gradient through many such layers."))
        return
    slope_square = math.exp(log_slope_square)
    power, chi = gradient_scale_log10(log_slope_square, variance, depth), variance * slope_square
    factors, result = rf"{latex_number(variance, 4)} \times {latex_number(slope_square, 4)}", latex_number(chi, 4)
    product = rf"\chi = \sigma_w^2\,E[\varphi'^2] = {factors} = {result}"
    scaled = rf"$\chi^{{L/2}} = 10^{{{latex_number(round(power, 1), 4)}}}$"
    factor = "$0$" if math.isinf(power) else Message("about {number}", number=scaled)
    each = Message("If every layer saw these inputs, each would multiply the mean squared gradient by {product}.", product=f"${product}$")
    st.markdown(_(joined(each, _through_all(chi, factor, counted(depth, "{n} layer", "{n} layers")))))
    if shown.activation.trainable:
        query = {"activation": shown.activation.name, "depth": str(depth)}
        link_to("stability", _measured_in(shown, depth), query, icon=":material/stacked_line_chart:")


def _measured_in(shown: ShownActivation, depth: int) -> str:
    """Where the link leads; it cannot take along a parameter that is away from its default."""
    parameter = shown.activation.parameter
    if parameter is None or shown.parameters[parameter.name] == parameter.default:
        return _(counted(depth, "Measure it in a real network of {n} layer", "Measure it in a real network of {n} layers"))
    return _(
        counted(
            depth,
            "Measure it in a real network of {n} layer, with {parameter} = {value}",
            "Measure it in a real network of {n} layers, with {parameter} = {value}",
            parameter=parameter.symbol,
            value=exactly(parameter.default),
        )
    )


def _through_all(chi: float, factor: str, layers: str) -> Message:
    """What becomes of the gradient, at the factor of one layer and that of all."""
    if math.isclose(chi, 1.0, rel_tol=0.02):
        return Message("After **{layers}** the gradient is scaled by {factor}: it keeps its size.", layers=layers, factor=factor)
    if chi < 1:
        return Message("After **{layers}** the gradient is scaled by {factor}: it **vanishes**.", layers=layers, factor=factor)
    return Message("After **{layers}** the gradient is scaled by {factor}: it **explodes**.", layers=layers, factor=factor)


def _csv(pushed: Pushed) -> str:
    columns: dict[str, list[float]] = {}
    for names, one in ((INPUT_COLUMNS, pushed.inputs), (OUTPUT_COLUMNS, pushed.outputs)):
        parts = (one.edges[:-1], one.edges[1:], one.active, one.saturated, one.dead)
        columns |= {written(name): part.tolist() for name, part in zip(names, parts, strict=True)}
    return csv_table(columns)
