"""The act "Capacity and data": a polynomial, real images, and labels that are wrong. Chooses the part; draws none."""

from __future__ import annotations

import streamlit as st

from pages.ui.generalization import curve, images, labels
from pages.ui.link import LinkState, choice

PARTS = {
    "polynomial": ("A polynomial", curve.part),
    "images": ("Images: how many, how wide", images.part),
    "labels": ("Wrong labels", labels.part),
}
FIELDS = (
    choice("part", "polynomial", tuple(PARTS)),
    *curve.FIELDS,
    *images.FIELDS,
    *labels.FIELDS,
)


def act(link: LinkState) -> None:
    """Choose what to fit."""
    st.segmented_control(
        "Fit", tuple(PARTS), format_func=lambda part: PARTS[part][0], key=link.key("part"), required=True, label_visibility="collapsed"
    )
    PARTS[link["part"]][1](link)
