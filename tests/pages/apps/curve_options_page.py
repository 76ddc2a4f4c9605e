"""The curves of a run made by hand with the controls of how they are drawn; nothing is trained. `session_state["spike"]` is one loss."""

from array import array
from dataclasses import replace

import streamlit as st

from pages.figures.series import CurveSeries
from pages.figures.training import accuracy_curve, loss_curve
from pages.ui.live_chart import live_chart
from pages.ui.run.curve_options import curve_options, spike_words, turn_clipping
from tests.support.kept import STEPS_PER_EPOCH, history

past = history([0.7, 0.8])
losses = array("d", past.losses)
losses[300] = st.session_state.get("spike", losses[300])
series = CurveSeries(replace(past, losses=losses), STEPS_PER_EPOCH)
options = curve_options()
loss = loss_curve(series, 10, options=options)
if words := spike_words(loss, options):
    st.button(words, key="curve_spike", on_click=turn_clipping)
live_chart(loss, key="loss", height=300, alt="Loss")
live_chart(accuracy_curve(series, 10, options=options), key="accuracy", height=300, alt="Accuracy")
