"""Ends by a clock what a visitor has left: Streamlit by itself ends a session that was disconnected for long when the next one leaves.

Imports nothing heavy: it is there before the first page.
"""

import asyncio
import gc
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import streamlit as st
from streamlit import runtime
from streamlit.runtime import Runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from mlp_core.runtime.memory import give_back

TURNS = 30  # of the clock, in the time that a session may be disconnected
MOST_UPLOADED = 20_000_000  # bytes of one session: a page keeps one file of at most 5 MB, whatever else was sent to its address

_log = logging.getLogger(__name__)
_connected: dict[str, float] = {}  # when a session was connected last, by `time.monotonic`


def note_session() -> None:
    """Have the clock know of this session. Called by every run of a page."""
    if (context := get_script_run_ctx()) is not None:
        _connected[context.session_id] = time.monotonic()


@asynccontextmanager
async def clock(_: object) -> AsyncGenerator[None]:
    """Look after sessions for as long as the server runs, on the loop that it serves from."""
    seconds = st.get_option("server.disconnectedSessionTTL")

    async def look_after() -> None:
        while True:
            await asyncio.sleep(seconds / TURNS)
            try:
                # Before Streamlit's own time, after which it still holds a session and can no longer be asked to end it.
                if end_disconnected(runtime.get_instance(), time.monotonic(), seconds * (1 - 2 / TURNS)):
                    await asyncio.to_thread(_tidy)
            except Exception:  # of one turn; the next one comes
                _log.exception("Sessions that were disconnected could not be ended")

    task = asyncio.create_task(look_after())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _tidy() -> None:
    """Free what sessions have left: they refer to themselves in rings, which are collected only while there is something to do."""
    gc.collect()  # a few milliseconds: what was imported is frozen
    give_back()


def end_disconnected(server: Runtime, now: float, seconds: float) -> bool:
    """End the sessions that were disconnected for so long, with all that they hold, and bound what the others have uploaded.

    Args:
        now: by `time.monotonic`.

    Returns:
        Whether that has freed memory.
    """
    freed = False
    for session, last in tuple(_connected.items()):
        if server.is_active_session(session):
            _connected[session] = now
        elif now - last >= seconds:
            del _connected[session]
            server.close_session(session)
            freed = True
    return _bound_uploads(server) or freed


def _bound_uploads(server: Runtime) -> bool:
    """Whether there was something to take away: from a session more than it may have, the oldest first; all that is left of none."""
    files, freed = server.uploaded_file_mgr, False
    assert isinstance(files, MemoryUploadedFileManager)
    for session, held in tuple(files.file_storage.items()):
        if session not in _connected and not server.is_active_session(session):
            files.remove_session_files(session)
            freed = True
            continue
        excess = sum(len(file.data) for file in held.values()) - MOST_UPLOADED
        for identity, file in tuple(held.items()):
            if excess <= 0:
                break
            files.remove_file(session, identity)
            excess, freed = excess - len(file.data), True
    return freed
