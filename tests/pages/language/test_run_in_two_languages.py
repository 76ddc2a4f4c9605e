"""A run goes on while its page changes its language, and so does all that is said of it, also what was streamed before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.run.watch import Watch
from tests.support import pseudo
from tests.support.pages.streamed import Reader
from tests.support.pages.training import LONG, job_of, press
from tests.support.pages.visit import again, live, opened, until, visit

LANGUAGE = "_language"  # where a session keeps its own


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    pseudo.use(pseudo.write_catalogue(tmp_path), monkeypatch)
    with visit("pages/train.py") as page:
        yield opened(page, **LONG)


def switch(page: AppTest, language: str) -> AppTest:
    page.session_state[LANGUAGE] = language
    return again(page)


def words(found: dict[str, Any]) -> Iterator[str]:
    """All that a person reads of a run: its parts, and the axes, legends, hover texts and notes of its curves."""
    parts, figures = found["parts"], found["figures"]
    yield parts["progress"]["text"]
    for label in parts["labels"]:
        yield from label.values()
    yield from (beside for _, beside in parts["readings"])
    yield from (parts["verdict"][name] for name in ("sentence", "text", "fix", "why"))
    for figure in figures.values():
        layout = figure["layout"]
        yield from (layout[axis]["title"]["text"] for axis in ("xaxis", "yaxis"))
        yield layout["xaxis"]["unifiedhovertitle"]["text"]
        yield from (note["text"] for note in layout["annotations"])
        for trace in figure["data"]:
            yield from (trace[name] for name in ("name", "hovertemplate") if name in trace)


def unsaid(found: dict[str, Any]) -> set[str]:
    return {word for text in words(found) for word in pseudo.unsaid(text)}


def answered(watch: Watch, reader: Reader) -> dict[str, Any]:
    """What the browser is told beside the page, in a thread of the server."""
    answers: list[bytes | None] = []
    thread = Thread(target=lambda: answers.append(watch.answer(reader.version or 0)))
    thread.start()
    thread.join()
    assert answers[0] is not None
    reader.read(answers[0])
    return {"parts": reader.parts, "figures": reader.figures}


def test_a_run_goes_on_when_the_language_changes_and_all_is_said_anew(page: AppTest) -> None:
    press(page, "play")
    until(page, lambda page: bool(live(page)["parts"]["verdict"]["sentence"]))
    job = job_of(page)
    english = {"Epoch", "epoch", "train", "loss", "Training"}
    assert english <= unsaid(live(page))
    before = job.run.step
    switch(page, pseudo.SHORT)
    assert job_of(page) is job
    assert job.state == "playing"
    assert not unsaid(live(page))
    until(page, lambda _: job.run.step > before)
    assert not unsaid(answered(page.session_state["_watch"], Reader()))
    switch(page, "en")
    assert english <= unsaid(live(page))


def test_an_answer_in_the_language_before_is_none(page: AppTest) -> None:
    press(page, "step")
    watch: Watch = page.session_state["_watch"]
    seen = watch.watched
    answered(watch, Reader())
    switch(page, pseudo.SHORT)
    watch.watched = seen  # as an answer sees it that began before the page ran
    assert watch.answer(0) is None
