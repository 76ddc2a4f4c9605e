"""The run that a link begins by itself, `run=yes`: once a visit, and never by a link of which a part cannot be.

The parameter is taken out of the address as soon as it is read: whoever reloads the page after Reset begins nothing anew.
"""

from collections.abc import Callable

import streamlit as st

from pages.ui.address import went_through_history
from pages.ui.unbroken import unbroken

RUN = "run"
_DUE, _BEGUN = "_run_is_due", "_links_that_began"  # in the session


def heed_run(page: str, *, sound: bool) -> str | None:
    """Take the parameter out of the address; the run is due from here on, unless this link has begun one before. To be called once a run.

    Args:
        page: a name of its own for the page.
        sound: whether all else that the link says can be.

    Returns:
        What it says instead of "yes", if anything.
    """
    if st.session_state.get(_DUE, (page,))[0] != page:
        drop_run()
    text = st.query_params.get(RUN)
    if text is None:
        return None
    link = page, *sorted(st.query_params.items())
    begun: set[tuple[object, ...]] = st.session_state.setdefault(_BEGUN, set())
    if text == "yes" and sound and link not in begun and not went_through_history():
        st.session_state[_DUE] = link
    del st.query_params[RUN]  # last: a click may cut the run of the page short before
    return text if text != "yes" else None


def drop_run() -> None:
    """No run is due: a part of the link cannot be, or there was nothing to begin."""
    st.session_state.pop(_DUE, None)


def begin_if_due(begin: Callable[[], object]) -> bool:
    """Do what the page's main button does, where the link says so; to its end, whatever is clicked meanwhile. Returns whether it did."""
    if _DUE not in st.session_state:
        return False

    def carry_out() -> None:
        begin()
        if (link := st.session_state.pop(_DUE, None)) is not None:
            st.session_state[_BEGUN].add(link)

    unbroken(carry_out)()
    return True
