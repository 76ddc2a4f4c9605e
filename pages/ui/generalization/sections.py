"""The sections of the page "Generalization", and all that its link can set."""

from mlp_core.words import Message
from pages.ui.generalization import capacity, decay, dropout
from pages.ui.sections import Section

SECTIONS = {
    "capacity": Section(Message("Capacity and data"), capacity.section, capacity.subject),
    "decay": Section(Message("Weight decay"), decay.section, decay.subject),
    "dropout": Section(Message("Dropout"), dropout.section, dropout.subject),
}
FIELDS = (*capacity.FIELDS, *decay.FIELDS, *dropout.FIELDS)
