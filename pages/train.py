"""Build an MLP from the sidebar and watch it learn Fashion-MNIST."""

import streamlit as st

from mlp_core.expression import ExpressionError
from mlp_core.spec import RunSpec
from pages.ui import session
from pages.ui.data_source import load_data
from pages.ui.navigation import page_header
from pages.ui.run.live import live_panel
from pages.ui.text import plain
from pages.ui.train import controls
from pages.ui.train.design import network_panel

page_header("Train an MLP", "Choose a network in the sidebar, press **Train**, and watch it learn to tell ten kinds of clothes apart.")
design = controls.design()
controls.preset_row(design.spec)
for error in design.link_errors:
    instead = f"The default, {plain(getattr(RunSpec(), error.field))}, stands in its place."
    st.warning(f"The link asks for something that cannot be: **{error.field}** {error.rule}, got {plain(error.value)}. {instead}")
if isinstance(design.error, ExpressionError):
    st.error(f"Your own activation cannot be used: {plain(design.error, 300)}", icon=":material/error:")
elif design.error is not None:
    st.error(f"**{design.error.field}** {design.error.rule}, got {plain(design.error.value)}.", icon=":material/error:")

load_data()

if design.spec is not None:
    network_panel(design.spec)
live_panel(design.spec, controls.take)
session.identify_tab()  # last, since its answer brings a rerun that cuts short what is not drawn yet
