"""The panel of one's own picture beside a small network; `?tick` redraws it three times a second, `?untrained` shows it without one."""

from __future__ import annotations

import streamlit as st

from mlp_core.data import load_fashion_mnist
from mlp_core.jobs import Scheduler, TrainingJob
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from pages.ui.own_picture import own_picture_panel

st.set_page_config(layout="wide")


@st.cache_resource
def job() -> TrainingJob:
    """Some hundred steps of the book's network."""
    run = Run(RunSpec(hidden=(64,), init="he_normal", device="cpu"), load_fashion_mnist())
    run.advance(steps=300)
    return TrainingJob(run, Scheduler())


@st.fragment(run_every=0.35 if "tick" in st.query_params else None)
def panel() -> None:
    """The panel, and how often it was drawn."""
    ticks = st.session_state["ticks"] = st.session_state.get("ticks", 0) + 1
    own_picture_panel(job().snapshot(), None if "untrained" in st.query_params else job().run.network)
    st.text(f"Tick {ticks}")


if st.toggle("Show the panel", value=True):
    panel()
