"""Take a run's numbers home: curves as CSV, weights as safetensors. Computes nothing until a button is pressed."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from mlp_core.export import epochs_csv, steps_csv, weights_safetensors
from mlp_core.jobs import JobSnapshot, TrainingJob


def downloads_panel(job: TrainingJob, snapshot: JobSnapshot) -> None:
    """Buttons to download what the run recorded and what it learned."""
    history, network = snapshot.history, job.run.network
    with st.container(horizontal=True, key="downloads"):
        _download("Steps (CSV)", "steps.csv", lambda: steps_csv(history), enabled=snapshot.step > 0)
        _download("Epochs (CSV)", "epochs.csv", lambda: epochs_csv(history), enabled=bool(history.epochs))
        if network is not None:
            resting = snapshot.state != "playing"
            _download(
                "Weights (safetensors)",
                "weights.safetensors",
                lambda: weights_safetensors(network, snapshot.spec, snapshot.step),
                enabled=resting,
            )


def _download(label: str, name: str, content: Callable[[], str | bytes], *, enabled: bool) -> None:
    st.download_button(
        label, content, name, key=f"download_{name}", on_click="ignore", icon=":material/download:", type="tertiary", disabled=not enabled
    )
