"""The panel of kept runs in a fragment that runs itself again, as beside a run under way; nothing is trained."""

from dataclasses import replace

import streamlit as st

from mlp_core.spec import RunSpec
from pages.ui.run import kept_runs
from tests.support.kept import history, snapshot

if "begun" not in st.session_state:
    st.session_state["begun"] = True
    for lr in (0.1, 0.5, 0.01):
        kept_runs.keep(snapshot(replace(RunSpec(), lr=lr), history([0.8]), stop="stopped"))


@st.fragment(run_every=0.3)
def panel() -> None:
    st.session_state["ticks"] = st.session_state.get("ticks", 0) + 1
    st.text(f"tick {st.session_state['ticks']}")
    kept_runs.kept_runs_panel(None)


panel()
