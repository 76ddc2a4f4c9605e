"""The panel "Look inside" alone, of the run that stands in the session, in the state that stands there too.

With `cut_short` set, this page ends before its end, as a click in the middle of it would have it.
"""

import streamlit as st

from pages.ui.run.inside import inside_panel
from tests.support.pages.snapshots import snapshot_of

run = st.session_state["run"]
snapshot = snapshot_of(run, st.session_state.get("state", "paused"), st.session_state.get("members", ()))
if st.session_state.get("cut_short"):
    st.stop()
inside_panel(snapshot, run.network, run.inspections.look)
