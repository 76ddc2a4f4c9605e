"""The whole app with faults that a test switches on, and with `census` in the address what this server holds.

A switch is a file in the folder that the environment variable SWITCHES names.
"""

import json
import threading
import time

import streamlit as st

from pages.ui import session
from pages.ui.navigation import run_app
from tests.support.switches import forget_once, install, late_seconds

install()
forget_once()
if "census" in st.query_params:
    jobs = tuple(session.engine()[0]._admitted)
    threads = sorted(thread.name for thread in threading.enumerate() if thread.name.startswith(("training", "fashion")))
    st.markdown(json.dumps({"threads": threads, "bytes": sum(job.memory_bytes for job in jobs)}))
else:
    if (seconds := late_seconds()) and (job := session.current_job()) is not None:
        time.sleep(seconds)  # in the middle of something long Streamlit cannot end a script
        session.jobs().hold("late", session.JobGroup(None, started=[session.TitledJob("", job)]))
    run_app()
