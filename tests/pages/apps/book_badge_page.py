"""The badge of one run made by hand, and the accuracy curve with the reference that belongs to it; nothing is trained."""

import streamlit as st

from pages.figures.series import CurveSeries
from pages.figures.training import accuracy_curve
from pages.ui.live_chart import live_chart
from pages.ui.run.readings import book_badge, reference

snapshot = st.session_state["snapshot"]
book_badge(snapshot)
series = CurveSeries(snapshot.history, snapshot.steps_per_epoch)
live_chart(accuracy_curve(series, 10, reference=reference(snapshot)), key="accuracy", height=360, alt="Accuracy")
