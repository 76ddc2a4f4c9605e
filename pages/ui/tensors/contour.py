"""The section "Gradient and contour": a function of two variables, a point to set, and the right angle of two directions found apart."""

import math
from functools import partial

import numpy as np
import streamlit as st

from mlp_core.labs.tensors.contour import CONTOUR_EXTENT, RADIUS, SURFACES, Reading, Surface, field, read_point, slopes
from mlp_core.labs.tensors.operations import number
from mlp_core.spec import Bounds
from mlp_core.words import Message, joined, rounded, significant
from pages.figures.contour import contour_map, slope_by_direction
from pages.language import _
from pages.ui import link as links
from pages.ui.link import LinkState
from pages.ui.live_chart import Click, live_chart
from pages.ui.measures import Computed, Values, once
from pages.ui.memo import memo
from pages.ui.unbroken import unbroken

SIDE = 81  # points of the grid along one axis
STEP = 0.05
ANGLES = np.arange(0.0, 361.0, 5.0)
MAP_HEIGHT, SLOPE_HEIGHT = 520, 250
START = SURFACES["valley"].start
FIELDS = (
    links.choice("f", "valley", tuple(SURFACES)),
    links.number("x", START[0], Bounds(-CONTOUR_EXTENT, CONTOUR_EXTENT), STEP),
    links.number("y", START[1], Bounds(-CONTOUR_EXTENT, CONTOUR_EXTENT), STEP),
)
CRITICAL = {
    "minimum": Message(
        "All round this point f is higher: a **minimum**. No contour leaves it, the level line has shrunk to the point itself."
    ),
    "maximum": Message(
        "All round this point f is lower: a **maximum**. No contour leaves it, the level line has shrunk to the point itself."
    ),
    "saddle": Message("Contours **cross** here, so there is not one tangent: a saddle, higher on some sides and lower on others."),
    "flat": Message("All round this point f is the same: every direction is level."),
    "regular": Message("A contour passes all the same: f is level here to first order, and no extremum."),
}

MEASURES = {
    "value": once(Message("Value f(x, y)"), Message("At the point"), "number", lambda reading: reading.value),
    "gradient_norm": once(Message("Length of the gradient"), Message("At the point"), "number", lambda reading: reading.steepness),
    "angle_degrees": once(
        Message("Angle"), Message("Of the gradient to the tangent of the contour, in degrees"), "number", lambda reading: reading.degrees
    ),
}


def subject(values: Values) -> Computed:
    """The point that the link says."""
    return Computed(MEASURES, results=lambda: {"": read_point(SURFACES[values["f"]], values["x"], values["y"])})


def section(link: LinkState) -> None:
    """Set a point, see the right angle."""
    st.pills(
        _("Function"), format_func=lambda name: _(SURFACES[name].label), required=True, label_visibility="collapsed",
        on_change=unbroken(_start), args=(link,), **link.default("f"),
    )  # fmt: skip
    surface = SURFACES[link["f"]]
    reading = read_point(surface, link["x"], link["y"])
    picture, numbers = st.columns([1.25, 1], gap="medium")
    with picture:
        _map(link, surface, reading)
    with numbers:
        st.latex(f"f(x, y) = {surface.latex}")
        st.caption(_(surface.remark))
        for column, name in zip(st.columns(2), ("x", "y"), strict=True):
            column.slider(f"${name}$", **link.value(name))
        _numbers(reading)
        _slopes(surface, reading)


def _start(link: LinkState) -> None:
    link["x"], link["y"] = SURFACES[link["f"]].start


def _map(link: LinkState, surface: Surface, reading: Reading) -> None:
    gradient = None
    if _has_direction(reading):
        gradient = (reading.gradient[0] / reading.steepness, reading.gradient[1] / reading.steepness)
    values = memo("tensors_field", link["f"], lambda: field(surface, SIDE))
    figure = contour_map(values, CONTOUR_EXTENT, (reading.x, reading.y, reading.value), gradient, reading.tangent)
    point = f"({number(reading.x)}, {number(reading.y)})"
    alt = _(
        "Contours of {surface} with the point {point}, its gradient and the tangent of its contour.", surface=surface.label, point=point
    )
    live_chart(figure, key="tensors_contour", height=MAP_HEIGHT, alt=alt, on_click=partial(_set_point, link))
    st.caption(_("Click the map or move the sliders to set the point. The bluer, the higher. The arrow shows a direction, not a length."))


def _set_point(link: LinkState, click: Click) -> None:
    if click.place is not None:
        x, y = map(_on_a_step, click.place)
        link.update({"x": x, "y": y})


def _has_direction(reading: Reading) -> bool:
    return reading.steepness > 0 and reading.kind == "regular"


def _numbers(reading: Reading) -> None:
    """Gradient and tangent, each by its own way, and their product; or why there is none."""
    if reading.tangent is None or reading.degrees is None:
        nowhere = Message("The gradient is {gradient}: no direction.", gradient=_vector(reading.gradient))
        st.info(_(joined(nowhere, CRITICAL[reading.kind])), icon=":material/adjust:")
        return
    gradient = _("**{vector}**, length {length}", vector=_vector(reading.gradient), length=number(reading.steepness))
    rows = (
        ("", "", _("found by")),
        ("---", "---", "---"),
        (_("value $f$"), f"**{number(reading.value)}**", ""),
        (_("gradient $\\nabla f$"), gradient, _("autograd")),
        (_("tangent $t$"), f"**{_vector(reading.tangent)}**", _("values of $f$ alone")),
        ("$\\nabla f \\cdot t$", f"**{significant(reading.dot or 0.0, 2)}**", ""),
        (_("angle"), f"**{rounded(reading.degrees, 4)}°**", ""),
    )
    st.markdown("\n".join("|" + "".join(f" {cell} |" if cell else " |" for cell in row) for row in rows))
    st.caption(
        _(
            "The tangent joins the two points {radius} away where f is as high as here; the gradient was not asked. Along it f does not "
            "change, so the gradient has no part in that direction. Gradient descent walks against the gradient.",
            radius=f"{RADIUS:.5f}",
        )
    )


def _slopes(surface: Surface, reading: Reading) -> None:
    radians = np.radians(ANGLES)
    measured = slopes(surface, reading.x, reading.y, radians)
    predicted = reading.gradient[0] * np.cos(radians) + reading.gradient[1] * np.sin(radians)
    uphill = math.degrees(math.atan2(reading.gradient[1], reading.gradient[0])) % 360 if _has_direction(reading) else None
    figure = slope_by_direction(ANGLES, measured, predicted, uphill, tuple(math.degrees(angle) for angle in reading.crossings))
    st.markdown(f"##### {_('How fast f rises, by direction')}")
    alt = _("The slope of f in every direction: largest along the gradient, 0 along the contour.")
    live_chart(figure, key="tensors_slopes", height=SLOPE_HEIGHT, alt=alt)


def _vector(parts: tuple[float, float]) -> str:
    return f"({', '.join(number(round(part, 4)) for part in parts)})"


def _on_a_step(place: float) -> float:
    """The nearest place that the sliders can show."""
    return round(round(min(max(place, -CONTOUR_EXTENT), CONTOUR_EXTENT) / STEP) * STEP, 2)
