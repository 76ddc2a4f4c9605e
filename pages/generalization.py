"""Generalization: capacity and data, weight decay, dropout; one section at a time."""

from pages.ui.navigation import page_header  # first: it limits what all others compute with

# isort: split
from pages.language import _
from pages.ui import session
from pages.ui.generalization.sections import FIELDS, SECTIONS
from pages.ui.sections import show_sections

header = page_header(
    "generalization",
    _(
        "A low error on what was learned is easy. What about the rest? Every section shows the **training** error and the error on points "
        "that were **held out**, over several seeds, and says when a difference is no more than luck."
    ),
)
session.engine()
show_sections("generalization", SECTIONS, FIELDS, header)
