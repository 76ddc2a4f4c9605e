"""What all tests of sweeps share."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest


@pytest.fixture(autouse=True)
def no_page_as_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that a test of pages ran before in this process stays its `__main__`, which every process that is begun would run first."""
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
