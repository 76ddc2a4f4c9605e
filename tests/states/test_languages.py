"""Every page, section, tab and lesson in the pseudo-language and in Chinese: nothing is said that a catalogue does not say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.states.languages import everywhere, unsaid
from tests.states.test_states import FOUND_ONCE
from tests.states.walk import PAGES, fields_of
from tests.support import pseudo


@pytest.mark.parametrize("page", ["start", "lessons", "lesson", *PAGES])
def test_nothing_is_said_outside_of_the_catalogues(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    states = [*everywhere({one: fields_of(one, monkeypatch) for one in PAGES if one == page}), *FOUND_ONCE]
    pseudo.use(pseudo.write_catalogue(tmp_path), monkeypatch)
    assert {str(fault) for state in states if state.page == page for fault in unsaid(state, monkeypatch)} == set()
