"""The section "A chain of gradients": the sigmoid with its gradient, a point chosen for every layer, and the product that results."""

from collections.abc import Callable
from functools import partial

import numpy as np
import streamlit as st

from mlp_core.activations import Curve, evaluate
from mlp_core.labs.stability.depth import sigmoid_bound_log10
from mlp_core.spec import Bounds, SpecError
from mlp_core.theory import Array
from mlp_core.words import Message, counted, from_log10, joined, latex_number
from pages.figures.depth import gradient_chain, sigmoid_and_gradient
from pages.language import _
from pages.ui.link import TEN_DIGITS, Field, LinkState, number_text
from pages.ui.live_chart import Click, live_chart
from pages.ui.measures import Computed, Values, once
from pages.ui.unbroken import button, unbroken
from pages.ui.widget_values import WidgetValues

X_BOUNDS = Bounds(-8.0, 8.0)
GRID = np.arange(-8.0, 8.0, 0.1)  # the book's
MOST_LAYERS = 30
START = (0.0, 1.0, -2.0, 3.0, 0.5, -1.5)
CHART_HEIGHT = 310

Points = tuple[float, ...]  # x at each layer


def _read_points(text: str) -> Points:
    rule = Message(
        "must be 1 to {most} numbers from {low} to {high} with commas between them",
        most=MOST_LAYERS, low=f"{X_BOUNDS.low:g}", high=f"{X_BOUNDS.high:g}",
    )  # fmt: skip
    try:
        points = tuple(X_BOUNDS.read("x", part) for part in text.split(","))
    except SpecError as error:
        raise SpecError("x", rule, text) from error
    if len(points) > MOST_LAYERS:
        raise SpecError("x", rule, text)
    return points


FIELDS = (Field("x", START, _read_points, lambda points: ",".join(map(number_text, points))),)

MEASURES = {
    "log10_product": once(
        Message("Product of all σ′"), Message("What the gradient is multiplied by"), "log10", lambda factors: factors.sum()
    ),
    "log10_bound": once(
        Message("Bound of the product"), Message("0.25 for every layer"), "log10", lambda factors: sigmoid_bound_log10(len(factors))
    ),
    "smallest_factor": once(
        Message("Smallest σ′"), Message("Of the layer that takes the most"), "number", lambda factors: 10 ** factors.min()
    ),
    "layers": once(Message("Layers"), Message("Of the chain"), "count", len),
}


def section(link: LinkState) -> None:
    """Choose x at each layer; every layer multiplies the gradient by σ'(x)."""
    st.markdown(
        _(
            "Going back through a layer multiplies the gradient by $\\sigma'(x)$, at most $\\frac14$. "
            "**Click the curves** to choose where each layer stands; the product follows."
        )
    )
    _controls(link)
    points: Points = link["x"]
    curve, chosen = evaluate("sigmoid", GRID), _chosen(points)
    left, right = st.columns(2, gap="medium")
    with left:
        figure = sigmoid_and_gradient(GRID, curve.value.numpy(), curve.gradient.numpy(), np.array(points), chosen.gradient.numpy())
        alt = _("The sigmoid, its gradient, and on the gradient a numbered point for every layer.")
        live_chart(figure, key="sigmoid_chain", height=CHART_HEIGHT, alt=alt, on_click=partial(_take_click, link))
    factors = np.log10(chosen.gradient.numpy())
    with right:
        figure = gradient_chain(factors, np.array([sigmoid_bound_log10(count) for count in range(1, len(points) + 1)]))
        live_chart(figure, key="chain_product", height=CHART_HEIGHT, alt=_("The running product below its bound 0.25^l."))
    _summary(factors)


def subject(values: Values) -> Computed:
    """The chain of the points that the link says."""
    return Computed(MEASURES, results=lambda: {"": np.log10(_chosen(values["x"]).gradient.numpy())})


def _chosen(points: Points) -> Curve:
    return evaluate("sigmoid", np.array(points))


def _controls(link: LinkState) -> None:
    """The layers there are, the one that the next click sets, and whole chains at a click."""
    points: Points = link["x"]
    place = _place_values()
    place["layer"] = min(place["layer"], len(points))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for label, icon, change, possible in (
            (_("All at 0: the best case"), "keyboard_double_arrow_up", lambda points: (0.0,) * len(points), True),
            (_("All at 4: saturated"), "keyboard_double_arrow_down", lambda points: (4.0,) * len(points), True),
            (_("Random, N(0, 2²)"), "casino", _random, True),
            (_("One layer more"), "add", lambda points: (*points, points[-1]), len(points) < MOST_LAYERS),
            (_("One layer less"), "remove", lambda points: points[:-1], len(points) > 1),
        ):
            button(label, f"stability_chain_{icon}", icon, _change, link, change, enabled=possible)
    which, where = st.columns(2, gap="medium")
    which.pills(_("The next click sets layer"), required=True, **place.default("layer", range(1, len(points) + 1)))
    layer: int = place["layer"] - 1
    place["x"] = points[layer]
    where.slider(
        _("x of layer {layer}", layer=layer + 1), step=0.1, format=TEN_DIGITS,
        on_change=unbroken(_follow_slider), args=(link, layer, place),
        **place.value("x", min_value=X_BOUNDS.low, max_value=X_BOUNDS.high),
    )  # fmt: skip
    place.keep()


def _place_values() -> WidgetValues:
    """Which layer the next click sets, from 1, and where it stands."""
    return WidgetValues("stability_chain", {"layer": 1, "x": 0.0}, prefix="stability_chain_")


def _summary(factors: Array) -> None:
    layers, product = len(factors), float(factors.sum())
    weakest = int(factors.argmin())
    slope = latex_number(10 ** factors[weakest])
    come_to = counted(
        layers,
        "After **{n} layer** the gradient is multiplied by **{product}**; the bound $0.25^{{n}}$ is {bound}.",
        "After **{n} layers** the gradient is multiplied by **{product}**; the bound $0.25^{{n}}$ is {bound}.",
        product=from_log10(product),
        bound=from_log10(sigmoid_bound_log10(layers)),
    )
    if layers == 1:
        share = ""
    elif np.ptp(factors) == 0:
        share = Message("All layers take the same: $\\sigma' = {slope}$.", slope=slope)
    else:
        share = Message("Layer {layer} takes the most: $\\sigma' = {slope}$.", layer=weakest + 1, slope=slope)
    weights = Message("The weights multiply as well: they can make up for a quarter, but hardly for a saturated unit.")
    st.markdown(_(joined(come_to, share, weights)))


def _set(link: LinkState, layer: int, x: float) -> None:
    points = list(link["x"])
    points[layer] = round(x, 4)
    link["x"] = tuple(points)


def _take_click(link: LinkState, click: Click) -> None:
    """Set the layer whose turn it is; that the next one's turn has come is noted last, or a click would set two."""
    if click.place is None:
        return
    place, layers = _place_values(), len(link["x"])
    layer = min(place["layer"], layers) - 1
    _set(link, layer, min(max(click.place[0], X_BOUNDS.low), X_BOUNDS.high))
    place["layer"] = (layer + 1) % layers + 1


def _follow_slider(link: LinkState, layer: int, place: WidgetValues) -> None:
    _set(link, layer, place["x"])


def _change(link: LinkState, change: Callable[[Points], Points]) -> None:
    link["x"] = change(link["x"])


def _random(points: Points) -> Points:
    drawn = np.random.default_rng().normal(0.0, 2.0, len(points)).clip(X_BOUNDS.low, X_BOUNDS.high)
    return tuple(round(float(x), 2) for x in drawn)
