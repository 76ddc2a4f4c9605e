"""Weight decay by three routes, and whether they meet; a part of the section "Weight decay"."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mlp_core.labs.generalization.weight_decay import ADAM_LR, RouteDistances, Setting, route_distances
from pages.figures.axes import axis, log_axis
from pages.figures.bands import BandSeries, band_chart
from pages.figures.palette import GREEN, ORANGE, SKY, VERMILION
from pages.ui.live_chart import live_chart

STEPS_EPOCHS = 20  # enough to see it
LARGEST_NORM = 1e3  # beyond it a training has diverged: weights begin at a norm of about 14
DRAWN_AT_LEAST = 1e-9  # where no difference at all is drawn


@st.cache_data(max_entries=64, show_spinner=False)
def _distances(name: str, decay: float, setting: Setting, seed: int) -> RouteDistances:
    return route_distances(name, decay, setting, seed)


def routes_panel(decay: float, setting: Setting, seed: int) -> None:
    """The penalty in the loss against weight_decay of the optimizer, for SGD and for Adam, on real numbers."""
    st.markdown("##### A penalty in the loss, or `weight_decay` of the optimizer: the same?")
    if decay == 0.0:
        st.info("At λ = 0 there is nothing to compare. Choose another λ.", icon=":material/info:")
        return
    short = Setting(setting.lr, min(setting.epochs, STEPS_EPOCHS), setting.init_std, setting.train_count)
    sgd, adam = (_distances(name, decay, short, seed) for name in ("sgd", "adam"))
    if not all(routes.norms["penalty"] < LARGEST_NORM for routes in (sgd, adam)):
        st.info("With this learning rate the training diverges by every route: nothing to compare.", icon=":material/info:")
        return
    steps = np.arange(1, len(sgd.optimizer) + 1)
    lines = (
        ("SGD(weight_decay=λ)", sgd.optimizer, SKY, "solid"),
        ("SGD, w shrunk by 1 − ηλ", sgd.decoupled, GREEN, "dash"),
        ("Adam(weight_decay=λ)", adam.optimizer, ORANGE, "dot"),
        ("AdamW, w shrunk by 1 − ηλ", adam.decoupled, VERMILION, "solid"),
    )
    curves = [BandSeries(label, steps, np.maximum(values, DRAWN_AT_LEAST), color, dash=dash) for label, values, color, dash in lines]
    left, right = st.columns([1.6, 1], gap="medium")
    with left:
        figure = band_chart(curves, xaxis=axis("step"), yaxis=log_axis("largest |w − w′|", range=[-9.3, 1.5]))
        live_chart(figure, key="decay_routes", height=330, alt="Distance of each route from the penalty in the loss, by step")
    with right:
        st.dataframe(
            [_row("SGD", sgd), _row("Adam", adam)],
            hide_index=True,
            column_config={"": st.column_config.TextColumn(width="small")},
        )
        st.markdown(_verdict(sgd, adam))
        st.caption(
            f"The curves: distance from λ/2 ‖w‖² in the loss of the same optimizer. Float32; SGD lr {setting.lr:g}, Adam lr {ADAM_LR:g}."
        )


def _row(name: str, routes: RouteDistances) -> dict[str, str]:
    return {
        "": name,
        "‖w‖, penalty in the loss": f"{routes.norms['penalty']:.6f}",
        "weight_decay=λ": f"{routes.norms['optimizer']:.6f}",
        "w ← (1 − ηλ)w": f"{routes.norms['decoupled']:.6f}",
    }


def _verdict(sgd: RouteDistances, adam: RouteDistances) -> str:
    return (
        f"**SGD**: all three are one, but for rounding ({max(sgd.optimizer.max(), sgd.decoupled.max()):.0e}). **Adam**: a gradient that "
        f"holds λw is divided by its own size, so that shrinking w itself (AdamW) goes elsewhere: {adam.decoupled.max():.2g} away. "
        f"`Adam(weight_decay=λ)` is the penalty again ({adam.optimizer.max():.0e}), not decay."
    )
