"""Updates beside the pages: who knows the address gets what is new, nobody else gets anything."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import replace

import pytest
import streamlit
from starlette.requests import Request
from starlette.responses import Response

from mlp_core.data import load_fashion_mnist
from mlp_core.jobs import Scheduler, TrainingJob
from mlp_core.reports.export import Experiment
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from pages.ui.run.watch import Watch, Watched
from pages.ui.updates import new_address, routes
from tests.support.engine import discard
from tests.support.pages.streamed import Reader

SPEC = RunSpec(hidden=(16,), init="he_normal", train_size=512, batch_size=64, epochs=2)


class Given:
    """Answers with what it was given."""

    def __init__(self, update: bytes | None) -> None:
        self.update = update
        self.asked: list[int] = []

    def answer(self, have: int) -> bytes | None:
        self.asked.append(have)
        return self.update


def asked(address: str, query: str) -> Response:
    (route,) = routes()
    token = address.rpartition("/")[2]
    scope = {"type": "http", "method": "GET", "query_string": query.encode(), "headers": [], "path_params": {"token": token}}
    response: Response = route.endpoint(Request(scope))
    return response


def test_who_knows_the_address_gets_what_is_new() -> None:
    source = Given(b"news")
    response = asked(new_address(source), "have=7")
    assert (response.status_code, response.body, source.asked) == (200, b"news", [7])
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["cache-control"] == "no-store"


def test_where_the_page_has_to_run_there_is_no_content() -> None:
    assert asked(new_address(source := Given(None)), "have=0").status_code == 204
    assert source.asked == [0]


@pytest.mark.parametrize("query", ["", "have=", "have=-1", "have=1.5", "have=x", "have=٣", f"have={'9' * 19}"])
def test_what_is_no_version_is_refused(query: str) -> None:
    source = Given(b"news")
    assert asked(new_address(source), query).status_code == 400
    assert source.asked == []


def test_an_address_can_not_be_guessed_and_ends_with_what_it_is_of() -> None:
    source = Given(b"news")
    first, second = new_address(source), new_address(source)
    assert first != second
    assert len(first.rpartition("/")[2]) >= 22  # of 64 signs each: 128 bits
    assert asked("updates/elsewhere", "have=1").status_code == 410
    del source
    gc.collect()
    assert asked(first, "have=1").status_code == 410


@pytest.mark.parametrize(
    ("base", "path"), [("", "/updates/{token}"), ("house/mlp", "/house/mlp/updates/{token}"), ("/a/", "/a/updates/{token}")]
)
def test_an_app_below_a_path_is_asked_below_it(monkeypatch: pytest.MonkeyPatch, base: str, path: str) -> None:
    monkeypatch.setattr(streamlit, "get_option", {"server.baseUrlPath": base}.__getitem__)
    assert [route.path for route in routes()] == [path]


@pytest.fixture
def job() -> Iterator[TrainingJob]:
    job = TrainingJob(Run(SPEC, load_fashion_mnist()), Scheduler())
    yield job
    discard(job)


def stepped(job: TrainingJob) -> None:
    step = job.snapshot().step
    job.step()
    assert job.await_rest(60)
    assert job.snapshot().step == step + 1


def test_a_run_is_read_beside_the_page_as_the_page_would_send_it(job: TrainingJob) -> None:
    view, reader = Watch(Scheduler()), Reader()
    view.watched = Watched(job, Experiment(SPEC))
    stepped(job)
    first = reader.read(view.draw(view.look(), None, {"about": "it"}))
    assert first["since"] == 0
    for _ in range(3):
        stepped(job)
        before = reader.version
        assert before is not None
        message = view.answer(before)
        assert message is not None
        assert reader.read(message)["since"] == before
    whole = Reader()
    whole.read(view.draw(view.look(), None, {}))
    assert (reader.parts, reader.figures) == (whole.parts, whole.figures)


def test_who_has_missed_an_update_is_sent_everything(job: TrainingJob) -> None:
    view, reader = Watch(Scheduler()), Reader()
    view.watched = Watched(job, Experiment(SPEC))
    have = reader.read(view.draw(view.look(), None, {"about": "it"}))["version"]
    stepped(job)
    view.draw(view.look(), have, {"about": "it"})  # which never arrives
    message = view.answer(have)
    assert message is not None
    late = Reader()
    assert late.read(message)["since"] == 0
    assert late.figures["loss"]["data"]


def test_where_the_controls_show_something_else_the_page_has_to_run(job: TrainingJob) -> None:
    view = Watch(Scheduler())
    view.watched = Watched(job, Experiment(SPEC))
    view.draw(view.look(), None, {})
    assert view.answer(0) is not None
    job.steer(lr=0.5)
    assert job.await_settings(60, lr=0.5)
    assert view.answer(0) is None
    view.draw(view.look(), None, {})
    assert view.answer(0) is not None
    view.watched = replace(view.watched, job=None)
    assert view.answer(0) is None
