"""The activations page as one experiment: which functions, on which grid, at which place; and its panels."""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import streamlit as st

from mlp_core.activations import ACTIVATIONS, Activation, evaluate
from mlp_core.expression import ExpressionError, compile_expression
from mlp_core.expression.operations import functions
from mlp_core.labs.activations.distribution import Pushed, gradient_scale_log10, push_through
from mlp_core.labs.activations.facts import Facts, Probe, grid, measure, probe
from mlp_core.spec import MAX_EXPRESSION_LENGTH, Bounds, SpecError
from mlp_core.words import Message, exactly, listed
from pages.language import _
from pages.ui.activations import distribution
from pages.ui.activations.activations import ShownActivation, cost_panel, curves_panel, facts_panel, identities_panel
from pages.ui.link import LinkState, choice, choices, number, span, stop, text
from pages.ui.measures import Computed, Values, once

OWN = "own"
GRID_BOUNDS = Bounds(-20.0, 20.0)
RANGE_STEP = 1.0
STEPS = ("0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1")
WITH_PARAMETER = {name: entry.parameter for name, entry in ACTIVATIONS.items() if entry.parameter}
FIELDS = (
    choices("show", ("relu", "sigmoid", "tanh"), tuple(ACTIVATIONS)),
    text("own", "", MAX_EXPRESSION_LENGTH),
    *(
        number(f"{name}_{one.name}", one.default, one.bounds, 0.01 if one.bounds.high - one.bounds.low <= 3 else 0.05)
        for name, one in WITH_PARAMETER.items()
    ),
    choice("closer", "relu", (*ACTIVATIONS, OWN)),
    number("x", 1.0, GRID_BOUNDS),
    span("range", (-8.0, 8.0), GRID_BOUNDS, RANGE_STEP),
    stop("step", "0.1", STEPS),
    *distribution.FIELDS,
)


class Drawn(NamedTuple):
    """An activation as it is drawn: where the tangent is, and the distribution that is pushed through it."""

    shown: ShownActivation
    x: float
    values: Values

    @property
    def probe(self) -> Probe:
        return probe(self.shown.activation, self.x, **self.shown.parameters)

    @property
    def facts(self) -> Facts:
        return measure(self.shown.activation, self.shown.curve, **self.shown.parameters)

    @property
    def pushed(self) -> Pushed:
        return push_through(self.shown.activation, self.values["mean"], self.values["std"], **self.shown.parameters)


MEASURES = {
    "value": once(Message("Value φ(x)"), Message("At the place of the tangent"), "number", lambda one: one.probe.value),
    "gradient": once(
        Message("Gradient φ′(x)"), Message("At the place of the tangent, by autograd"), "number", lambda one: one.probe.gradient
    ),
    "largest_gradient": once(
        Message("Largest gradient"), Message("Largest |φ′(x)| on the grid"), "number", lambda one: one.facts.steepest
    ),
    "mean_output": once(Message("Mean output"), Message("For inputs from N(0, 1)"), "number", lambda one: one.facts.mean_output),
    "expected_squared_gradient": once(
        Message("Expected squared gradient"), Message("E[φ′(z)²] for z ~ N(μ, s²)"), "number",
        lambda one: math.exp(min(one.pushed.log_slope_square, distribution.LARGEST_LOG)),
    ),
    "saturated_fraction": once(
        Message("Saturated"), Message("Outputs for z ~ N(μ, s²) near an end of the range"), "fraction",
        lambda one: one.pushed.saturated_fraction,
    ),
    "dead_fraction": once(
        Message("Gradient exactly 0"), Message("Inputs z ~ N(μ, s²) with such a gradient"), "fraction",
        lambda one: one.pushed.dead_fraction,
    ),
    "log10_gradient_scale": once(
        Message("Scale of the gradient through all layers"), Message("(σ_w² E[φ′(z)²])^(L/2), if every layer saw z ~ N(μ, s²)"), "log10",
        lambda one: gradient_scale_log10(one.pushed.log_slope_square, one.values["weight_variance"], one.values["depth"]),
    ),
}  # fmt: skip


def subject(values: Values) -> Computed:
    """The activations that the fields name.

    Raises:
        SpecError: the visitor's own cannot be computed.
    """
    chosen, error = _functions(values)
    if error is not None:
        number, why = error.position + 1, error.rule
        rule = Message("must be an expression that can be computed (character {number}: {rule})", number=number, rule=why)
        raise SpecError("own", rule, values["own"])
    drawn = [Drawn(one, _place(values), values) for one in _curves(values, chosen).values()]
    labels = tuple(one.shown.label for one in drawn) if len(drawn) > 1 else ()
    return Computed(MEASURES, labels, lambda: dict(zip(labels or ("",), drawn, strict=False)))


def show(name: str, follow: Callable[[LinkState], None]) -> None:
    """The page's panels, shown on another page.

    Args:
        name: what its fields and widgets are called here.
        follow: sets the fields to what the link says, where that is due.
    """
    link = LinkState(name, FIELDS, address=False)
    follow(link)
    link.show_errors()
    if shown := _curves(link, _functions(link)[0]):
        panels(link, shown, *_probed(link, shown))
    link.write()


def panels(link: LinkState, shown: dict[str, ShownActivation], closer: ShownActivation, x: float) -> None:
    """All that is shown of them."""
    curves_panel(list(shown.values()), closer, x)
    facts_panel(list(shown.values()))
    distribution.distribution_panel(link, closer)
    identities_panel(closer.curve.x)
    cost_panel(list(shown.values()))


def _functions(values: Values) -> tuple[dict[str, Activation], ExpressionError | None]:
    """Name -> activation, and what is wrong with the visitor's own."""
    chosen = {name: ACTIVATIONS[name] for name in values["show"]}
    if values["own"].strip():
        try:
            chosen[OWN] = compile_expression(values["own"])
        except ExpressionError as error:
            return chosen, error
    return chosen, None


def _curves(values: Values, chosen: Mapping[str, Activation]) -> dict[str, ShownActivation]:
    """Each with its parameter, on the grid."""
    (low, high), shown = values["range"], {}
    x = grid(low, high, float(values["step"]))
    for name, activation in chosen.items():
        parameter = activation.parameter
        parameters = {parameter.name: values[f"{name}_{parameter.name}"]} if parameter is not None else {}
        shown[name] = ShownActivation(activation, parameters, evaluate(activation, x, **parameters))
    return shown


def _place(values: Values) -> float:
    """Where the tangent is, in the range of x."""
    low, high = values["range"]
    return float(min(max(values["x"], low), high))


def _probed(link: LinkState, shown: Mapping[str, ShownActivation]) -> tuple[ShownActivation, float]:
    """Which activation to look at closer, and where."""
    closer = link["closer"] if link["closer"] in shown else next(iter(shown))
    link.fit("closer", closer, Message("must be one of those that are shown: {names}", names=", ".join(shown)))
    low, high = link["range"]
    rule = Message("must lie in the range of x, from {low} to {high}", low=exactly(low), high=exactly(high))
    link.fit("x", _place(link), rule)
    return shown[link["closer"]], link["x"]


def choose(link: LinkState) -> tuple[dict[str, ShownActivation], ExpressionError | None]:
    """Draw the controls of what to show; name -> activation, and what is wrong with the visitor's own."""
    st.markdown(f"**{_('Functions')}**")
    st.multiselect(_("Activations"), format_func=lambda name: _(ACTIVATIONS[name].label), **link.default("show"))
    st.text_input(_("Your own, in x"), placeholder="x*sigmoid(1.702*x)", icon=":material/function:", **link.value("own"))
    with st.popover(_("What an expression may contain"), type="tertiary"):
        st.markdown(
            _(
                "`x`, numbers, `pi`, `e`, `+ - * /`, `^` or `**` with a constant exponent, `< <= > >=`, brackets, and\n\n{functions}.\n\n"
                "For example `where(x > 0, x, 0.1*x)`, `sin(x)`, `max(x, 0)^2`.",
                functions=listed([f"`{name}`" for name in sorted(functions())]),
            )
        )
    chosen, error = _functions(link)
    tunable = [name for name in chosen if name in WITH_PARAMETER]
    if tunable:
        st.markdown(f"**{_('Parameters')}**")
    for name in tunable:
        one = WITH_PARAMETER[name]
        st.slider(f"{_(ACTIVATIONS[name].label)} ${one.symbol}$", **link.value(f"{name}_{one.name}", help=_(one.help)))
    low, high = link["range"]
    if low == high:  # both ends of the slider on one place
        low = min(low, GRID_BOUNDS.high - RANGE_STEP)
        high = low + RANGE_STEP
        link["range"] = (low, high)
    return _curves(link, chosen), error


def probe_controls(link: LinkState, shown: dict[str, ShownActivation]) -> tuple[ShownActivation, float]:
    """Draw the controls of the probe and the grid; which activation to look at closer, and where."""
    st.markdown(f"**{_('Probe')}**")
    _probed(link, shown)
    st.selectbox(_("Look closer at"), format_func=lambda name: _(shown[name].activation.label), **link.index("closer", tuple(shown)))
    (low, high), step = link["range"], float(link["step"])
    st.slider(_("Tangent at $x$"), **link.value("x", min_value=low, max_value=high, step=step))
    st.markdown(f"**{_('Grid')}**")
    st.slider(_("Range of $x$"), **link.value("range"))
    st.select_slider(_("Step of $x$"), **link.value("step"))
    return shown[link["closer"]], link["x"]
