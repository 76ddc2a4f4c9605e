"""Whose language it is: the address's, else the browser's, else English; and two who look at once, with shared caches, never mix."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.figures.predictions import probability_bars
from pages.language import languages, spoken
from pages.ui import computing
from tests.states.languages import in_english
from tests.states.seen import texts
from tests.states.walk import State
from tests.support.pages.visit import PATIENCE_SECONDS, opened, visit

FIRST, LAST = "一", "鿿"  # of the Chinese signs


def chinese(page: AppTest) -> bool:
    """Whether the page says most of what it says in Chinese."""
    said = [text for text in texts(page) if any(sign.isalpha() for sign in text)]
    return sum(any(FIRST <= sign <= LAST for sign in text) for text in said) > 0.3 * len(said)


@pytest.mark.parametrize(
    ("asked", "browser", "spoken_there"),
    [
        ("zh", "en-US", "zh"), ("en", "zh-CN", "en"), (None, "zh-TW", "zh"), (None, "fr-FR", "en"), (None, None, "en"),
        ("xx", "zh-CN", "zh"),
    ],
)  # fmt: skip
def test_the_address_comes_before_the_browser_and_that_before_english(
    asked: str | None, browser: str | None, spoken_there: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(st.context), "locale", property(lambda self: browser))
    with visit("pages/lessons.py") as page:
        opened(page, **({} if asked is None else {"lang": asked}))
        assert chinese(page) == (spoken_there == "zh")
        assert page.session_state["_language"] == spoken_there


@pytest.mark.parametrize(
    "path", ["activations", "generalization?act=capacity", "stability?act=matrices&trials=20", "nonlinearity?act=ends"]
)
def test_two_who_look_at_once_each_read_their_own_language(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computing, "AT_ONCE_SECONDS", PATIENCE_SECONDS)
    name, _question, query = path.partition("?")
    link = dict(part.split("=") for part in query.split("&") if part)
    with ExitStack() as stack:
        pages = {short: stack.enter_context(visit(f"pages/{name}.py")) for short in ("zh", "en")}
        for short in ("zh", "en", "zh", "en"):  # the second look is at what the others left in the caches
            with spoken(languages()[short]):  # AppTest asks for the words of choices outside of the session
                opened(pages[short], **link, lang=short)
            assert chinese(pages[short]) == (short == "zh")
            if short == "zh":
                assert list(map(str, in_english(pages[short], State(name, link)))) == []
            else:
                assert [text for text in texts(pages[short]) if any(FIRST <= sign <= LAST for sign in text)] == []


def test_threads_that_speak_at_once_draw_their_own_figures() -> None:
    drawn: dict[str, set[str]] = {"en": set(), "zh": set()}
    both = threading.Barrier(2)

    def draw(short: str) -> None:
        with spoken(languages()[short]):
            both.wait()
            for _ in range(30):
                drawn[short].add(str(probability_bars(np.array([0.25, 0.75]), ["a", "b"])["layout"]))

    threads = [threading.Thread(target=draw, args=(short,)) for short in drawn]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(len(said) == 1 for said in drawn.values())
    assert drawn["en"] != drawn["zh"]
