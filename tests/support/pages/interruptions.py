"""A second click that comes while the first is still being worked off: Streamlit then drops the run where it stands and begins anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch
from urllib.parse import urlencode

from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.runtime.scriptrunner import RerunData, ScriptRunner
from streamlit.testing.v1 import AppTest


@contextmanager
def interrupted(page: AppTest, at: int) -> Iterator[list[int]]:
    """During the page's next run, at its `at`-th chance to be interrupted, the browser asks for another run.

    Gives a list that holds the number of chances so far. The request says what a browser would: every widget's value, but no longer the
    press of a button, which was in the first request.
    """
    chances = [0]
    yield_point = ScriptRunner._maybe_handle_execution_control_request

    def counted(runner: ScriptRunner) -> None:
        if runner._execing:
            chances[0] += 1
            if chances[0] == at:
                runner._requests.request_rerun(again)
        yield_point(runner)

    again = RerunData(widget_states=_without_presses(page), query_string=urlencode(page.query_params, doseq=True))
    with patch.object(ScriptRunner, "_maybe_handle_execution_control_request", counted):
        yield chances


def _without_presses(page: AppTest) -> WidgetStates:
    states = page._tree.get_widget_states()
    kept: list[WidgetState] = [state for state in states.widgets if not state.HasField("trigger_value")]
    return WidgetStates(widgets=kept)
