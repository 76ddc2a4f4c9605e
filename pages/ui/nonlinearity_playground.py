"""The act "XOR and friends": a small network on points of the plane, seen from inside while it learns."""

from __future__ import annotations

import streamlit as st

from mlp_core.expression import ExpressionError
from mlp_core.jobs import JobSnapshot, MemoryBudgetError, TrainingJob
from mlp_core.spec import SpecError
from pages.ui import nonlinearity_job, session
from pages.ui import nonlinearity_pictures as pictures
from pages.ui.link import LinkState
from pages.ui.nonlinearity_presets import preset_row
from pages.ui.nonlinearity_settings import Settings, settings_panel
from pages.ui.text import count, percent, plain

PLAYING = "_plane_playing"
TICK_SECONDS = 0.2
LARGE_LOSS = 1e4  # is written with a power of ten
SLOWER = 3  # ticks to one of the curves
CROWD = 8  # so many playing jobs get ticks of that length; with more they grow in proportion


def act(link: LinkState) -> None:
    """Choose points and a network, press Play, look inside."""
    st.markdown(
        "No single line separates **XOR**. One hidden layer bends the plane until a line will do: every small picture below is what one "
        "unit computes. Data, network and learning are set in the sidebar."
    )
    preset_row(link)
    settings = settings_panel(link)
    job = _job(settings) if settings.trainable else None
    active = job is not None and _active(job)
    tick = TICK_SECONDS * max(1.0, session.engine()[0].playing_count / CROWD) if active else None
    st.fragment(_panel, run_every=tick)(link, settings, job, active)
    if job is not None:
        st.fragment(_record, run_every=SLOWER * tick if tick else None)(link, settings, job)


def _job(settings: Settings) -> TrainingJob | None:
    try:
        return nonlinearity_job.job_for(settings.key, settings.run)
    except (SpecError, ExpressionError, MemoryBudgetError) as error:
        st.error(f"This cannot be trained here: {plain(error, 200)}", icon=":material/error:")
        return None


def _active(job: TrainingJob) -> bool:
    """Whether there will be something new to see."""
    return job.moving or (bool(st.session_state.get(PLAYING)) and not job.ended)


def _panel(link: LinkState, settings: Settings, job: TrainingJob | None, active: bool) -> None:
    if job is None:
        st.info(_why_not(settings), icon=":material/info:")
        pictures.bare_plane(link, settings)
        return
    if st.session_state.get(PLAYING) and not job.moving:
        _go_on(link, job)
    if _active(job) != active:
        st.rerun()  # the whole page: whether the panel runs itself again is decided there
    _buttons(link, job)
    pictures.network_row(link, settings, job, playing=bool(st.session_state.get(PLAYING)))
    link.write()


def _record(link: LinkState, settings: Settings, job: TrainingJob) -> None:
    """What has happened so far, less often than what there is to see, so that this has the time to move."""
    snapshot = job.snapshot()
    _tiles(snapshot, settings)
    if snapshot.stop_reason is not None and snapshot.stop_reason.kind != "completed":
        st.error(f"{snapshot.stop_reason} Reset, and try a smaller learning rate.", icon=":material/error:")
    pictures.curves_row(link, settings, job, snapshot)


def _why_not(settings: Settings) -> str:
    if not settings.features:
        return "Choose an input in the sidebar: with none there is nothing to learn from."
    return "Click the plane to draw points of at least two classes, or load a file; then press Play."


def _go_on(link: LinkState, job: TrainingJob) -> None:
    """Train on by as much as one frame shows."""
    pace = link["pace"]
    if job.ended:
        st.session_state[PLAYING] = False
    elif pace == "full":
        job.play()
    else:
        job.step({"batch": 1, "epoch": 1, "epochs": 5}[pace] * (1 if pace == "batch" else job.run.steps_per_epoch))


def _buttons(link: LinkState, job: TrainingJob) -> None:
    playing = bool(st.session_state.get(PLAYING)) and not job.ended
    with st.container(horizontal=True, vertical_alignment="center"):
        label, icon = ("Pause", ":material/pause:") if playing else ("Play", ":material/play_arrow:")
        st.button(label, key="plane_play", icon=icon, type="primary", on_click=_play, args=(job, not playing), disabled=job.ended)
        resting = not playing and not job.ended
        st.button("Step one batch", key="plane_batch", icon=":material/skip_next:", on_click=job.step, disabled=not resting)
        st.button("Step one epoch", key="plane_epoch", icon=":material/fast_forward:", on_click=job.step_epoch, disabled=not resting)
        st.button("Reset", key="plane_reset", icon=":material/restart_alt:", on_click=_reset)
        st.button("Regenerate", key="plane_again", icon=":material/casino:", on_click=_regenerate, args=(link,), help="New points.")


def _play(job: TrainingJob, playing: bool) -> None:
    st.session_state[PLAYING] = playing
    if not playing:
        job.pause()


def _reset() -> None:
    st.session_state[PLAYING] = False
    nonlinearity_job.forget()


def _regenerate(link: LinkState) -> None:
    link["data_seed"] = int(link["data_seed"]) + 1


def _tiles(snapshot: JobSnapshot, settings: Settings) -> None:
    epochs = snapshot.history.epochs
    last = epochs[-1] if epochs else None
    with st.container(horizontal=True):
        st.metric("Epoch", f"{count(len(epochs))} of {count(snapshot.spec.epochs)}", border=True)
        st.metric("Training loss", _loss(last.train_loss) if last else "–", border=True, help="Mean over the last epoch's batches.")
        st.metric("Test loss", _loss(last.test_loss) if last else "–", border=True)
        if settings.points.classes:
            st.metric("Training accuracy", percent(last.train_accuracy) if last else "–", border=True)
            st.metric("Test accuracy", percent(last.test_accuracy) if last else "–", border=True)


def _loss(value: float) -> str:
    return f"{value:.4f}" if value < LARGE_LOSS else f"{value:.1e}"
