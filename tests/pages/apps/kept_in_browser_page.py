"""What a browser had kept, given to a session, with the panel that shows it; nothing is trained.

`session_state["given"]` is what the browser gives; `session_state["snapshots"]` are kept before that.
"""

import streamlit as st

from pages.ui.run import kept_in_browser, kept_runs

for snapshot in st.session_state.pop("snapshots", ()):
    kept_runs.keep(snapshot)
if "given" in st.session_state:
    kept_in_browser.bring_back(st.session_state.pop("given"))
kept_in_browser.lost_runs()
kept_runs.kept_runs_panel(None)
st.session_state["told"] = kept_in_browser.memory_of_tab()
