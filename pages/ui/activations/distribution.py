"""A distribution pushed through an activation, and what that would do to a gradient through many layers. Draws its own controls."""

import math

import streamlit as st

from mlp_core.labs.activations.distribution import MEAN_BOUNDS, STD_BOUNDS, Pushed, gradient_scale_log10, push_through
from mlp_core.reports.export import csv_table
from mlp_core.spec import MAX_LAYERS, Bounds
from mlp_core.words import counted, exactly, from_log10, latex_number, percent, significant
from pages.figures.activations import FunctionSeries, pushed_distribution
from pages.ui.activations.activations import ShownActivation
from pages.ui.downloads import download
from pages.ui.link import LinkState, link_to, number
from pages.ui.live_chart import live_chart

CHART_HEIGHT = 400
LARGEST_LOG = 700.0  # ln of about the largest and, negative, the smallest float64
FIELDS = (
    number("mean", 0.0, MEAN_BOUNDS, 0.1),
    number("std", 1.0, STD_BOUNDS, 0.05),
    number("weight_variance", 1.0, Bounds(0.1, 4.0), 0.1),
    number("depth", 20, Bounds(1, MAX_LAYERS, whole=True)),
)


def distribution_panel(link: LinkState, shown: ShownActivation) -> None:
    """Inputs N(μ, s²) against outputs, the fractions that learn nothing, and the gradient after L such layers."""
    st.subheader(f"A distribution pushed through {shown.title}")
    controls, picture = st.columns([1, 2.4], gap="medium")
    with controls:
        variance_help = "Weights have variance σ_w² divided by the layer's inputs. He: 2. Xavier, for equal widths: 1."
        st.slider(r"Mean $\mu$ of the inputs", **link.value("mean"))
        st.slider("Standard deviation $s$ of the inputs", **link.value("std"))
        st.slider(r"Weight variance $\sigma_w^2$", **link.value("weight_variance", help=variance_help))
        st.slider("Layers $L$", **link.value("depth"))
    pushed = push_through(shown.activation, link["mean"], link["std"], **shown.parameters)
    with picture:
        curve = FunctionSeries(shown.label, *(part.numpy() for part in (pushed.curve.x, pushed.curve.value, pushed.curve.gradient)))
        alt = f"Histogram of inputs below the curve of {shown.label}, histogram of its outputs to the right."
        figure = pushed_distribution(curve, pushed.inputs, pushed.outputs)
        live_chart(figure, key="pushed_distribution", height=CHART_HEIGHT, alt=alt)
    _metrics(pushed, shown.activation.saturated_margin)
    _through_depth(shown, pushed.log_slope_square, link["weight_variance"], link["depth"])
    download("Histograms (CSV)", "distribution.csv", lambda: _csv(pushed))


def _metrics(pushed: Pushed, margin: float | None) -> None:
    saturated, dead, output, gradient = st.columns(4)
    fraction = pushed.saturated_fraction
    near = f"within {margin:g} of an end of its range: the slope is small there, and not 0" if margin else "at an end of its range"
    meant = "The output of this function does not tell whether it is flat." if fraction is None else f"Outputs {near}."
    saturated.metric("Saturated", "–" if fraction is None else percent(fraction), help=meant)
    dead.metric("Gradient exactly 0", percent(pushed.dead_fraction), help="The slope itself, wherever the output lies.")
    output.metric("Output, mean ± std", _mean_and_std(pushed))
    gradient.metric(r"$E[\varphi'(z)^2]$", _slope_square(pushed.log_slope_square))
    if pushed.undefined_fraction > 0:
        share = significant(100 * pushed.undefined_fraction)
        st.warning(f"For {share} % of the inputs value or gradient is not a number: what is said here is of the others.")


def _mean_and_std(pushed: Pushed) -> str:
    if math.isnan(pushed.std_output):
        return "–"
    if math.isnan(pushed.mean_output):
        return "diverges"
    std = significant(pushed.std_output) if math.isfinite(pushed.std_output) else "diverges"
    return f"{significant(pushed.mean_output)} ± {std}"


def _slope_square(log: float) -> str:
    if not log < math.inf:
        return "–" if math.isnan(log) else "diverges"
    return significant(math.exp(log), 4) if abs(log) < LARGEST_LOG else from_log10(log / math.log(10))


def _through_depth(shown: ShownActivation, log_slope_square: float, variance: float, depth: int) -> None:
    if not log_slope_square < LARGEST_LOG:
        st.markdown(r"$E[\varphi'(z)^2]$ is no number here, and so nothing can be said of a gradient through many such layers.")
        return
    slope_square = math.exp(log_slope_square)
    power, chi = gradient_scale_log10(log_slope_square, variance, depth), variance * slope_square
    factors, result = rf"{latex_number(variance, 4)} \times {latex_number(slope_square, 4)}", latex_number(chi, 4)
    product = rf"\chi = \sigma_w^2\,E[\varphi'^2] = {factors} = {result}"
    effect = "$0$" if math.isinf(power) else rf"about $\chi^{{L/2}} = 10^{{{latex_number(round(power, 1), 4)}}}$"
    st.markdown(
        f"If every layer saw these inputs, each would multiply the mean squared gradient by ${product}$. "
        f"After **{counted(depth, '{n} layer', '{n} layers')}** the gradient is scaled by {effect}: {_verdict(chi)}."
    )
    if shown.activation.trainable:
        query = {"activation": shown.activation.name, "depth": str(depth)}
        label = f"Measure it in a real network of {counted(depth, '{n} layer', '{n} layers')}{_default(shown)}"
        link_to("stability", label, query, icon=":material/stacked_line_chart:")


def _default(shown: ShownActivation) -> str:
    """What the link cannot take along: a parameter away from its default."""
    parameter = shown.activation.parameter
    if parameter is None or shown.parameters[parameter.name] == parameter.default:
        return ""
    return f", with {parameter.symbol} = {exactly(parameter.default)}"


def _verdict(chi: float) -> str:
    if math.isclose(chi, 1.0, rel_tol=0.02):
        return "it keeps its size"
    return "it **vanishes**" if chi < 1 else "it **explodes**"


def _csv(pushed: Pushed) -> str:
    columns: dict[str, list[float]] = {}
    for name, histogram in (("input", pushed.inputs), ("output", pushed.outputs)):
        columns |= {f"{name} from": histogram.edges[:-1].tolist(), f"{name} to": histogram.edges[1:].tolist()}
        columns |= {f"{name} {part}": getattr(histogram, part).tolist() for part in ("active", "saturated", "dead")}
    return csv_table(columns)
