"""Vanishing and exploding gradients, what causes them and what they cost; one section at a time."""

from pages.ui.navigation import page_header  # first: it limits what all others compute with

# isort: split
from pages.ui import session
from pages.ui.sections import show_sections
from pages.ui.stability import chain, depth, designs, matrices, symmetry, training

SECTIONS = {
    "depth": ("Depth", depth.section),
    "chain": ("A chain of gradients", chain.section),
    "matrices": ("Random matrices", matrices.section),
    "training": ("So what?", training.section),
    "symmetry": ("Symmetry", symmetry.section),
}
PANELS = (designs, depth, chain, matrices, training, symmetry)

header = page_header(
    "stability",
    "A deep network multiplies its signal and its gradient by one matrix after another. Every picture here shows what is **measured** "
    "and what **theory** predicts, in absolute values on axes in powers of ten.",
)
session.engine()
show_sections("stability", SECTIONS, [field for panel in PANELS for field in panel.FIELDS], header)
