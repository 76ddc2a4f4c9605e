"""The panel of one's own picture beside a small network.

In the address: `tick` redraws it three times a second, `untrained` shows it without the network, `images` trains on so many.
"""

from __future__ import annotations

import streamlit as st

from mlp_core.data import load_fashion_mnist
from mlp_core.jobs import Scheduler, TrainingJob
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from pages.ui.run.own_picture import own_picture_panel

st.set_page_config(layout="wide")


@st.cache_resource
def job(images: int | None) -> TrainingJob:
    """A network after enough steps to have an opinion."""
    run = Run(RunSpec(hidden=(32,), init="he_normal", device="cpu", train_size=images), load_fashion_mnist())
    run.advance(steps=100)
    return TrainingJob(run, Scheduler())


@st.fragment(run_every=0.35 if "tick" in st.query_params else None)
def panel() -> None:
    """The panel, and how often it was drawn."""
    ticks = st.session_state["ticks"] = st.session_state.get("ticks", 0) + 1
    training = job(int(st.query_params.get("images", 0)) or None)
    own_picture_panel(training.snapshot(), None if "untrained" in st.query_params else training.run.network)
    st.text(f"Tick {ticks}")


if st.toggle("Show the panel", value=True):
    panel()
