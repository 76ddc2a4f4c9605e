"""Several runs beside each other: the buttons that start and end a group of them, and a panel that follows it while it moves."""

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import NamedTuple

import streamlit as st

from mlp_core.jobs import JobSnapshot, TrainingJob
from mlp_core.records import HistorySnapshot
from pages.language import _
from pages.ui import session
from pages.ui.begun_by_link import begin_if_due
from pages.ui.session import JobGroup, Planned
from pages.ui.text import refused
from pages.ui.ticking import follow
from pages.ui.unbroken import button

TICK_SECONDS = 0.7


class ShownRun(NamedTuple):
    """A run that was started, as it stands."""

    title: str
    snapshot: JobSnapshot
    job: TrainingJob

    @property
    def members(self) -> tuple[HistorySnapshot, ...]:
        """One history a seed; of a single run, its own."""
        return self.snapshot.members or (self.snapshot.history,)


def follow_group(name: str, panel: Callable[[], None]) -> None:
    """Draw a panel, and again by itself for as long as the group of this name moves."""

    def moving() -> bool:
        if (group := session.jobs().group(name)) is not None:
            session.jobs().advance(group)
        return session.jobs().moving(name)

    follow(panel, TICK_SECONDS, moving)


def group_controls(
    name: str, label: str, key: Hashable, planned: Sequence[Planned], at_once: int = 1, stop: Callable[[], None] | None = None
) -> list[ShownRun]:
    """The buttons of a group and what is to be said of it; what was started. To be called from a panel that `follow_group` draws.

    Args:
        label: of the button that starts the group.
        key: of the settings that stand on the page.
        stop: what Stop does; by default the runs end, and what they reached stays to be seen.
    """
    if begin_if_due(partial(session.start_group, name, key, planned, at_once)):
        st.rerun()  # the whole page: that the panel runs itself again is decided there
    group = session.jobs().group(name)
    with st.container(horizontal=True):
        button(_(label), f"{name}_start", "play_arrow", session.start_group, name, key, planned, at_once, type="primary")
        button(_("Stop"), f"{name}_stop", "stop", stop or partial(_stop, name), enabled=session.jobs().moving(name))
    if group is None:
        return []
    if group.error is not None:
        st.error(_("This cannot be trained here: {why}", why=refused(group.error)), icon=":material/error:")
    if group.key != key and group.started:
        st.info(_("These runs are of the settings before; train again to see the new ones."), icon=":material/edit_note:")
    return shown_runs(group)


def shown_runs(group: JobGroup) -> list[ShownRun]:
    """What was started, as it stands."""
    return [ShownRun(title, job.snapshot(), job) for title, job in group.started]


def _stop(name: str) -> None:
    if (group := session.jobs().group(name)) is not None:
        group.stop()
