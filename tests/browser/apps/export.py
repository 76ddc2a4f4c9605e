"""A run and the panel to export it, for the tests: `?steps=` says how far it is trained, `?change=` where its lr changes."""

from collections.abc import Sequence

import streamlit as st

from mlp_core.data import load_sample
from mlp_core.jobs import Scheduler, TrainingJob
from mlp_core.records import SettingChange
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from pages.ui.run.export import export_panel

SPEC = RunSpec(hidden=(16,), activation="=x*sigmoid(2*x)", init="he_normal", train_size=320, batch_size=32, epochs=2, device="cpu")


def load(spec: RunSpec, changes: Sequence[SettingChange]) -> None:
    st.session_state["loaded"], st.session_state["changes"] = spec, tuple(changes)


def trained() -> TrainingJob:
    run = Run(SPEC, load_sample())
    if "change" in st.query_params:
        run.advance(steps=int(st.query_params["change"]))
        run.change(lr=0.01)
    run.advance(steps=int(st.query_params.get("steps", "20")) - run.step)
    return TrainingJob(run, Scheduler())


@st.fragment
def panel() -> None:
    """As on the training page, where the controls stand outside."""
    job = st.session_state["job"]
    export_panel(job, job.snapshot(), load)


if "job" not in st.session_state:
    st.session_state["job"] = trained()
st.text(f"Loaded: {st.session_state.get('loaded')}")
panel()
