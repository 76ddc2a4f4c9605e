"""The map of the section "Depth": over which σ_w (and depth, or σ_b) gradients vanish or explode, with theory's critical line on it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mlp_core.initializers import INITIALIZERS
from mlp_core.spec import Bounds
from pages.figures.depth import gradient_map
from pages.ui.link import LinkState, choice, number
from pages.ui.live_chart import live_chart
from pages.ui.stability import measures
from pages.ui.stability.designs import Design

PLANES = {"depth": "σ_w and depth", "sigma_b": "σ_w and σ_b"}
MAP_WIDTH_LIMIT = 64  # units of the networks measured for the map
FIELDS = (
    choice("plane", "depth", tuple(PLANES)),
    choice("map", "1", ("1", "2", "3", "4")),
    number("sigma_b", 0.0, Bounds(0.0, measures.HIGHEST_SIGMA_B)),
)


def map_panel(link: LinkState, designs: list[Design], depth: int, width: int) -> None:
    """One small random network for every point of the plane, all of the activation of one design."""
    st.markdown("##### Where gradients live")
    st.markdown(
        "Every cell is a real random network: red, its gradient explodes on the way back; blue, it vanishes. "
        r"On the dashed line theory has $\chi = \sigma_w^2\,E[\varphi'(z)^2] = 1$."
    )
    controls, picture = st.columns([1, 2.6], gap="medium")
    by_number = {str(design.index + 1): design for design in designs}
    if link["map"] not in by_number:
        link["map"] = next(iter(by_number))
    with controls:
        st.segmented_control("Plane", format_func=PLANES.__getitem__, required=True, **link.default("plane"))
        st.radio("Activation of", format_func=lambda number: by_number[number].label, **link.index("map", tuple(by_number)))
        if link["plane"] == "depth":
            st.slider("σ_b of the biases", step=0.05, **link.value("sigma_b"))
        else:
            st.caption(f"Through {measures.PLANE_DEPTH} layers.")
        st.caption(r"The diamond is the design itself: $\sigma_w = \sqrt{n}\,\mathrm{std}(W)$.")
    design, plane, units = by_number[link["map"]], link["plane"], min(width, MAP_WIDTH_LIMIT)
    spec = design.spec(depth, width, 0)
    sigma_w, heights, line = measures.map_axes(spec.activation, plane, link["sigma_b"])
    changes = measures.gradient_plane(spec.activation, plane, link["sigma_b"], units)
    initializer = INITIALIZERS[spec.init]
    w, b = float(np.sqrt(width)) * initializer.std(width, width, spec), initializer.bias_std(width, width, spec)
    y, yname, ytitle = min(float(depth), float(heights[-1])), "layers", "layers the gradient has gone back"
    if plane == "sigma_b":
        y, yname, ytitle = b, "σ<sub>b</sub>", "σ<sub>b</sub>"
    here = (w, y) if 0 < w <= sigma_w[-1] and b <= heights[-1] else None
    with picture:
        figure = gradient_map(sigma_w, heights, changes, line, yname=yname, ytitle=ytitle, here=here)
        alt = f"Gradient of {design.label} over {PLANES[plane]}, with theory's line"
        live_chart(figure, key="gradient_map", height=420, alt=alt)
