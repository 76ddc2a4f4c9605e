"""The sections of the page "Generalization", and all that its link can set."""

from pages.ui.generalization import capacity, decay, dropout
from pages.ui.sections import Section

SECTIONS = {
    "capacity": Section("Capacity and data", capacity.section, capacity.subject),
    "decay": Section("Weight decay", decay.section, decay.subject),
    "dropout": Section("Dropout", dropout.section, dropout.subject),
}
FIELDS = (*capacity.FIELDS, *decay.FIELDS, *dropout.FIELDS)
