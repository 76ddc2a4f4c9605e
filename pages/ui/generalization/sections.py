"""The sections of the page "Generalization", and all that its link can set."""

from pages.ui.generalization import capacity, decay, dropout
from pages.ui.sections import Section

SECTIONS = {
    "capacity": Section("Capacity and data", capacity.section),
    "decay": Section("Weight decay", decay.section),
    "dropout": Section("Dropout", dropout.section),
}
FIELDS = (*capacity.FIELDS, *decay.FIELDS, *dropout.FIELDS)
