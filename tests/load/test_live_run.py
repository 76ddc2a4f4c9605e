"""The simulated tab keeps its run as the browser's script does."""

from __future__ import annotations

import json
from typing import Any

from tests.load.live_run import LiveRun


def message(version: int, since: int, columns: bytes = b"", **parts: Any) -> bytes:
    text = json.dumps({"version": version, "since": since, "parts": parts, "figures": {}}).encode()
    return len(text).to_bytes(4, "little") + text + columns


def test_a_change_replaces_only_the_parts_that_it_holds() -> None:
    run = LiveRun()
    run.take(message(5, 0, period=400, progress={"text": "step 1"}, badge={"text": "inside"}))
    run.take(message(6, 5, b"\x01\x02", progress={"text": "step 2"}))
    assert run.progress == "step 2"
    assert run.parts["badge"] == {"text": "inside"}


def test_it_asks_as_often_as_the_server_says_and_not_of_a_run_at_rest() -> None:
    run = LiveRun()
    assert run.take(message(5, 0, period=1500)) == 1.5
    assert run.take(message(6, 5)) == 1.5
    assert run.take(message(7, 6, period=0)) is None


def test_a_change_of_what_never_arrived_is_left_alone_and_all_is_asked_for_at_once() -> None:
    run = LiveRun()
    run.take(message(5, 0, period=400, progress={"text": "step 1"}))
    assert run.take(message(9, 8, progress={"text": "step 9"})) == 0.0
    assert run.progress == "step 1"
    assert json.loads(run.question())["have"]["version"] == 5


def test_an_answer_that_comes_before_the_page_does_says_nothing() -> None:
    run = LiveRun()
    assert run.take(message(9, 8, readings=[])) == 0.0
    assert (run.progress, run.text) == ("", "")


def test_it_asks_beside_the_page_where_it_was_told_for_what_it_does_not_have() -> None:
    run = LiveRun()
    assert run.address() == ""
    text = json.dumps({"version": 5, "since": 0, "about": {"updates": "updates/token"}, "parts": {"period": 400}, "figures": {}}).encode()
    run.take(len(text).to_bytes(4, "little") + text)
    run.take(message(6, 5))
    assert run.address() == "/updates/token?have=6"


def test_every_question_is_a_new_one() -> None:
    run = LiveRun()
    run.take(message(5, 0, period=400))
    assert run.question() != run.question()
