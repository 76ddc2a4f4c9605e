"""A session that was disconnected for long is ended by the clock, with what it has uploaded, whether anybody comes or not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import pytest
from streamlit.runtime import Runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from pages.ui import disconnected
from pages.ui.disconnected import MOST_UPLOADED, end_disconnected

KEPT_SECONDS = 60.0


@dataclass
class Server:
    """What the clock asks of Streamlit's server."""

    active: set[str] = field(default_factory=set)
    ended: list[str] = field(default_factory=list)
    uploaded_file_mgr: MemoryUploadedFileManager = field(default_factory=lambda: MemoryUploadedFileManager("/upload"))

    def is_active_session(self, session: str) -> bool:
        return session in self.active

    def close_session(self, session: str) -> None:
        self.ended.append(session)
        self.uploaded_file_mgr.remove_session_files(session)

    def upload(self, session: str, name: str, size: int) -> None:
        self.uploaded_file_mgr.add_file(session, UploadedFileRec(name, name, "text/csv", bytes(size)))

    def files(self, session: str) -> list[str]:
        return list(self.uploaded_file_mgr.file_storage.get(session, {}))

    def turn(self, now: float) -> bool:
        return end_disconnected(cast(Runtime, self), now, KEPT_SECONDS)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    """With two sessions, both connected at second 0."""
    monkeypatch.setattr(disconnected, "_connected", {"one": 0.0, "other": 0.0})
    return Server({"one", "other"})


def test_who_has_left_is_ended_once_after_the_time_and_nobody_else(server: Server) -> None:
    server.upload("one", "a", 10)
    server.upload("other", "b", 10)
    assert not server.turn(500.0)
    server.active.remove("one")
    assert not server.turn(500.0 + KEPT_SECONDS - 1)
    assert server.files("one") == ["a"]
    assert server.turn(500.0 + KEPT_SECONDS)
    assert (server.ended, server.files("one"), server.files("other")) == (["one"], [], ["b"])
    assert not server.turn(5000.0)
    assert server.ended == ["one"]


def test_who_comes_back_has_all_the_time_again(server: Server) -> None:
    server.active.remove("one")
    server.turn(KEPT_SECONDS - 1)
    server.active.add("one")
    server.turn(KEPT_SECONDS + 1)
    server.active.remove("one")
    server.turn(2 * KEPT_SECONDS)
    assert server.ended == []
    server.turn(2 * KEPT_SECONDS + 1)
    assert server.ended == ["one"]


def test_of_too_many_uploads_the_oldest_go(server: Server) -> None:
    for number in range(6):
        server.upload("one", f"file {number}", MOST_UPLOADED // 4)
    server.upload("other", "large", MOST_UPLOADED)
    assert server.turn(1.0)
    assert server.files("one") == ["file 2", "file 3", "file 4", "file 5"]
    assert server.files("other") == ["large"]
    assert not server.turn(2.0)


def test_what_arrives_after_its_session_has_ended_goes(server: Server) -> None:
    server.upload("nobody", "late", 10)
    server.active.add("new")  # which no page has run for yet
    server.upload("new", "early", 10)
    assert server.turn(1.0)
    assert (server.files("nobody"), server.files("new")) == ([], ["early"])
