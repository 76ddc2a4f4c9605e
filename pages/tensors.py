"""Tensor warm-up: one act at a time, chosen at the top."""

import streamlit as st

from pages.ui.link import LinkState, choice
from pages.ui.navigation import page_header
from pages.ui.tensors import contour as tensors_contour
from pages.ui.tensors import operations as tensors_operations

ACTS = {
    "operations": ("Shapes and operations", tensors_operations.act),
    "contour": ("Gradient and contour", tensors_contour.act),
}
FIELDS = (choice("act", "operations", tuple(ACTS)), *tensors_operations.FIELDS, *tensors_contour.FIELDS)

page_header(
    "Tensor warm-up",
    "A network is a few operations on tables of numbers. Choose one, edit the tables, see what meets what; every result is torch's own.",
)
link = LinkState("tensors", FIELDS)
link.show_errors()
st.segmented_control(
    "Act", tuple(ACTS), format_func=lambda act: ACTS[act][0], key=link.key("act"), required=True, label_visibility="collapsed"
)
ACTS[link["act"]][1](link)
link.write()
