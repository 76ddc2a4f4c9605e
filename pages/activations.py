"""The activations page: which functions, on which grid, and the panels that show them."""

import streamlit as st

from pages.ui.navigation import page_header  # first: it limits what all others compute with

# isort: split
from pages.language import _
from pages.ui.activations.controls import FIELDS, choose, panels, probe_controls
from pages.ui.class_link import class_link
from pages.ui.link import LinkState


def page() -> None:
    header = page_header(
        "activations",
        _(
            "The activation bends what a layer computes; its **gradient** is all that the layers below get to learn from. "
            "Choose functions in the sidebar, or type one of your own."
        ),
    )
    link = LinkState("activations", FIELDS)
    link.show_errors()
    with st.sidebar:
        shown, error = choose(link)
        if shown:
            closer, x = probe_controls(link, shown)
    if error is not None:
        st.error(_("Your own activation, {refusal}.", refusal=_(error)), icon=":material/error:")
        st.code(f"{link['own']}\n{' ' * error.position}^", language=None)
    if not shown:
        st.info(_("Choose an activation in the sidebar, or type one of your own."))
    else:
        panels(link, shown, closer, x)
    link.write()
    with header:
        class_link("activations", tuple(dict.fromkeys(link.shown)))


page()
