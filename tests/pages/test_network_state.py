"""What the drawing shows of a run: its state now, and an answer to what is asked of an image and a unit."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mlp_core.data import CLASS_NAMES, load_fashion_mnist
from mlp_core.jobs import Scheduler, TrainingJob
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from pages.figures.network import drawn_units
from pages.ui.run.network_state import Question, asked, network_answer, network_state
from tests.support.pages.training import SHORT, at_rest, job_of, press
from tests.support.pages.visit import again, opened, until, visit

SPEC = RunSpec(hidden=(16,), init="he_normal", train_size=512, batch_size=64)


@pytest.fixture
def job() -> TrainingJob:
    """After three steps."""
    made = TrainingJob(Run(SPEC, load_fashion_mnist()), Scheduler())
    made.run.advance(steps=3)
    return made


def parameters(job: TrainingJob) -> list[tuple[Any, Any]]:
    assert job.run.network is not None
    return [(weight.numpy(), bias.numpy()) for weight, bias in job.run.network.weights()]


def test_before_a_network_there_is_no_state() -> None:
    job = TrainingJob(Run(SPEC, load_fashion_mnist()), Scheduler())
    question = {"image": 1, "unit": None}
    assert network_state(job, question) is None
    assert network_answer(job, question) is None


def test_nobody_asks_at_first(job: TrainingJob) -> None:
    assert network_answer(job, None) is None


def test_a_state_follows_the_weights(job: TrainingJob) -> None:
    first = network_state(job)
    assert first is not None
    assert first["step"] == 3
    assert first == network_state(job)
    job.run.advance(steps=2)
    second = network_state(job)
    assert second is not None
    assert second["step"] == 5
    assert second["edges"] != first["edges"]
    assert len(json.dumps(second)) < 1200


def test_a_chosen_image_lights_the_units(job: TrainingJob) -> None:
    question = {"image": 4, "unit": None}
    state, (weight, bias) = network_state(job, question), parameters(job)[0]
    assert state is not None
    assert state["image"] == 4
    x = load_fashion_mnist().test_images[4].numpy().ravel() / 255
    drawn = drawn_units(SPEC.sizes)
    hidden = np.maximum(weight @ x + bias, 0)[drawn[1]]
    sent = np.frombuffer(base64.b64decode(state["units"]), dtype=np.int8)
    np.testing.assert_allclose(sent[: len(drawn[0])], 127 * x[drawn[0]], atol=0.51)
    np.testing.assert_allclose(sent[len(drawn[0]) :][: len(hidden)], 127 * hidden / hidden.max(), atol=0.51)


def test_an_answer_shows_ten_probabilities_and_where_a_unit_has_its_value_from(job: TrainingJob) -> None:
    question = {"image": 4, "unit": [1, 2], "at": 1}
    answer, (weight, bias) = network_answer(job, question), parameters(job)[0]
    assert answer is not None
    data = load_fashion_mnist()
    x = data.test_images[4].numpy().ravel() / 255
    classes = answer["image"]["classes"]
    assert [one["name"] for one in classes] == list(CLASS_NAMES)
    assert sum(one["share"] for one in classes) == pytest.approx(1)
    assert [one["label"] for one in classes].index(True) == int(data.test_labels[4])
    assert base64.b64decode(answer["image"]["pixels"]) == data.test_images[4].numpy().tobytes()
    unit, products = answer["unit"], weight[2] * x
    sums = {name: float(text.replace("−", "-")) for name, text in unit["sums"]}
    total = products.sum() + bias[2]
    assert list(sums.values()) == pytest.approx([products.sum(), bias[2], total, max(total, 0)], rel=0.01, abs=1e-4)
    assert unit["title"] == "Hidden layer 1: unit 3 of 16"
    strongest = np.argsort(-np.abs(products))[:10]
    assert [text for text, *_ in unit["inputs"]] == [f"pixel ({i // 28 + 1}, {i % 28 + 1})" for i in strongest]
    assert len(answer["weights"]) == len(drawn_units(SPEC.sizes)[1])
    assert json.dumps(answer, allow_nan=False)


def test_of_an_output_the_probability_is_told(job: TrainingJob) -> None:
    question = {"image": 0, "unit": [2, 9], "at": 1}
    answer = network_answer(job, question)
    assert answer is not None
    assert answer["unit"]["title"] == f"Output: {CLASS_NAMES[9]}"
    assert answer["unit"]["sums"][-1] == ("softmax of all outputs", answer["image"]["classes"][9]["probability"])
    assert answer["unit"]["inputs"][0][0].endswith("of layer 1")


def test_a_diverged_network_is_shown_as_it_is(job: TrainingJob) -> None:
    parameters(job)[1][0][:] = np.nan
    question = {"image": 0, "unit": [2, 9], "at": 1}
    assert json.dumps([network_state(job, question), network_answer(job, question)], allow_nan=False)


@pytest.mark.parametrize(
    ("sent", "question"),
    [
        ({"image": 3, "unit": [1, 5]}, Question(3, (1, 5))),
        ({"image": None, "unit": [1, 5]}, Question()),
        ({"image": 10_000, "unit": None}, Question()),
        ({"image": -1, "unit": None}, Question()),
        ({"image": "3", "unit": None}, Question()),
        ({"image": 3, "unit": [0, 0]}, Question(3)),
        ({"image": 3, "unit": [1, 16]}, Question(3)),
        ({"image": 3, "unit": [1]}, Question(3)),
        ({"image": 3, "unit": "x"}, Question(3)),
        ({}, Question()),
    ],
)
def test_what_the_browser_asks_is_taken_only_where_it_is_there(sent: dict[str, Any], question: Question) -> None:
    assert asked(sent, SPEC, 10_000) == question


@pytest.fixture
def page() -> Iterator[AppTest]:
    with visit("pages/train.py") as page:
        yield page


def drawing(page: AppTest) -> dict[str, Any]:
    (element,) = (element for element in page.get("bidi_component") if element.proto.id.endswith("-network"))
    sent: dict[str, Any] = json.loads(element.proto.bytes)
    return sent


def test_the_page_sends_the_state_of_its_run(page: AppTest) -> None:
    opened(page, **SHORT)
    assert drawing(page)["state"] is None
    press(page, "step")
    until(page, at_rest)
    assert drawing(again(page))["state"] == network_state(job_of(page))
    page.number_input(key="units_1").set_value(8)
    sent = drawing(again(page))
    assert sent["state"]["of"] != sent["drawing"]["of"]  # so that the browser shows it with no other network
