"""Experiments of links on a page of their own, one at a time: `links` and `shown` in the session say which, and `measured` there is all
that can be measured of it; with `laboratory` set, the page "Stability" itself.
"""

import streamlit as st

from pages.ui.lessons.experiments import experiment_of
from pages.ui.sections import show_sections
from pages.ui.stability.sections import FIELDS, SECTIONS
from pages.ui.unbroken import button

if st.session_state.get("laboratory"):
    show_sections("stability", SECTIONS, FIELDS, st.container())
    st.stop()

links = st.session_state["links"]
index = st.session_state.setdefault("shown", 0)
experiment = experiment_of(links[index])
button("Run", "begin", "play_arrow", experiment.start, enabled=experiment.trains)
experiment.draw(f"step {index}")
st.text(experiment.state())
st.text(experiment.unmeasured())
st.session_state["measured"] = {
    name + (f" of {run}" if run else ""): experiment.measure(name, run)
    for name, measure in experiment.measures.items()
    for run in measure.runs or ("",)
}
