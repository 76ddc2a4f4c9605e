"""What the network says of the test images: a grid of them, one in detail, and the confusion matrix. Reads a finished evaluation."""

from __future__ import annotations

import streamlit as st

from mlp_core.jobs import JobSnapshot
from pages.ui.text import count, percent

GRID_COLUMNS, GRID_ROWS = 8, 3
GRID_HEIGHT = 420


def predictions_panel(snapshot: JobSnapshot) -> None:
    """Test images with their labels and predictions, and where the network confuses them."""
    evaluation = snapshot.evaluation
    if evaluation is None:
        return
    st.markdown("### Predictions on test images")
    st.caption(f"After step {count(evaluation.step)}: {percent(evaluation.accuracy)} of {count(len(evaluation.labels))} images right.")
