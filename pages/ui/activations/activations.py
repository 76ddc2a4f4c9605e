"""What the activations page shows of its activations: curves with a probe, cards of facts, identities, cost."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from torch import Tensor

from mlp_core.activations import ACTIVATIONS, Activation, Curve
from mlp_core.labs.activations.facts import FLAT_FRACTION, IDENTITIES, SHAPE, Cost, Gap, Probe, Stretch, gaps, measure, measure_cost, probe
from mlp_core.reports.export import csv_table
from mlp_core.spec import EXPRESSION_PREFIX, MAX_EXPRESSION_LENGTH, RunSpec, SpecError
from mlp_core.words import Message, counted, exactly, joined, latex_number, listed, percent, significant
from pages.figures.activations import FunctionSeries, function_curves
from pages.language import _, written
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
        activation, parameter = self.activation.label, self.activation.parameter
        if parameter is None:
            return activation
        value = exactly(self.parameters[parameter.name])
        return Message("{activation} ({parameter} = {value})", activation=activation, parameter=parameter.symbol, value=value)

    @property
    def title(self) -> str:
        """The label as markdown."""
        return plain(self.label, MAX_EXPRESSION_LENGTH) if self.activation.name.startswith(EXPRESSION_PREFIX) else _(self.label)

    @property
    def series(self) -> FunctionSeries:
        return FunctionSeries(_(self.label), self.curve.x.numpy(), self.curve.value.numpy(), self.curve.gradient.numpy())


def curves_panel(shown: Sequence[ShownActivation], closer: ShownActivation, x: float) -> None:
    """Values above gradients, the tangent at x, what the probe reads there, and every gap by its name."""
    reading = probe(closer.activation, x, **closer.parameters)
    alt = _(
        "Two plots over one x axis: values of {names} above, their gradients below, and the tangent of {activation} at x = {x}.",
        names=listed([one.label for one in shown]), activation=closer.label, x=significant(x),
    )  # fmt: skip
    live_chart(function_curves([one.series for one in shown], reading), key="activation_curves", height=CHART_HEIGHT, alt=alt)
    st.markdown(_reading(closer.title, reading))
    for one in shown:
        for gap in gaps(one.curve):
            st.warning(_gap(one.title, gap))
    download(_("Curves (CSV)"), written("activations.csv"), lambda: _curves_csv(shown))


def _reading(title: str, reading: Probe) -> str:
    gradient = significant(reading.gradient, 4)
    read = Message(
        "{activation} at $x = {x}$: value **{value}**, gradient **{gradient}**.",
        activation=title, x=latex_number(reading.x, 4), value=significant(reading.value, 4), gradient=gradient,
    )  # fmt: skip
    if not math.isfinite(reading.value):
        meant = Message("Without a finite value there is no tangent here.")
    elif reading.jump:
        meant = Message("The function jumps here and so has no slope; {gradient} is what autograd gives.", gradient=gradient)
    elif reading.kink:
        meant = Message(
            "There is a **kink** here: the slope is {left} on the left and {right} on the right (dotted). "
            "By torch's convention it is {gradient}.",
            left=significant(reading.left_slope, 4), right=significant(reading.right_slope, 4), gradient=gradient,
        )  # fmt: skip
    elif not math.isfinite(reading.gradient):
        meant = Message("Without a finite gradient there is no tangent here.")
    else:
        meant = Message("That is the slope of the tangent.")
    return _(joined(read, meant))


def _gap(title: str, gap: Gap) -> str:
    first, last = significant(gap.first, 4), significant(gap.last, 4)
    about = {"quantity": gap.quantity, "activation": title, "kind": gap.kind, "first": first}
    if gap.count == 1:
        return _("The {quantity} of {activation} is {kind} at x = {first} (1 point): a gap in the curve.", **about)
    points = counted(gap.count, "{n} point", "{n} points")
    return _(
        "The {quantity} of {activation} is {kind} between x = {first} and {last} ({points}): a gap in the curve.",
        **about, last=last, points=points,
    )  # fmt: skip


def _curves_csv(shown: Sequence[ShownActivation]) -> str:
    columns = {"x": shown[0].curve.x.tolist()}
    for one in shown:
        columns[written("{activation} value", activation=one.label)] = one.curve.value.tolist()
        columns[written("{activation} gradient", activation=one.label)] = one.curve.gradient.tolist()
    return csv_table(columns)


def facts_panel(shown: Sequence[ShownActivation]) -> None:
    """A card for each activation: formula, advice, and what was measured on the grid."""
    st.subheader(_("What the curves say"))
    st.caption(_("Formulas are written down; every number is computed from the curve above, its gradient by autograd."))
    for start in range(0, len(shown), CARDS_A_ROW):
        for column, one in zip(st.columns(CARDS_A_ROW), shown[start : start + CARDS_A_ROW], strict=False):
            with column.container(border=True, height="stretch"):
                _card(one)


def _card(one: ShownActivation) -> None:
    activation = one.activation
    st.markdown(f"#### {one.title}")
    st.markdown(_(activation.advice))
    st.latex(rf"\varphi(x) = {activation.latex}")
    if activation.derivative_latex:
        st.latex(rf"\varphi'(x) = {activation.derivative_latex}")
    st.markdown("\n".join(f"- {line}" for line in _fact_lines(one)))
    try:
        query = RunSpec(activation=activation.name, activation_parameter=next(iter(one.parameters.values()), None)).to_query()
    except SpecError as error:
        st.caption(_("Not for training: the activation {rule}.", rule=error.rule))
    else:
        label = _("Train with {activation}", activation=one.title)
        link_to("train", label, query or {"activation": activation.name}, icon=":material/play_circle:")


def _fact_lines(one: ShownActivation) -> list[str]:
    facts = measure(one.activation, one.curve, **one.parameters)
    interval = one.activation.range(*one.parameters.values())
    ends = {"low": significant(facts.smallest, 4), "high": significant(facts.largest, 4)}
    mean = significant(round(facts.mean_output, 3), 4)
    lines = [
        _("Range: {interval}; {low} to {high} on this grid", interval=interval, **ends)
        if interval
        else _("Range: {low} to {high} on this grid", **ends),
        _("Steepest: |φ′(x)| = **{slope}**, {places}", slope=significant(facts.steepest, 4), places=_places(facts.steepest_at)),
        _("Mean output for inputs from N(0, 1): none, since the function is not defined for all of them or its integral diverges")
        if math.isnan(facts.mean_output)
        else _("Mean output for inputs from N(0, 1): {mean}, so zero-centered", mean=mean)
        if facts.zero_centered
        else _("Mean output for inputs from N(0, 1): {mean}, so not zero-centered", mean=mean),
        _("Flat (slope below {share} of the largest): {places}", share=percent(FLAT_FRACTION, 0), places=_places(facts.flat)),
    ]
    if facts.kinks:
        lines.append(_("Kink {places}", places=_places([(point, point) for point in facts.kinks])))
    if facts.jumps:
        lines.append(_("Jump {places}", places=_places([(point, point) for point in facts.jumps])))
    return lines


def _places(stretches: Sequence[Stretch]) -> str:
    """Points and stretches of the grid in words, at most `MOST_PLACES` of them."""
    if not stretches:
        return Message("nowhere on this grid")
    points = [significant(first, 4) for first, last in stretches if first == last]
    wider = [f"{significant(first, 4)} ≤ x ≤ {significant(last, 4)}" for first, last in stretches if first < last]
    parts = []
    if points:
        more = ["…"] if len(points) > MOST_PLACES else []
        parts.append(Message("at x = {points}", points=listed([*points[:MOST_PLACES], *more])))
    if wider:
        parts.append(Message("for {stretches}", stretches=listed(wider[:MOST_PLACES], "and")))
    return listed(parts, "and")


def identities_panel(x: Tensor) -> None:
    """Three identities between activations and how far they are from true on the grid, in two precisions."""
    st.subheader(_("Three identities, checked on this grid"))
    rows = [f"| {_('Equation')} | {_('Largest difference, float32')} | float64 |", "|---|---|---|"]
    for identity in IDENTITIES:
        single, double = (identity.largest_difference(grid) for grid in (x.float(), x))
        rows.append(f"| ${identity.latex}$ | {significant(single, 2)} | {significant(double, 2)} |")
    st.markdown("\n".join(rows))


def cost_panel(shown: Sequence[ShownActivation]) -> None:
    """Nanoseconds per element, measured when asked and kept for the session."""
    st.subheader(_("What they cost here"))
    st.caption(
        _(
            "“The exponential is expensive”: measure it. Float32, {shape} values as in one hidden layer of the book's MLP.",
            shape=f"{SHAPE[0]} × {SHAPE[1]}",
        )
    )
    costs: dict[str, Cost] = st.session_state.setdefault("_activation_costs", {})  # label -> its last measurement
    button(_("Measure on this machine"), "activations_measure", "timer", _ask_to_measure)
    if st.session_state.get(ASKED):
        with st.spinner(_("Measuring…")):
            costs["ReLU"] = measure_cost(ACTIVATIONS["relu"])
            costs.update({one.label: measure_cost(one.activation, **one.parameters) for one in shown})
        st.session_state[ASKED] = False  # not before: another click may cut the measurement short
    measured = [label for label in dict.fromkeys(["ReLU", *(one.label for one in shown)]) if label in costs]
    if not measured:
        return
    relu = costs["ReLU"].forward + costs["ReLU"].backward
    forward, backward, both = _("Forward, ns per element"), _("Backward, ns per element"), _("Both, as a multiple of ReLU")
    rows = [
        {
            _("Activation"): _(label),
            forward: costs[label].forward,
            backward: costs[label].backward,
            _("Threads"): costs[label].threads,
            both: (costs[label].forward + costs[label].backward) / relu,
        }
        for label in measured
    ]
    nanoseconds, times = st.column_config.NumberColumn(format="%.2f"), st.column_config.NumberColumn(format="%.1f")
    st.dataframe(rows, hide_index=True, width="content", column_config={forward: nanoseconds, backward: nanoseconds, both: times})


def _ask_to_measure() -> None:
    st.session_state[ASKED] = True
