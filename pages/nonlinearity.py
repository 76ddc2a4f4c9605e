"""Why a hidden layer needs a nonlinearity: one act at a time, chosen at the top."""

import streamlit as st

from pages.ui import session
from pages.ui.link import LinkState, choice
from pages.ui.navigation import page_header
from pages.ui.nonlinearity import collapse as nonlinearity_collapse
from pages.ui.nonlinearity import ends as nonlinearity_ends
from pages.ui.nonlinearity import perceptron as nonlinearity_perceptron
from pages.ui.nonlinearity import playground as nonlinearity_playground
from pages.ui.nonlinearity import settings as nonlinearity_settings

ACTS = {
    "collapse": ("Collapse", nonlinearity_collapse.act),
    "perceptron": ("The perceptron", nonlinearity_perceptron.act),
    "playground": ("XOR and friends", nonlinearity_playground.act),
    "ends": ("One machine, different ends", nonlinearity_ends.act),
}
FIELDS = (
    choice("act", "collapse", tuple(ACTS)),
    *nonlinearity_collapse.FIELDS,
    *nonlinearity_perceptron.FIELDS,
    *nonlinearity_settings.FIELDS,
)

page_header(
    "Why nonlinearity",
    "Layers that only multiply and add are one layer. What does a bend in each of them buy? Everything here is computed on the spot.",
)
session.engine()
link = LinkState("nonlinearity", FIELDS)
link.show_errors()
st.segmented_control(
    "Act", tuple(ACTS), format_func=lambda act: ACTS[act][0], key=link.key("act"), required=True, label_visibility="collapsed"
)
ACTS[link["act"]][1](link)
link.write()
