"""The activations page: which functions, on which grid, and the panels that show them."""

import streamlit as st

from pages.ui.navigation import page_header  # first: it limits what all others compute with

# isort: split
from mlp_core.activations import ACTIVATIONS, evaluate
from mlp_core.expression import ExpressionError, compile_expression
from mlp_core.expression.operations import functions
from mlp_core.labs.activations.facts import grid
from mlp_core.spec import MAX_EXPRESSION_LENGTH, Bounds
from mlp_core.words import exactly
from pages.ui.activations import distribution
from pages.ui.activations.activations import ShownActivation, cost_panel, curves_panel, facts_panel, identities_panel
from pages.ui.link import LinkState, choice, choices, number, span, stop, text

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


def choose(link: LinkState) -> tuple[dict[str, ShownActivation], ExpressionError | None]:
    """Draw the controls of what to show; name -> activation, and what is wrong with the visitor's own."""
    st.markdown("**Functions**")
    st.multiselect("Activations", format_func=lambda name: ACTIVATIONS[name].label, **link.default("show"))
    st.text_input("Your own, in x", placeholder="x*sigmoid(1.702*x)", icon=":material/function:", **link.value("own"))
    with st.popover("What an expression may contain", type="tertiary"):
        st.markdown(
            "`x`, numbers, `pi`, `e`, `+ - * /`, `^` or `**` with a constant exponent, `< <= > >=`, brackets, and\n\n"
            + ", ".join(f"`{name}`" for name in sorted(functions()))
            + ".\n\nFor example `where(x > 0, x, 0.1*x)`, `sin(x)`, `max(x, 0)^2`."
        )
    chosen = {name: ACTIVATIONS[name] for name in link["show"]}
    error = None
    if link["own"].strip():
        try:
            chosen[OWN] = compile_expression(link["own"])
        except ExpressionError as refused:
            error = refused
    parameters: dict[str, dict[str, float]] = {name: {} for name in chosen}
    tunable = [name for name in chosen if name in WITH_PARAMETER]
    if tunable:
        st.markdown("**Parameters**")
    for name in tunable:
        one, field = WITH_PARAMETER[name], f"{name}_{WITH_PARAMETER[name].name}"
        st.slider(f"{ACTIVATIONS[name].label} ${one.symbol}$", **link.value(field, help=one.help))
        parameters[name][one.name] = link[field]
    low, high = link["range"]
    if low == high:  # both ends of the slider on one place
        low = min(low, GRID_BOUNDS.high - RANGE_STEP)
        high = low + RANGE_STEP
        link["range"] = (low, high)
    x = grid(low, high, float(link["step"]))
    return {name: ShownActivation(entry, parameters[name], evaluate(entry, x, **parameters[name])) for name, entry in chosen.items()}, error


def probe_controls(link: LinkState, shown: dict[str, ShownActivation]) -> tuple[ShownActivation, float]:
    """Draw the controls of the probe and the grid; which activation to look at closer, and where."""
    st.markdown("**Probe**")
    closer = link["closer"] if link["closer"] in shown else next(iter(shown))
    link.fit("closer", closer, f"must be one of those that are shown: {', '.join(shown)}")
    st.selectbox("Look closer at", format_func=lambda name: shown[name].activation.label, **link.index("closer", tuple(shown)))
    (low, high), step = link["range"], float(link["step"])
    rule = f"must lie in the range of x, from {exactly(low)} to {exactly(high)}"
    link.fit("x", min(max(link["x"], low), high), rule)
    st.slider("Tangent at $x$", **link.value("x", min_value=low, max_value=high, step=step))
    st.markdown("**Grid**")
    st.slider("Range of $x$", **link.value("range"))
    st.select_slider("Step", **link.value("step"))
    return shown[link["closer"]], link["x"]


def page() -> None:
    page_header(
        "activations",
        "The activation bends what a layer computes; its **gradient** is all that the layers below get to learn from. "
        "Choose functions in the sidebar, or type one of your own.",
    )
    link = LinkState("activations", FIELDS)
    link.show_errors()
    with st.sidebar:
        shown, error = choose(link)
        if shown:
            closer, x = probe_controls(link, shown)
    if error is not None:
        st.error(f"Your own activation, {error}.", icon=":material/error:")
        st.code(f"{link['own']}\n{' ' * error.position}^", language=None)
    if not shown:
        st.info("Choose an activation in the sidebar, or type one of your own.")
    else:
        curves_panel(list(shown.values()), closer, x)
        facts_panel(list(shown.values()))
        distribution.distribution_panel(link, closer)
        identities_panel(closer.curve.x)
        cost_panel(list(shown.values()))
    link.write()


page()
