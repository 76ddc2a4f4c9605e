"""What the activations page shows of its activations: curves with a probe, cards of facts, identities, cost."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from torch import Tensor

from mlp_core.activations import ACTIVATIONS, Activation, Curve
from mlp_core.labs.activations.facts import FLAT_FRACTION, IDENTITIES, SHAPE, Cost, Probe, Stretch, gaps, measure, measure_cost, probe
from mlp_core.reports.export import csv_table
from mlp_core.spec import EXPRESSION_PREFIX, MAX_EXPRESSION_LENGTH, RunSpec, SpecError
from mlp_core.words import counted, exactly, latex_number, percent, significant
from pages.figures.activations import FunctionSeries, function_curves
from pages.ui.downloads import download
from pages.ui.link import link_to
from pages.ui.live_chart import live_chart
from pages.ui.text import plain
from pages.ui.unbroken import button

CHART_HEIGHT = 470
CARDS_A_ROW = 2
MOST_PLACES = 6
ASKED = "_activation_costs_asked"  # whether to measure what they cost


@dataclass(frozen=True)
class ShownActivation:
    """One activation on the page, at the parameters its sliders give, on the grid the page draws."""

    activation: Activation
    parameters: dict[str, float]
    curve: Curve

    @property
    def label(self) -> str:
        parameter = self.activation.parameter
        values = f" ({parameter.symbol} = {exactly(self.parameters[parameter.name])})" if parameter else ""
        return f"{self.activation.label}{values}"

    @property
    def title(self) -> str:
        """The label as markdown."""
        return plain(self.label, MAX_EXPRESSION_LENGTH) if self.activation.name.startswith(EXPRESSION_PREFIX) else self.label

    @property
    def series(self) -> FunctionSeries:
        return FunctionSeries(self.label, self.curve.x.numpy(), self.curve.value.numpy(), self.curve.gradient.numpy())


def curves_panel(shown: Sequence[ShownActivation], closer: ShownActivation, x: float) -> None:
    """Values above gradients, the tangent at x, what the probe reads there, and every gap by its name."""
    reading = probe(closer.activation, x, **closer.parameters)
    names = ", ".join(one.label for one in shown)
    tangent = f"the tangent of {closer.label} at x = {significant(x)}"
    alt = f"Two plots over one x axis: values of {names} above, their gradients below, and {tangent}."
    live_chart(function_curves([one.series for one in shown], reading), key="activation_curves", height=CHART_HEIGHT, alt=alt)
    st.markdown(_reading(closer.title, reading))
    for one in shown:
        for gap in gaps(one.curve):
            where = (
                f"at x = {significant(gap.first, 4)}"
                if gap.count == 1
                else f"between x = {significant(gap.first, 4)} and {significant(gap.last, 4)}"
            )
            st.warning(
                f"The {gap.quantity} of {one.title} is {gap.kind} {where} ({counted(gap.count, '{n} point', '{n} points')}): a gap in the curve."  # noqa: E501
            )
    download("Curves (CSV)", "activations.csv", lambda: _curves_csv(shown))


def _reading(title: str, reading: Probe) -> str:
    gradient = significant(reading.gradient, 4)
    text = f"{title} at $x = {latex_number(reading.x, 4)}$: value **{significant(reading.value, 4)}**, gradient **{gradient}**."
    if not math.isfinite(reading.value):
        return f"{text} Without a finite value there is no tangent here."
    if reading.jump:
        return f"{text} The function jumps here and so has no slope; {gradient} is what autograd gives."
    if reading.kink:
        sides = f"{significant(reading.left_slope, 4)} on the left and {significant(reading.right_slope, 4)} on the right"
        return f"{text} There is a **kink** here: the slope is {sides} (dotted). By torch's convention it is {gradient}."
    if not math.isfinite(reading.gradient):
        return f"{text} Without a finite gradient there is no tangent here."
    return f"{text} That is the slope of the tangent."


def _curves_csv(shown: Sequence[ShownActivation]) -> str:
    columns = {"x": shown[0].curve.x.tolist()}
    for one in shown:
        columns |= {f"{one.label} value": one.curve.value.tolist(), f"{one.label} gradient": one.curve.gradient.tolist()}
    return csv_table(columns)


def facts_panel(shown: Sequence[ShownActivation]) -> None:
    """A card for each activation: formula, advice, and what was measured on the grid."""
    st.subheader("What the curves say")
    st.caption("Formulas are written down; every number is computed from the curve above, its gradient by autograd.")
    for start in range(0, len(shown), CARDS_A_ROW):
        for column, one in zip(st.columns(CARDS_A_ROW), shown[start : start + CARDS_A_ROW], strict=False):
            with column.container(border=True, height="stretch"):
                _card(one)


def _card(one: ShownActivation) -> None:
    activation = one.activation
    st.markdown(f"#### {one.title}")
    st.markdown(activation.advice)
    st.latex(rf"\varphi(x) = {activation.latex}")
    if activation.derivative_latex:
        st.latex(rf"\varphi'(x) = {activation.derivative_latex}")
    st.markdown("\n".join(f"- {line}" for line in _fact_lines(one)))
    try:
        query = RunSpec(activation=activation.name, activation_parameter=next(iter(one.parameters.values()), None)).to_query()
    except SpecError as error:
        st.caption(f"Not for training: the activation {error.rule}.")
    else:
        link_to("train", f"Train with {one.title}", query or {"activation": activation.name}, icon=":material/play_circle:")


def _fact_lines(one: ShownActivation) -> list[str]:
    facts = measure(one.activation, one.curve, **one.parameters)
    interval = one.activation.range(*one.parameters.values())
    on_grid = f"{significant(facts.smallest, 4)} to {significant(facts.largest, 4)} on this grid"
    mean = f"{significant(round(facts.mean_output, 3), 4)}, so {'zero-centered' if facts.zero_centered else 'not zero-centered'}"
    if math.isnan(facts.mean_output):
        mean = "none, since the function is not defined for all of them or its integral diverges"
    lines = [
        f"Range: {interval}; {on_grid}" if interval else f"Range: {on_grid}",
        f"Steepest: |φ′(x)| = **{significant(facts.steepest, 4)}**, {_places(facts.steepest_at)}",
        f"Mean output for inputs from N(0, 1): {mean}",
        f"Flat (slope below {percent(FLAT_FRACTION, 0)} of the largest): {_places(facts.flat)}",
    ]
    for name, points in (("Kink", facts.kinks), ("Jump", facts.jumps)):
        if points:
            lines.append(f"{name} {_places([(point, point) for point in points])}")
    return lines


def _places(stretches: Sequence[Stretch]) -> str:
    """Points and stretches of the grid in words, at most `MOST_PLACES` of them."""
    if not stretches:
        return "nowhere on this grid"
    points = [significant(first, 4) for first, last in stretches if first == last]
    wider = [f"{significant(first, 4)} ≤ x ≤ {significant(last, 4)}" for first, last in stretches if first < last]
    parts = [f"at x = {', '.join(points[:MOST_PLACES])}{', …' if len(points) > MOST_PLACES else ''}"] if points else []
    if wider:
        parts.append(f"for {' and '.join(wider[:MOST_PLACES])}")
    return " and ".join(parts)


def identities_panel(x: Tensor) -> None:
    """Three identities between activations and how far they are from true on the grid, in two precisions."""
    st.subheader("Three identities, checked on this grid")
    rows = ["| Identity | Largest difference, float32 | float64 |", "|---|---|---|"]
    for identity in IDENTITIES:
        single, double = (identity.largest_difference(grid) for grid in (x.float(), x))
        rows.append(f"| ${identity.latex}$ | {significant(single, 2)} | {significant(double, 2)} |")
    st.markdown("\n".join(rows))


def cost_panel(shown: Sequence[ShownActivation]) -> None:
    """Nanoseconds per element, measured when asked and kept for the session."""
    st.subheader("What they cost here")
    st.caption(
        f"“The exponential is expensive”: measure it. Float32, {SHAPE[0]} × {SHAPE[1]} values as in one hidden layer of the book's MLP."
    )
    costs: dict[str, Cost] = st.session_state.setdefault("_activation_costs", {})  # label -> its last measurement
    button("Measure on this machine", "activations_measure", "timer", _ask_to_measure)
    if st.session_state.get(ASKED):
        with st.spinner("Measuring…"):
            costs["ReLU"] = measure_cost(ACTIVATIONS["relu"])
            costs.update({one.label: measure_cost(one.activation, **one.parameters) for one in shown})
        st.session_state[ASKED] = False  # not before: another click may cut the measurement short
    listed = [label for label in dict.fromkeys(["ReLU", *(one.label for one in shown)]) if label in costs]
    if not listed:
        return
    relu = costs["ReLU"].forward + costs["ReLU"].backward
    rows = []
    for label in listed:
        forward, backward, threads = costs[label].forward, costs[label].backward, costs[label].threads
        multiple = {"Both, as a multiple of ReLU": (forward + backward) / relu}
        rows.append({"Activation": label, "Forward": forward, "Backward": backward, "Threads": threads} | multiple)
    st.dataframe(
        rows,
        hide_index=True,
        width="content",
        column_config={
            "Forward": st.column_config.NumberColumn("Forward, ns per element", format="%.2f"),
            "Backward": st.column_config.NumberColumn("Backward, ns per element", format="%.2f"),
            "Both, as a multiple of ReLU": st.column_config.NumberColumn(format="%.1f"),
        },
    )


def _ask_to_measure() -> None:
    st.session_state[ASKED] = True
