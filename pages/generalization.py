"""Generalization: one act at a time, chosen at the top."""

import streamlit as st

from pages.ui import session
from pages.ui.generalization import capacity as generalization_capacity
from pages.ui.generalization import decay as generalization_decay
from pages.ui.generalization import dropout as generalization_dropout
from pages.ui.link import LinkState, choice
from pages.ui.navigation import page_header

ACTS = {
    "capacity": ("Capacity and data", generalization_capacity.act),
    "decay": ("Weight decay", generalization_decay.act),
    "dropout": ("Dropout", generalization_dropout.act),
}
FIELDS = (
    choice("act", "capacity", tuple(ACTS)),
    *generalization_capacity.FIELDS,
    *generalization_decay.FIELDS,
    *generalization_dropout.FIELDS,
)

page_header(
    "Generalization",
    "A low error on what was learned is easy. What about the rest? Every act shows the **training** error and the error on points that "
    "were **held out**, over several seeds, and says when a difference is no more than luck.",
)
session.engine()
link = LinkState("generalization", FIELDS)
link.show_errors()
st.segmented_control(
    "Act", tuple(ACTS), format_func=lambda act: ACTS[act][0], key=link.key("act"), required=True, label_visibility="collapsed"
)
ACTS[link["act"]][1](link)
link.write()
