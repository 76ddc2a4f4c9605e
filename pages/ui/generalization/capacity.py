"""The section "Capacity and data": a polynomial, real images, and labels that are wrong."""

import streamlit as st

from pages.ui.generalization import curve, images, labels
from pages.ui.link import LinkState
from pages.ui.sections import Section, choose_section, section_field

PARTS = {
    "polynomial": Section("A polynomial", curve.part),
    "images": Section("Images: how many, how wide", images.part),
    "labels": Section("Wrong labels", labels.part),
}
FIELDS = (section_field("part", PARTS), *curve.FIELDS, *images.FIELDS, *labels.FIELDS)


def section(link: LinkState) -> None:
    """Choose what to fit."""
    choose_section(link, "part", "Fit", PARTS, st.container())
