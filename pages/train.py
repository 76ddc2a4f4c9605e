"""Build an MLP from the sidebar and watch it learn Fashion-MNIST."""

import streamlit as st

from mlp_core.expression import ExpressionError
from mlp_core.spec import SpecError
from pages.ui import session
from pages.ui.data_source import load_data
from pages.ui.navigation import page_header
from pages.ui.run.live import live_panel
from pages.ui.run.pace import pace_link
from pages.ui.text import plain
from pages.ui.train.controls import ExperimentLink, preset_row, take
from pages.ui.train.design import network_panel
from pages.ui.train.sidebar import draw_sidebar

page_header("Train an MLP", "Choose a network in the sidebar, press **Train**, and watch it learn to tell ten kinds of clothes apart.")
link, pace = ExperimentLink(), pace_link()
draw_sidebar(link)
link.write()
spec, refused = None, ""
try:
    spec = link.experiment()
except ExpressionError as error:
    refused = f"Your own activation cannot be used: {plain(error, 300)}"
except SpecError as error:
    refused = f"**{error.field}** {error.rule}, got {plain(error.value)}."
preset_row(link, spec)
link.show_errors()
pace.show_errors()
if refused:
    st.error(refused, icon=":material/error:")

load_data()

if spec is not None:
    network_panel(spec)
live_panel(spec, take, pace)
pace.write()
session.identify_tab()  # last, since its answer brings a rerun that cuts short what is not drawn yet
