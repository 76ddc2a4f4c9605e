"""What takes longer than a person should wait for a page: computed in turns with everybody's runs, with progress and Stop."""

import threading
from collections.abc import Callable, Generator, Hashable
from typing import Any, TypeVar, cast

import streamlit as st

from pages.language import _
from pages.ui import session
from pages.ui.ticking import follow
from pages.ui.unbroken import button

AT_ONCE_SECONDS = 1.0  # what is done by then needs no progress
TICK_SECONDS = 0.5
KEPT = 8  # results under one name, of all visitors: many look at what a preset shows

Value = TypeVar("Value")

_lock = threading.Lock()
_results: dict[str, dict[Hashable, Any]] = {}  # name -> key -> result, the one used last at the end


def computed(
    name: str, key: Hashable, pieces: Callable[[], Generator[float, None, Value]], draw: Callable[[Value], None], doing: str
) -> None:
    """Draw what the pieces come to; until they are done, how far they are and a Stop button.

    Args:
        name: under which the session holds what is computed.
        key: of all that the result hangs on.
        pieces: as of a `Computation`.
        doing: what is done, for a person.
    """
    if (kept := result_of(name, key)) is not None:
        follow(lambda: draw(kept), TICK_SECONDS, lambda: False)  # in a panel like one that is computed, whose charts stay as it comes
        return
    job = session.jobs().computation(name, key, pieces)
    job.await_rest(AT_ONCE_SECONDS)

    def begin_again() -> None:
        session.jobs().computations.pop(name, None)

    def moving() -> bool:
        return job.moving or name not in session.jobs().computations  # begun again, which the whole page does and no panel

    def panel() -> None:
        if job.state == "finished":
            _keep(name, key, job.result)
            draw(cast(Value, job.result))
        elif job.moving:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.progress(job.fraction_done, _("{doing}: {share}", doing=_(doing), share=f"{job.fraction_done:.0%}"))
                button(_("Stop"), f"{name}_stop", "stop", job.stop)
        else:
            st.info(_("Stopped.") if job.state == "stopped" else _("This could not be computed: a defect, which is in the log."))
            button(_("Compute again"), f"{name}_start", "play_arrow", begin_again)

    follow(panel, TICK_SECONDS, moving)


def part_of(pieces: Generator[float, None, Value], start: float, end: float) -> Generator[float, None, Value]:
    """The same pieces as a part of a larger computation, which has done `start` of all when they begin and `end` when they are done."""
    while True:
        try:
            done = next(pieces)
        except StopIteration as finished:
            result: Value = finished.value
            return result
        yield start + (end - start) * done


def shared(name: str, key: Hashable, pieces: Callable[[], Generator[float, None, Value]]) -> Generator[float, None, Value]:
    """The same pieces, of which the result is kept for all computations that need it; nothing is left to do where it is kept."""
    if (result := result_of(name, key)) is None:
        result = yield from pieces()
        _keep(name, key, result)
    return cast(Value, result)


def result_of(name: str, key: Hashable) -> Any:
    """What was computed for this key under this name, by whomever; None where it is not there, or not any more."""
    with _lock:
        results = _results.setdefault(name, {})
        if (result := results.pop(key, None)) is not None:
            results[key] = result
        return result


def _keep(name: str, key: Hashable, result: Any) -> None:
    with _lock:
        results = _results.setdefault(name, {})
        results[key] = result
        while len(results) > KEPT:
            del results[next(iter(results))]
