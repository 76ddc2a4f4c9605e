"""A page's own jobs, each in its place, which end with the session. Draws nothing and knows no page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import streamlit as st

from mlp_core.jobs import TrainingJob


class Work(Protocol):
    """What lies in a place: jobs, with what a page remembers of them."""

    @property
    def jobs(self) -> Iterable[TrainingJob]: ...


Kind = TypeVar("Kind", bound=Work)


@dataclass(slots=True, eq=False)
class Bench(Generic[Kind]):
    """A session's hold on its jobs of one page; Streamlit releases it when the session ends, which parks them."""

    places: dict[str, Kind] = field(default_factory=dict)

    def __getitem__(self, place: str) -> Kind | None:
        """What lies there, if anything does."""
        return self.places.get(place)

    def put(self, place: str, work: Kind) -> None:
        """Put work there, in the place of the one before, which ends."""
        self.clear(place)
        self.places[place] = work
        for job in work.jobs:
            job.claim(self)

    def clear(self, place: str) -> None:
        """Let go of what lies there, which ends its jobs."""
        if (work := self.places.pop(place, None)) is not None:
            for job in work.jobs:
                job.discard()

    def release(self) -> None:
        """Park every job: nobody looks any more."""
        for work in self.places.values():
            for job in work.jobs:
                job.park(self)
        self.places.clear()


@st.cache_resource(scope="session", show_spinner=False, on_release=Bench.release)
def bench_of(page: str) -> Bench[Any]:
    """This session's bench of a page, empty at first."""
    return Bench()
