"""Vanishing and exploding gradients, what causes them and what they cost; one section at a time."""

from pages.ui.navigation import page_header  # first: it limits what all others compute with

# isort: split
from pages.language import _
from pages.ui import session
from pages.ui.sections import show_sections
from pages.ui.stability.sections import FIELDS, SECTIONS

header = page_header(
    "stability",
    _(
        "A deep network multiplies its signal and its gradient by one matrix after another. Every picture here shows what is **measured** "
        "and what **theory** predicts, in absolute values on axes in powers of ten."
    ),
)
session.engine()
show_sections("stability", SECTIONS, FIELDS, header)
