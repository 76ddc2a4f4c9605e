"""A visit to the app without a browser: open a page, wait for what it should say, leave nothing running."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.runtime.caching.cache_resource_api import clear_session_cache
from streamlit.testing.v1 import AppTest

from pages.ui import computing, session
from pages.ui.session import SessionJobs
from tests.support.engine import discard
from tests.support.pages.streamed import Reader

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 60.0  # the machines that run this are small and shared
SESSION = "test session id"  # which AppTest gives to every visit

# Before its first run every AppTest looks through all installed packages for components. Those stay the same while the tests run.
with suppress(ImportError, AttributeError):  # a release that does this elsewhere costs its time, and no test
    from streamlit.components.v2 import manifest_scanner

    pytest.MonkeyPatch().setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))


@contextmanager
def visit(script: str) -> Iterator[AppTest]:
    """A session at a script of the repository. It ends as Streamlit ends one; what it trained is given up at once."""
    page = AppTest.from_file(str(ROOT / script), default_timeout=PATIENCE_SECONDS)
    try:
        yield page
    finally:
        clear_session_cache(SESSION)
        if "_job" in page.session_state:
            discard(page.session_state["_job"])


@contextmanager
def visit_with_jobs(script: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """A visit whose jobs the test can get at: `session.jobs()` are the same on the page and in the test."""
    mine = SessionJobs()
    monkeypatch.setattr(session, "jobs", lambda: mine)
    monkeypatch.setattr(computing, "AT_ONCE_SECONDS", PATIENCE_SECONDS)
    with visit(script) as page:
        yield page
    for name in tuple(mine.groups):
        mine.give_up(name)
    for _, computation in mine.computations.values():
        computation.stop()


def opened(page: AppTest, **query: str) -> AppTest:
    """Follow a link to the page, whatever its address was."""
    page.query_params.clear()
    page.query_params.update(query)
    return again(page)


def speaking(page: AppTest, short: str) -> AppTest:
    """Have the session speak a language, as the switch in the top bar does, which is not there where a page is run by itself."""
    page.session_state["_language"] = short
    return page


def again(page: AppTest) -> AppTest:
    """Let the page run again, as its fragment does while there is something to see."""
    page.run()
    assert not page.exception
    return page


def until(page: AppTest, condition: Callable[[AppTest], bool]) -> AppTest:
    """Let the page run again until it shows something."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition(page):
        assert time.monotonic() < deadline, said(page)
        time.sleep(0.02)
        again(page)
    return page


def address(page: AppTest) -> dict[str, str]:
    """What stands in the address bar."""
    return {name: value if isinstance(value, str) else value[-1] for name, value in page.query_params.items()}


def said(page: AppTest) -> list[str]:
    """Every sentence on the page that a person reads in passing, from the top."""
    kinds = ("markdown", "caption", "info", "success", "warning", "error")
    parts = live(page)["parts"]
    drawn = [parts["verdict"]["sentence"], parts["verdict"]["text"], parts["badge"]["label"], parts["badge"]["text"]] if parts else []
    return [*(str(getattr(element, "value", "")) for kind in kinds for element in page.get(kind)), *filter(None, drawn)]


def words(page: AppTest) -> str:
    """All of `said` as one text."""
    return "\n".join(said(page))


def metrics(page: AppTest) -> dict[str, str]:
    """Label -> value of every number that is shown large."""
    parts = live(page)["parts"]
    read = {label["label"]: value for label, (value, _) in zip(parts["labels"], parts["readings"], strict=True)} if parts else {}
    return {metric.label: metric.value for metric in page.metric} | read


def press(page: AppTest, key: str) -> AppTest:
    """Press the button with this key."""
    page.button(key=key).click()
    return again(page)


KINDS = (
    "slider", "select_slider", "number_input", "text_input", "selectbox", "multiselect", "radio", "toggle", "checkbox", "button_group",
)  # fmt: skip


def widget(page: AppTest, key: str) -> Any:
    """The widget with this key, which has a number added where it was set from outside."""
    named = re.compile(rf"{re.escape(key)}(\.\d+)?")
    (found,) = (one for kind in KINDS for one in page.get(kind) if named.fullmatch(str(one.key)))
    return found


def bare(markdown: str) -> str:
    """What of a text markdown may bring to life: all but its pieces of code."""
    return re.sub(r"`[^`]*`", "", markdown)


def live(page: AppTest) -> dict[str, Any]:
    """What the component that draws a run was sent, all of it: `AppTest` has no browser that would have had a part before."""
    reader = Reader()
    for element in page.get("bidi_component"):
        if element.proto.id.endswith("-live"):
            assert reader.read(element.proto.bytes)["since"] == 0
    return {"parts": reader.parts, "figures": reader.figures}


def sent(page: AppTest, chart: str) -> dict[str, Any] | None:
    """The figure of the live chart with this key, as it was sent; None where there is no such chart."""
    for element in page.get("bidi_component"):
        if element.proto.id.endswith(f"-{chart}"):
            figure: dict[str, Any] = json.loads(element.proto.bytes)["figure"]
            return figure
    figures: dict[str, dict[str, Any]] = live(page)["figures"]
    return figures.get(chart)


def traces(page: AppTest, chart: str) -> dict[str, dict[str, Any]]:
    """Name -> trace of a live chart; empty where there is no such chart."""
    return {trace.get("name", ""): trace for trace in (sent(page, chart) or {"data": []})["data"]}


def numbers(values: Any) -> list[float]:
    """Numbers of a trace, NaN for a gap: sent as a list, or as a typed array in base64."""
    array = np.array(values, float) if isinstance(values, list) else np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"])
    return [float(value) for value in array]
