"""What a run's controls refused, shown where it was asked until something is accepted there; with another run it is gone."""

import weakref

import streamlit as st

from mlp_core.jobs import TrainingJob
from mlp_core.spec import SpecError


def refuse(place: str, job: TrainingJob, error: SpecError) -> None:
    """Remember what was asked of the job in this place, and why it cannot be."""
    st.session_state[_key(place)] = (weakref.ref(job), error)


def accept(place: str) -> None:
    """What is asked there now can be."""
    st.session_state.pop(_key(place), None)


def refusal(place: str, job: TrainingJob | None) -> SpecError | None:
    """What was refused there last, if it was asked of this job."""
    held, error = st.session_state.get(_key(place), (None, None))
    return error if held is not None and job is not None and held() is job else None


def _key(place: str) -> str:
    return f"_refused_{place}"
