"""Widget states that no browser sends: a sentence in the place of a traceback, for their sender alone, and one line in the log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.proto.WidgetStates_pb2 import WidgetState

from pages.ui.guard import UNREADABLE, unreadable
from tests.bench.watching import fresh_server
from tests.faults.conftest import play
from tests.load.student import Student

APP = Path(__file__).parents[2] / "app.py"
PAGES = {"train": "", "stability": "act=depth", "nonlinearity": "act=playground"}
KINDS = ("slider", "number_input", "selectbox", "button_group", "select_slider", "radio", "multiselect", "checkbox")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("guarded")
    with fresh_server(APP, folder) as (url, _):
        yield url, folder


def log(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.glob("*.log"))


def strange(identity: str) -> Iterator[WidgetState]:
    yield WidgetState(id=identity, string_value="no such option")
    yield WidgetState(id=identity, double_value=1e300)
    yield WidgetState(id=identity, json_value="not json")
    state = WidgetState(id=identity)
    state.int_array_value.data.extend([99, -1])
    yield state


@pytest.mark.parametrize("page", PAGES)
def test_what_no_browser_sends_is_answered_in_words_and_in_one_line(server: tuple[str, Path], page: str) -> None:
    url, folder = server
    before, answered = log(folder), 0

    async def scene() -> None:
        nonlocal answered
        async with Student(url, "a stranger") as stranger, Student(url, "a visitor") as visitor:
            await visitor.open(page, PAGES[page])
            await stranger.open(page, PAGES[page])
            first = {kind: element.id for kind, element in reversed(stranger.controls) if kind in KINDS}
            for identity in first.values():
                for state in strange(identity):
                    await stranger.open(page, PAGES[page])
                    await stranger.send(state)
                    answered += UNREADABLE in stranger.text
            assert stranger.exceptions == []
            await visitor.refresh()
            assert UNREADABLE not in visitor.text
            assert visitor.exceptions == []

    play(scene())
    assert answered >= 3
    new = log(folder)[len(before) :]
    assert "Traceback" not in new
    assert new.count("sent something it cannot read") >= answered


def test_a_state_of_more_than_a_megabyte_is_not_taken(server: tuple[str, Path]) -> None:
    url = server[0]

    async def scene() -> None:
        async with Student(url, "a stranger") as stranger:
            await stranger.open("train")
            assert stranger._socket is not None
            await stranger._socket.send(bytes(1_000_001))
            await stranger._socket.wait_closed()
            assert stranger._socket.close_code == 1009

    play(scene())


def test_a_defect_of_a_page_is_not_taken_for_a_strangers_doing() -> None:
    for defect in ("1 / 0", "st.session_state['no such key']", "st.session_state.absent", "int('x')"):
        with pytest.raises(Exception) as caught:  # noqa: PT011 (whichever it is)
            exec(compile(defect, "page", "exec"), {"__name__": "__main__", "st": st})
        assert not unreadable(caught.value)
