"""Updates that a browser asks for at an address beside the pages, so that no run of a page is needed to answer it.

An address holds a token that nobody can guess, and is gone with the session for which it was made. Where a host does not pass such
addresses on, whoever asks gets no update and lets the page run instead. Imports nothing heavy: it is there before the first page.
"""

import secrets
from http import HTTPStatus
from typing import Protocol
from weakref import WeakValueDictionary

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

MOST_DIGITS = 18  # of a version's number


class Source(Protocol):
    """What has updates."""

    def answer(self, have: int) -> bytes | None:
        """What is new since this version; None where the page has to run. Called from any thread."""


_sources: WeakValueDictionary[str, Source] = WeakValueDictionary()


def new_address(source: Source) -> str:
    """Where updates of `source` can be asked for, relative to the app, for as long as there is that source."""
    token = secrets.token_urlsafe(16)
    _sources[token] = source
    return f"updates/{token}"


def routes() -> list[Route]:
    """What the server has to serve beside the pages."""
    return [Route(f"/{'/'.join(filter(None, (st.get_option('server.baseUrlPath').strip('/'), 'updates')))}/{{token}}", _answer)]


def _answer(request: Request) -> Response:
    have = request.query_params.get("have", "")
    if not (have.isascii() and have.isdecimal() and len(have) <= MOST_DIGITS):
        return Response(status_code=HTTPStatus.BAD_REQUEST)
    if (source := _sources.get(request.path_params["token"])) is None:
        return Response(status_code=HTTPStatus.GONE)
    update = source.answer(int(have))
    if update is None:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    return Response(update, media_type="application/octet-stream", headers={"Cache-Control": "no-store"})
