"""The sections of the page "Stability", and all that its link can set."""

from pages.ui.sections import Section
from pages.ui.stability import chain, depth, designs, matrices, symmetry, training

SECTIONS = {
    "depth": Section("Depth", depth.section, depth.subject),
    "chain": Section("A chain of gradients", chain.section, chain.subject),
    "matrices": Section("Random matrices", matrices.section, matrices.subject),
    "training": Section("So what?", training.section, training.subject),
    "symmetry": Section("Symmetry", symmetry.section, symmetry.subject),
}
FIELDS = (*designs.FIELDS, *depth.FIELDS, *chain.FIELDS, *matrices.FIELDS, *training.FIELDS, *symmetry.FIELDS)
