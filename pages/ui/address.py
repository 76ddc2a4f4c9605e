"""The address bar as a page's memory: notice where a link leads, write what was chosen."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

# A click is sent with the address as the browser had it, which may be the one before our last write: a stale address, and no link. Whoever
# follows a link moves no widget; so what comes with a widget moved is stale however late, and anything else is for so long.
STALE_SECONDS = 2.0
REMEMBERED = 64  # addresses that were left behind

Query = dict[str, str]


@dataclass(slots=True)
class _Seen:
    """The address a page was last at, None before its first visit; and the ones it left behind, with the time."""

    query: Query | None = None
    left: list[tuple[float, Query]] = field(default_factory=list)


class Address:
    """A page's own parameters in the address bar. Make it first in a run, call `write` last; other parameters are left alone.

    Args:
        page: a name of its own for the page.
        names: the parameters that are the page's.
    """

    def __init__(self, page: str, names: Sequence[str]) -> None:
        self.names = names
        key = f"_address_{page}"
        if key not in st.session_state:
            st.session_state[key] = _Seen()
        self._seen: _Seen = st.session_state[key]

    @property
    def query(self) -> Query:
        """The page's parameters as they stand in the address."""
        return {name: st.query_params[name] for name in self.names if name in st.query_params}

    @property
    def repeated(self) -> dict[str, list[str]]:
        """Parameters that stand in the address with more than one value, of which `query` has the last."""
        several = {name: st.query_params.get_all(name) for name in self.query}
        return {name: values for name, values in several.items() if len(set(values)) > 1}

    def arrived(self, *, entering: bool, chosen: Callable[[], Mapping[str, str] | None]) -> Query | None:
        """The parameters, if a link led here that was not yet `followed`; None if the address is our own last write, or stale.

        Args:
            entering: whether the page was just opened: its bare address then means that all stays as it was left.
            chosen: what the widgets now say, None if it cannot be said: where that is not what was written last, one of them was moved.
        """
        query, seen = self.query, self._seen
        if query == seen.query:
            return None
        if seen.query is None or went_through_history():
            return query
        if entering:
            return query or None
        left = [at for at, old in seen.left if old == query]
        if left and (time.monotonic() - left[-1] < STALE_SECONDS or chosen() not in (None, seen.query)):
            return None
        return query

    def followed(self, query: Mapping[str, str]) -> None:
        """The page has taken over what the link says. Said only then: a click may cut a run short before."""
        self._seen.query = dict(query)

    def write(self, query: Mapping[str, str]) -> None:
        """Put the parameters into the address, and take out the page's others."""
        seen, before, now = self._seen, self.query, time.monotonic()
        if before != query:
            passed = [before] if seen.query is None else [before, seen.query]  # what the browser shows, and what it is about to show
            seen.left = [*seen.left, *((now, old) for old in passed)][-REMEMBERED:]
        seen.query = dict(query)  # before the address itself: a click may cut the run short there, with the address already written
        if before != query:
            others = {name: st.query_params.get_all(name) for name in st.query_params if name not in self.names}
            st.query_params.from_dict({**others, **query})


def went_through_history() -> bool:
    """Whether this run of the page was asked for by the browser's Back or Forward, as the browser says."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation
