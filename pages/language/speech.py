"""What is said, in the language of who looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from mlp_core.words import Message
from pages.language.catalogs import ENGLISH, Language

Key = TypeVar("Key")

_spoken: ContextVar[Language | None] = ContextVar("spoken", default=None)
_ask_session: list[Callable[[], Language | None]] = []


def current() -> Language:
    """The language in which something is said here and now; English where nobody looks."""
    if (language := _spoken.get()) is not None:
        return language
    for ask in _ask_session:
        if (language := ask()) is not None:
            return language
    return ENGLISH


def session_language(ask: Callable[[], Language | None]) -> None:
    """Have `ask` say the language of the session in whose thread something is said; None outside of all sessions."""
    _ask_session[:] = [ask]


@contextmanager
def spoken(language: Language) -> Iterator[None]:
    """Say all within in this language."""
    token = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(token)


def _(text: str | BaseException, /, **values: object) -> str:
    """A sentence in the language of who looks.

    Args:
        text: English, with a {name} where a value stands; a message; or an error that was made with one.
        values: what stands in their places; those that are messages are said in that language too.

    Raises:
        KeyError: a value that has no place.
    """
    return _said(text, values, for_a_page=True)


def written(text: str | BaseException, /, **values: object) -> str:
    """As `_`, for a file: without the invisible marks that keep a number and its unit in one line."""
    return _said(text, values, for_a_page=False)


def said(labels: Mapping[Key, str]) -> Callable[[Key], str]:
    """A function that says the label of a key: the `format_func` of a widget."""
    return lambda key: _(labels[key])


def _said(text: str | BaseException, values: dict[str, Any], *, for_a_page: bool) -> str:
    if isinstance(text, BaseException):
        text = text.args[0] if text.args and isinstance(text.args[0], str) else str(text)
    language = current()
    if isinstance(text, Message):
        message = text
    elif not values and language.catalogue is None:
        return text
    else:
        message = Message(text, **values)
    return str(message) if language.catalogue is None else language.say(message, for_a_page=for_a_page)
