"""The page of a test that shows the experiments of links, one at a time (tests/pages/apps/experiments_page.py)."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.support.pages.visit import again

APP = "tests/pages/apps/experiments_page.py"


def shows(page: AppTest, *links: str) -> AppTest:
    """Give the page its experiments, and look at the first."""
    page.session_state["links"] = list(links)
    return turn_to(page, 0)


def turn_to(page: AppTest, index: int) -> AppTest:
    """Look at another of them."""
    page.session_state["shown"] = index
    return again(page)
