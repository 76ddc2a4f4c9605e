"""The sections of the page "Nonlinearity", and all that its link can set."""

from pages.ui.nonlinearity import collapse, machines, perceptron, playground, settings
from pages.ui.sections import Section

SECTIONS = {
    "collapse": Section("Collapse", collapse.section),
    "perceptron": Section("The perceptron", perceptron.section),
    "playground": Section("XOR and friends", playground.section),
    "ends": Section("One machine, different ends", machines.section),
}
FIELDS = (*collapse.FIELDS, *perceptron.FIELDS, *settings.FIELDS)
