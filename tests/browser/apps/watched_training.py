"""The training page; with `threads` in the address instead the names of the training threads of this server, one a line."""

import runpy
import threading

import streamlit as st

from pages.ui.shell import ROOT

if "threads" in st.query_params:
    names = sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("training-"))
    st.text("\n".join(names) or "none")
else:
    runpy.run_path(str(ROOT / "pages" / "train.py"))
