"""What a page says outside of its catalogue: in the pseudo-language words outside of the brackets, in Chinese an English sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields

import pytest
from streamlit.testing.v1 import AppTest

from mlp_core.spec import RunSpec
from pages.language import languages, spoken
from pages.ui.lessons.catalog import lessons
from pages.ui.link import Field
from pages.ui.run.panels import PANELS
from tests.states.seen import texts
from tests.states.walk import MOST_SECONDS, SECTIONS, Fault, State, pressed
from tests.support import pseudo
from tests.support.pages.visit import address, again, speaking, visit_with_jobs

# What has a name in English only: a book, what it prints, a paper.
TITLES = ("Dive into Deep Learning", "Fashion-MNIST", "L2 norm of w", "Zhang et al.")
ENGLISH = re.compile(r"[A-Za-z']{2,}(?:[,;:]? [A-Za-z']+){2,}")  # three words or more
# A sweep names settings as links and programs do.
SETTINGS = pseudo.NAMES | set(pseudo.WORD.findall(" ".join(one.name for one in fields(RunSpec)))) | {"Parquet", "SQLite"}
ADDRESS = re.compile(r"^/\w+\?\S*$")
WITH = {"f": {"act": "contour"}}  # of a section its parts


def everywhere(known_fields: Mapping[str, tuple[Field, ...]]) -> Iterator[State]:
    """Every page with all its sections, tabs and lessons."""
    yield from (State(page, {}) for page in ("start", "lessons"))
    for name, lesson in lessons().items():
        steps = len(getattr(lesson, "steps", ()))
        yield State("lesson", {"name": name, "step": str(steps)})
    for page, known in known_fields.items():
        yield State(page, {})
        for one in known:
            if one.name in SECTIONS:
                yield from (State(page, {one.name: str(option)} | WITH.get(one.name, {})) for option in one.limits["options"])
    small = {"seeds": "2", "epochs": "1", "train_size": "256"}
    yield State("sweep", small | {"axis_1": "lr=0.1,1.0", "axis_2": "hidden=8;16"}, ("sweep_start",))
    yield State("sweep", small | {"axis_1": "lr=0.1..1.0", "axis_2": "none", "method": "random", "samples": "3"})
    yield State("sweep", {"axis_1": "lr=1000,1.0", "cells": "x"})
    run = {"train_size": "256", "epochs": "1", "pace": "full"}
    yield from (State("train", run | {"panel": panel}, ("run_play",)) for panel in PANELS)


def unsaid(state: State, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fault]:
    """Open the state in the pseudo-language, press its buttons, then change to Chinese; what is outside of the catalogues."""
    seen = languages()[pseudo.SHORT]  # AppTest asks for the words of choices outside of the session, before it lets the page run
    with spoken(seen), monkeypatch.context() as patch, visit_with_jobs(f"pages/{state.page}.py", patch) as page:
        page.default_timeout = MOST_SECONDS
        page.query_params.update(state.query | {"lang": pseudo.SHORT})
        page.run()
        yield from _without_brackets(page, state)
        for _key in pressed(page, state.pressed):
            yield from _without_brackets(page, state)
        before = address(page)
        again(speaking(page, "zh"))
        if (now := address(page)) != before:
            yield Fault(state, "the language changed more than the words", f"{before} became {now}")
        yield from in_english(page, state)


def _without_brackets(page: AppTest, state: State) -> Iterator[Fault]:
    yield from (Fault(state, "an exception", exception.message[:200]) for exception in page.exception)
    names = SETTINGS if state.page == "sweep" else pseudo.NAMES
    for text in texts(page):
        if words := list(pseudo.unsaid(ADDRESS.sub("", text), names)):
            yield Fault(state, f"outside of the catalogue: {' '.join(words)}", text)


def in_english(page: AppTest, state: State) -> Iterator[Fault]:
    titles = re.compile("|".join(map(re.escape, {*TITLES, *_of_sections()})))
    yield from (Fault(state, "an exception", exception.message[:200]) for exception in page.exception)
    for text in texts(page):
        if pseudo.BEGIN in text:
            yield Fault(state, "of another language", text)
        elif found := ENGLISH.search(titles.sub("", pseudo.CODE_AND_FORMULAS.sub(" ; ", text))):
            yield Fault(state, f"English in Chinese: {found[0]}", text)


def _of_sections() -> Iterator[str]:
    """The titles of the English edition's sections, which lessons name in both languages."""
    for lesson in lessons().values():
        yield from (section.partition(" ")[2] for section in getattr(lesson, "sections", ()))
