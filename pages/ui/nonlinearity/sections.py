"""The sections of the page "Nonlinearity", and all that its link can set."""

from mlp_core.words import Message
from pages.ui.nonlinearity import collapse, machines, perceptron, playground, settings
from pages.ui.sections import Section

SECTIONS = {
    "collapse": Section(Message("Collapse"), collapse.section, collapse.subject),
    "perceptron": Section(Message("The perceptron"), perceptron.section, perceptron.subject),
    "playground": Section(Message("XOR and friends"), playground.section, playground.subject),
    "ends": Section(Message("One machine, different ends"), machines.section),
}
FIELDS = (*collapse.FIELDS, *perceptron.FIELDS, *settings.FIELDS)
