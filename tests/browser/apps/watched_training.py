"""The training page, of a server that parks a run for a moment only; with `threads` in the address instead the names of its training
threads, one a line.
"""

import runpy
import threading

import streamlit as st

from mlp_core.jobs import scheduled
from pages.ui.navigation import ROOT

scheduled.PARKED_SECONDS = 2.0

if "threads" in st.query_params:
    names = sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("training-"))
    st.text("\n".join(names) or "none")
else:
    runpy.run_path(str(ROOT / "pages" / "train.py"))
