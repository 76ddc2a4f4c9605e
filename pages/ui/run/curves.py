"""The curves of the run on screen, with the kept runs that are shown beside it."""

from __future__ import annotations

import streamlit as st

from mlp_core.jobs import JobSnapshot
from pages.figures.series import CurveSeries
from pages.figures.training import Reference, accuracy_curve, loss_curve
from pages.ui.live_chart import live_chart
from pages.ui.run import kept_runs

CHART_HEIGHT = 340


def curves_panel(snapshot: JobSnapshot | None, *, reference: Reference | None = None, cursor: int | None = None) -> None:
    """Loss and accuracy over the epochs.

    Args:
        snapshot: the run on screen, if there is one.
        reference: band of accuracies to compare with.
        cursor: step at which the rest of the page stands, if it is not the newest.
    """
    beside = kept_runs.shown_series(snapshot)
    epochs = max([1, *(len(series.epochs) for series in beside)])
    shown: CurveSeries | list[CurveSeries] = beside
    if snapshot is not None:
        alone = CurveSeries.of(snapshot.history, snapshot.steps_per_epoch, members=snapshot.members)
        shown = [kept_runs.series_of(snapshot), *beside] if beside else alone
        epochs = max(epochs, snapshot.spec.epochs)
    elif not beside:
        return
    log = st.toggle("Logarithmic loss axis", key="log_loss", help="Equal ratios look equal: shows whether a small loss still falls.")
    left, right = st.columns(2)
    with left:
        st.markdown("##### Loss")
        figure = loss_curve(shown, epochs, log=log, cursor=cursor)
        live_chart(figure, key="loss", height=CHART_HEIGHT, alt="Training and test loss against epochs")
    with right:
        st.markdown("##### Accuracy")
        figure = accuracy_curve(shown, epochs, reference=reference, cursor=cursor)
        live_chart(figure, key="accuracy", height=CHART_HEIGHT, alt="Training and test accuracy against epochs")
