"""The sections of the page "Nonlinearity", and all that its link can set."""

from pages.ui.nonlinearity import collapse, machines, perceptron, playground, settings
from pages.ui.sections import Section

SECTIONS = {
    "collapse": Section("Collapse", collapse.section, collapse.subject),
    "perceptron": Section("The perceptron", perceptron.section, perceptron.subject),
    "playground": Section("XOR and friends", playground.section, playground.subject),
    "ends": Section("One machine, different ends", machines.section),
}
FIELDS = (*collapse.FIELDS, *perceptron.FIELDS, *settings.FIELDS)
