"""Why a hidden layer needs a nonlinearity; one section at a time."""

from pages.ui.navigation import page_header  # first: it limits what all others compute with

# isort: split
from pages.language import _
from pages.ui import session
from pages.ui.nonlinearity.sections import FIELDS, SECTIONS
from pages.ui.sections import show_sections

header = page_header(
    "nonlinearity",
    _("Layers that only multiply and add are one layer. What does a bend in each of them buy? Everything here is computed on the spot."),
)
session.engine()
show_sections("nonlinearity", SECTIONS, FIELDS, header)
