"""The section "Capacity and data": a polynomial, real images, and labels that are wrong."""

import streamlit as st

from mlp_core.words import Message
from pages.language import _
from pages.ui.generalization import curve, images, labels
from pages.ui.link import LinkState
from pages.ui.measures import Subject, Values
from pages.ui.sections import Section, choose_section, section_field

PARTS = {
    "polynomial": Section(Message("A polynomial"), curve.part, curve.subject),
    "images": Section(Message("Images: how many, how wide"), images.part, images.subject),
    "labels": Section(Message("Wrong labels"), labels.part, labels.subject),
}
FIELDS = (section_field("part", PARTS), *curve.FIELDS, *images.FIELDS, *labels.FIELDS)


def subject(values: Values) -> Subject:
    """What is fitted."""
    return PARTS[values["part"]].subject(values)


def section(link: LinkState) -> None:
    """Choose what to fit."""
    choose_section(link, "part", _("Fit"), PARTS, st.container())
