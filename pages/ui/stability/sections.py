"""The sections of the page "Stability", and all that its link can set."""

from mlp_core.words import Message
from pages.ui.sections import Section
from pages.ui.stability import chain, depth, designs, matrices, symmetry, training

SECTIONS = {
    "depth": Section(Message("Depth"), depth.section, depth.subject),
    "chain": Section(Message("A chain of gradients"), chain.section, chain.subject),
    "matrices": Section(Message("Random matrices"), matrices.section, matrices.subject),
    "training": Section(Message("So what?"), training.section, training.subject),
    "symmetry": Section(Message("Symmetry"), symmetry.section, symmetry.subject),
}
FIELDS = (*designs.FIELDS, *depth.FIELDS, *chain.FIELDS, *matrices.FIELDS, *training.FIELDS, *symmetry.FIELDS)
