"""Vanishing and exploding: one act at a time, chosen at the top."""

import streamlit as st

from pages.ui import session  # fmt: skip
from pages.ui.link import LinkState, choice
from pages.ui.navigation import page_header
from pages.ui.stability import chain as stability_chain  # fmt: skip
from pages.ui.stability import depth as stability_depth  # fmt: skip
from pages.ui.stability import designs as stability_designs  # fmt: skip
from pages.ui.stability import map as stability_map  # fmt: skip
from pages.ui.stability import matrices as stability_matrices  # fmt: skip
from pages.ui.stability import symmetry as stability_symmetry  # fmt: skip
from pages.ui.stability import training as stability_training  # fmt: skip

ACTS = {
    "depth": ("Depth", stability_depth.act),
    "chain": ("A chain of gradients", stability_chain.act),
    "matrices": ("Random matrices", stability_matrices.act),
    "training": ("So what?", stability_training.act),
    "symmetry": ("Symmetry", stability_symmetry.act),
}
FIELDS = (
    choice("act", "depth", tuple(ACTS)),
    *stability_designs.FIELDS,
    *stability_depth.FIELDS,
    *stability_map.FIELDS,
    *stability_chain.FIELDS,
    *stability_matrices.FIELDS,
    *stability_training.FIELDS,
    *stability_symmetry.FIELDS,
)

page_header(
    "Vanishing and exploding",
    "A deep network multiplies its signal and its gradient by one matrix after another. Every picture here shows what is **measured** "
    "and what **theory** predicts, in absolute values on axes in powers of ten.",
)
session.engine()
link = LinkState("stability", FIELDS)
link.show_errors()
st.segmented_control(
    "Act", tuple(ACTS), format_func=lambda act: ACTS[act][0], key=link.key("act"), required=True, label_visibility="collapsed"
)
ACTS[link["act"]][1](link)
link.write()
