"""A run that shares the server says with how many and what its place in the line is; alone it says nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from mlp_core.data import load_sample
from mlp_core.jobs import TrainingJob
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from pages.ui import session
from tests.support.engine import discard
from tests.support.pages.training import LONG, press, progress
from tests.support.pages.visit import again, opened, until, visit


@pytest.fixture
def page() -> Iterator[AppTest]:
    with visit("pages/train.py") as page:
        yield page


def test_a_person_is_told_with_how_many_the_server_is_shared_and_whose_turn_is_next(page: AppTest) -> None:
    press(opened(page, **LONG), "play")
    until(page, lambda page: "images/s" in progress(page))
    assert "sharing" not in progress(page)
    assert "line" not in progress(page)
    others = [TrainingJob(Run(RunSpec(hidden=(8,), epochs=2000), load_sample()), session.engine()[0]) for _ in range(2)]
    try:
        others[0].play()
        assert re.search(r" · sharing this server with 1 other run, number (1|2) in line$", progress(again(page)))
        others[1].play()
        assert re.search(r" · sharing this server with 2 other runs, number (1|2|3) in line$", progress(again(page)))
    finally:
        for job in others:
            discard(job)
    until(page, lambda page: "sharing" not in progress(page))
