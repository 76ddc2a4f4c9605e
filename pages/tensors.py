"""Tensor warm-up: the operations of a network, and the gradient across a contour; one section at a time."""

from pages.ui.navigation import page_header  # first: it limits what all others compute with

# isort: split
from pages.language import _
from pages.ui.sections import show_sections
from pages.ui.tensors.sections import FIELDS, SECTIONS

header = page_header(
    "tensors",
    _("A network is a few operations on tables of numbers. Choose one, edit the tables, see what meets what; every result is torch's own."),
)
show_sections("tensors", SECTIONS, FIELDS, header)
