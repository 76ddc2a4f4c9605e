"""The sections of the page "Tensors", and all that its link can set."""

from mlp_core.words import Message
from pages.ui.sections import Section
from pages.ui.tensors import contour, operations

SECTIONS = {
    "operations": Section(Message("Shapes and operations"), operations.section),
    "contour": Section(Message("Gradient and contour"), contour.section, contour.subject),
}
FIELDS = (*operations.FIELDS, *contour.FIELDS)
