"""Uploads of a session that has left go with the time, while nobody comes and nobody leaves."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.watching import fresh_server
from tests.faults.conftest import PATIENCE_SECONDS, play
from tests.faults.test_uploads import Client
from tests.load.student import Student

APP = Path(__file__).parents[2] / "app.py"
FILE_BYTES = 4_000_000


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server that keeps a disconnected session for seconds."""
    monkeypatch.setenv("STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL", "3")
    with fresh_server(APP, tmp_path) as (url, _):
        yield url


def uploaded_bytes(client: Client) -> int:
    """What the server says of itself, without a session."""
    status, content = client.get("/_stcore/metrics")
    assert status == 200
    found = re.search(r'UploadedFileManager",cache=""\} (\d+)', content.decode())
    return int(found.group(1)) if found else 0


def test_what_a_session_has_uploaded_goes_after_it_without_another_visitor(url: str) -> None:
    client = Client(url)

    async def scene() -> None:
        async with Student(url) as student:
            await student.open("")
            for number in range(3):
                assert await asyncio.to_thread(client.put, student.session, f"file-{number}", "a.csv", bytes(FILE_BYTES)) == 204
            assert uploaded_bytes(client) == 3 * FILE_BYTES
            await asyncio.sleep(4)  # longer than a disconnected session is kept: this one is connected
            assert uploaded_bytes(client) == 3 * FILE_BYTES

    play(scene())
    deadline = time.monotonic() + PATIENCE_SECONDS
    while uploaded_bytes(client):
        assert time.monotonic() < deadline
        time.sleep(0.2)
