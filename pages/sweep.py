"""A sweep: which settings to vary, over how many seeds, what that takes, and what comes of it."""

import streamlit as st

from pages.ui.navigation import page_header  # first: it limits what all others compute with

# isort: split
from pages.language import _
from pages.ui import session
from pages.ui.begun_by_link import drop_run
from pages.ui.class_link import class_link
from pages.ui.data_source import load_data
from pages.ui.sections import beside
from pages.ui.sweep.controls import LOCKABLE, PAGE, SweepLink, plan_controls
from pages.ui.sweep.panel import sweep_panel

page_header(
    "sweep",
    _(
        "Which hyperparameters? Choose settings and their values: every **cell**, one choice of values, is trained from several seeds, "
        "and called best only where that is more than luck."
    ),
)
session.engine()
link = SweepLink()
link.show_errors()
controls, results = beside("sweep", ratio=1.9)
with controls:
    plan = plan_controls(link)
with results:
    data = load_data()
    if plan is None:
        st.info(_("A plan that can be carried out is needed first."), icon=":material/edit_note:")
    else:
        sweep_panel(link, plan, data)
link.write()
drop_run()
class_link(PAGE, LOCKABLE)
