"""The panel "Look inside": each layer of a run while it learns, one view at a time."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from mlp_core.jobs import JobSnapshot
from mlp_core.network import Network
from mlp_core.spec import INPUTS
from pages.ui.run import inside_pictures, inside_statistics
from pages.ui.widget_values import WidgetValues

OVER_TIME, HISTOGRAMS, WEIGHTS, IMAGE = "Over time", "Histograms", "First-layer weights", "One image"


def inside_panel(snapshot: JobSnapshot, network: Network | None, look: Callable[[], None]) -> None:
    """Draw the view that is chosen; to be called at every tick while the panel is open.

    Args:
        network: of the snapshot's run; None before its first step. It may be learning on another thread meanwhile.
        look: says that somebody looks, so that inspections are made.
    """
    look()
    pictures = network is not None and network.weights()[0][0].shape[1] == INPUTS
    views = [OVER_TIME, HISTOGRAMS, *([WEIGHTS, IMAGE] if pictures else [])]
    chosen = WidgetValues("inside", {"inside_view": OVER_TIME} | inside_statistics.DEFAULTS | inside_pictures.DEFAULTS)
    if chosen["inside_view"] not in views:
        chosen["inside_view"] = OVER_TIME
    view = st.segmented_control("View", label_visibility="collapsed", required=True, **chosen.default("inside_view", views))
    if view == HISTOGRAMS:
        inside_statistics.histograms(snapshot, network, chosen)
    elif view == WEIGHTS and network is not None:
        inside_pictures.first_layer(snapshot, network, chosen)
    elif view == IMAGE and network is not None:
        inside_pictures.one_image(snapshot, network, chosen)
    else:
        inside_statistics.over_time(snapshot)
    chosen.keep()
