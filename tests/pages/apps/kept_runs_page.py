"""Runs made by hand, kept as a session keeps them, with the panel that compares them and the curves; nothing is trained.

`session_state["snapshots"]` are kept, in that order; `session_state["current"]`, if there is one, is the run on screen.
"""

import streamlit as st

from pages.figures.training import accuracy_curve
from pages.ui.live_chart import live_chart
from pages.ui.run import kept_runs

for snapshot in st.session_state.pop("snapshots", ()):
    kept_runs.keep(snapshot)
current = st.session_state.get("current")
kept_runs.kept_runs_panel(current)
own = [] if current is None else [kept_runs.series_of(kept_runs.of_session(), current)]
live_chart(accuracy_curve([*own, *kept_runs.shown_series(kept_runs.of_session(), current)], 10), key="accuracy", height=360, alt="Accuracy")
