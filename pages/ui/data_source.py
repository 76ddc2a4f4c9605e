"""Where the images come from: a bar while they are fetched for the first time, and plain words where only the sample is there."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from mlp_core.data import FULL_SET_HINT, Dataset, forget, load_fashion_mnist
from mlp_core.words import Message, count, joined
from pages.language import _
from pages.ui.text import plain
from pages.ui.unbroken import unbroken


def load_data() -> Dataset:
    """The images, one copy for all sessions. Says so where they are the bundled sample, why, and how to get the rest."""
    place = st.empty()
    bars: list[DeltaGenerator] = []

    def report(fraction: float, text: str) -> None:
        bars.append(place.progress(min(fraction, 1.0), _(text)))

    data = load_fashion_mnist(progress=report)
    if bars:
        place.empty()
    if data.is_sample:
        sample = Message(
            "**This trains on a sample:** {training} training and {test} test images, since the full Fashion-MNIST was not found.",
            training=count(len(data.train_labels)),
            test=count(len(data.test_labels)),
        )
        st.warning(_(joined(sample, FULL_SET_HINT)))
        with st.expander(_("What was tried")):
            for note in data.notes:
                st.markdown(f"- {plain(_(note), 300)}")
            st.button(_("Look again"), on_click=unbroken(forget), icon=":material/refresh:")
    elif data.notes:
        st.caption(_("About the data: {notes}", notes="; ".join(plain(_(note), 300) for note in data.notes)))
    return data
