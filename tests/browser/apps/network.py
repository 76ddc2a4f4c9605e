"""A run that has done three steps, its network's drawing folded to a strip, and something below it."""

import streamlit as st

from mlp_core.data import load_fashion_mnist
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from pages.ui import session
from pages.ui.train.design import network_panel

SPEC = RunSpec(hidden=(16,), init="he_normal", train_size=512, batch_size=64)

st.set_page_config(layout="wide")
job = session.current_job()
if job is None:
    job = session.start_current_job(lambda: Run(SPEC, load_fashion_mnist()))
    job.step(3)
    job.await_rest(60)
network_panel(SPEC, folded=True)
st.text("below")
