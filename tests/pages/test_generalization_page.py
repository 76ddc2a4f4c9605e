"""The page "Generalization" without a browser: what every act computes and says, its runs, its refusals and its link."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mlp_core.data import load_fashion_mnist
from mlp_core.labs.generalization.bands import compare
from mlp_core.labs.generalization.polynomial import draw
from mlp_core.labs.generalization.subsets import first, with_wrong_labels
from mlp_core.labs.generalization.weight_decay import Setting
from mlp_core.network import Concise
from mlp_core.spec import RunSpec
from pages.ui import computing, session
from pages.ui.generalization import decay, images, labels
from pages.ui.generalization.curve import PRESETS as CURVES
from pages.ui.generalization.runs import in_words
from tests.support.engine import discard
from tests.support.pages.visit import address, again, metrics, numbers, opened, press, traces, until, visit_with_jobs, widget, words
from tests.support.reading import read
from tests.support.shrinking import paths


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    with visit_with_jobs("pages/generalization.py", monkeypatch) as page:
        yield page


def finished(page: AppTest, queue: str) -> AppTest:
    """Let the page tick until its queue rests."""
    return until(page, lambda _: (held := session.jobs().group(queue)) is not None and not held.moving)


# Capacity and data


def test_it_opens_on_a_fit_that_learned_the_noise(page: AppTest) -> None:
    shown = metrics(opened(page))
    assert read(shown["Training error"]) < read(shown["Noise σ²"]) < read(shown["Test error"]) / 10**6
    assert " 0 of 20 seeds. This is **hardly luck**" in words(page)
    assert (shown["Training error"], shown["Test error"]) == ("7 × 10⁻⁴", "5.8 × 10¹⁴")  # by 150-digit arithmetic
    points, _ = draw(25, 0.1, 0)
    legendre = np.polynomial.Legendre.fit(points.x, points.y, 19)  # a basis in which float64 is enough
    expected = legendre.convert(kind=np.polynomial.Polynomial).coef * [math.factorial(power) for power in range(20)]
    drawn = [float(read(text)) for text in traces(page, "polynomial_coefficients")["learned value"]["text"]]
    np.testing.assert_allclose(drawn, expected, rtol=2e-3)


def test_the_sweeps_say_when_a_difference_may_be_luck(page: AppTest) -> None:
    opened(page, degree="4", samples="100")
    assert "Test error: degree 4" in words(page)
    assert "This may be luck" in words(page)
    curve = traces(page, "polynomial_degrees")["test error"]
    assert numbers(curve["x"])[:4] == [1, 2, 3, 4]
    assert min(numbers(curve["y"])) == numbers(curve["y"])[2]


def test_gradient_descent_trains_in_place_and_stops(page: AppTest) -> None:
    opened(page, solver="descent", degree="3", samples="100", epochs="60")
    assert metrics(page)["Test error"] == "–"
    press(page, "polynomial_start")
    finished(page, "polynomial")
    again(page)
    assert read(metrics(page)["Test error"]) < 1
    assert len(numbers(traces(page, "polynomial_descent")["test error"]["x"])) == 60
    opened(page, solver="descent", degree="5", samples="100", epochs="60")
    assert "of the settings before" in words(page)
    assert metrics(page)["Test error"] == "–"


def test_a_descent_that_diverges_says_so(page: AppTest) -> None:
    opened(page, solver="descent", degree="5", spread="10", lr="1")
    press(page, "polynomial_start")
    until(page, lambda page: bool(page.error))
    assert "Diverged at step" in page.error[0].value
    assert "smaller learning rate" in page.error[0].value


@pytest.mark.parametrize("query", [{"degree": "30", "samples": "500", "spread": "10"}, {"degree": "30", "samples": "5", "noise": "0"}])
def test_the_extremes_are_computed_and_drawn(page: AppTest, query: dict[str, str]) -> None:
    opened(page, **query)
    assert ("many polynomials go through all of them" in words(page)) == (query["samples"] == "5")


@pytest.mark.parametrize("title", CURVES)
def test_each_preset_is_marked_and_says_what_it_shows(page: AppTest, title: str) -> None:
    opened(page)
    widget(page, "generalization_polynomial_preset").set_value(title)
    again(page)
    assert CURVES[title][1] in words(page)
    assert widget(page, "generalization_polynomial_preset").value == title


def test_more_images_are_trained_one_after_another(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("SEEDS", 2), ("TEST_IMAGES", 100)):
        monkeypatch.setattr(images, name, value)
    monkeypatch.setitem(images.EPOCHS_BY_SIZE, 100, 1)
    monkeypatch.setitem(images.QUESTIONS, "images", images.QUESTIONS["images"]._replace(places=(100, 100)))
    opened(page, part="images")
    press(page, "sweep_images_start")
    held = session.jobs().group("sweep_images")
    assert held is not None
    assert (len(held.jobs), len(held.waiting)) == (1, 1)
    finished(page, "sweep_images")
    again(page)
    assert len(numbers(traces(page, "sweep_images_chart")["test"]["y"])) == 2
    assert "Test accuracy: 100 training images" in words(page)


def test_a_stop_drops_what_waits_and_keeps_what_was_reached(page: AppTest) -> None:
    opened(page, part="images")
    press(page, "sweep_images_start")
    press(page, "sweep_images_stop")
    finished(page, "sweep_images")
    held = session.jobs().group("sweep_images")
    assert held is not None
    assert (len(held.jobs), held.waiting) == (1, [])
    assert not again(page).error


@pytest.mark.parametrize("seed", range(3))
def test_wrong_labels_are_learned_by_heart(page: AppTest, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(labels, "IMAGES", 100)
    monkeypatch.setattr(labels, "TEST_IMAGES", 100)
    opened(page, part="labels", wrong="40", wide="200", label_epochs="60", seed=str(seed))
    press(page, "wrong_labels_start")
    finished(page, "wrong_labels")
    again(page)
    assert "Learned by heart" in page.success[0].value
    shown = {label: float(value.split()[0]) for label, value in metrics(page).items()}
    assert shown["Training accuracy"] > 95  # six seeds: 99 to 100
    assert shown["Wrong labels learned"] > 90  # 97.5 to 100
    assert shown["Test accuracy"] < 75  # 41 to 52
    assert shown["Wrong labels learned"] + shown["Wrong labels seen through"] <= 100.1


def test_what_a_network_says_of_wrong_labels_is_counted() -> None:
    data = load_fashion_mnist()
    noisy = with_wrong_labels(first(data, 50, 10), 0.5, 0)
    network = Concise(RunSpec(device="cpu"), (784, 256, 10))
    said_by_it = network.logits(noisy.data.train_images[noisy.wrong].reshape(25, 784).float() / 255).argmax(dim=1)
    learned = labels.learned_of_wrong(network, noisy)
    assert learned.wrong_label == sum(a == b for a, b in zip(said_by_it, noisy.data.train_labels[noisy.wrong], strict=True)) / 25
    assert learned.true_class == sum(a == b for a, b in zip(said_by_it, data.train_labels[:50].clone()[noisy.wrong], strict=True)) / 25


def test_the_tiles_of_weight_decay_are_medians_of_ten_seeds(page: AppTest) -> None:
    shown = metrics(opened(page, act="decay", decay_epochs="3"))
    ends = paths(Setting(epochs=3), (3.0,), range(10))
    expected = np.median(ends.train[-1]), np.median(ends.test[-1]), np.median(ends.norm[-1]), np.median(ends.norm[-1] ** 2 / 2)
    found = [float(shown[label]) for label in ("Training loss", "Test loss", "‖w‖", "‖w‖²/2")]
    assert found == pytest.approx(expected, rel=0.05)
    assert found == [float(f"{value:.{digits}}") for value, digits in zip(expected, ("2g", "2g", "3g", "2g"), strict=True)]


# The link


def test_the_whole_state_travels_in_the_link(page: AppTest) -> None:
    link = {
        "act": "decay", "part": "labels", "degree": "7", "samples": "60", "noise": "0.5", "spread": "2", "seed": "4", "solver": "descent",
        "lr": "0.05", "epochs": "100", "question": "units", "wrong": "20", "decay": "0.15", "decay_lr": "0.01", "decay_epochs": "3",
        "p": "0.3", "masks": "7", "recipe": "english", "p1": "0.1", "image": "12",
    }  # fmt: skip
    opened(page, **link)
    assert not page.warning
    assert address(page) == link


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("degree", "31", "whole number from 1 to 30"),
        ("degree", "two", "whole number from 1 to 30"),
        ("samples", "4", "whole number from 5 to 500"),
        ("noise", "nan", "number from 0 to 2"),
        ("decay", "101", "must be 0 or a number from 0.001 to 100"),
        ("decay", "0.0009", "must be 0 or a number from 0.001 to 100"),
        ("p", "1.5", "number from 0 to 1"),
        ("masks", "0", "whole number from 1 to 10000"),
        ("act", "<b>x</b>", "must be one of"),
    ],
)
def test_a_link_that_cannot_be_is_named(page: AppTest, name: str, value: str, rule: str) -> None:
    opened(page, **{name: value})
    assert any(name in warning.value and rule in warning.value for warning in page.warning)


# The queue and the words


def test_a_session_that_ends_parks_its_runs(page: AppTest) -> None:
    opened(page, part="labels")
    press(page, "wrong_labels_start")
    held = session.jobs().group("wrong_labels")
    assert held is not None
    running = held.jobs
    session.jobs().release()
    assert all(job.parked for job in running)
    assert session.jobs().group("wrong_labels") is None
    for job in running:
        discard(job)


def test_words_tell_luck_from_what_is_not() -> None:
    luck = in_words(compare([1.0, 2, 3, 4], [1.1, 1.9, 3.1, 3.9]), "a", "b", quantity="Error")
    assert luck.endswith("This may be luck: without any difference, 4 seeds part at least so unevenly in 100 % of cases.")
    assert "Better with a for 2 of 4 seeds." in luck
    few = in_words(compare([1.0, 2, 3], [11.0, 12, 13]), "a", "b", quantity="Accuracy", higher=True)
    assert few.endswith("This may be luck: without any difference, 3 seeds part at least so unevenly in 25 % of cases.")
    assert "Better with a for 0 of 3 seeds." in few
    agreed = in_words(compare(np.arange(20.0), np.arange(20.0) + 0.5), "a", "b", quantity="Error")
    assert agreed.endswith("This is **hardly luck**: without any difference, 20 seeds part at least so unevenly in under 0.1 % of cases.")
    six = in_words(compare(np.arange(6.0), np.arange(6.0) + 0.5), "a", "b", quantity="Error")
    assert six.endswith("This is **hardly luck**: without any difference, 6 seeds part at least so unevenly in 3.1 % of cases.")


# What takes more than a second


def test_a_long_sweep_shows_how_far_it_is_and_stops(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computing, "AT_ONCE_SECONDS", 0.0)
    opened(page, act="decay", decay_epochs="300", decay_count="200", decay_seed="77")
    job = session.jobs().computations["decay"][1]
    assert job.moving
    assert "Training 32 λ with both penalties from 10 seeds" in page.get("progress")[0].proto.text
    press(page, "decay_stop")
    assert job.state == "stopped"
    assert "Stopped." in page.info[0].value
    assert not page.metric
    press(page, "decay_start")
    assert session.jobs().computations["decay"][1].moving


def test_another_setting_ends_the_sweep_before(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computing, "AT_ONCE_SECONDS", 0.0)
    opened(page, act="decay", decay_epochs="300", decay_seed="78")
    job = session.jobs().computations["decay"][1]
    widget(page, "generalization_decay_epochs").set_value(2)
    until(again(page), lambda page: bool(page.metric))
    assert not job.moving


def test_what_was_computed_for_one_visitor_is_there_for_the_next(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = metrics(opened(page, act="decay", decay_epochs="3", decay_seed="5"))
    monkeypatch.setattr(session.SessionJobs, "computation", lambda *_: pytest.fail("computed again"))
    widget(page, "generalization_decay").set_value(0.0)
    assert metrics(again(page)) != shown
    widget(page, "generalization_decay").set_value(3.0)
    assert metrics(again(page)) == shown


def test_points_as_narrow_as_a_link_may_ask_for_are_drawn(page: AppTest) -> None:
    assert widget(opened(page, spread="0.3"), "generalization_spread").value == 0.3
    assert not page.warning
    assert widget(again(page), "generalization_spread").value == 0.3


@pytest.mark.parametrize(("product", "factor"), [(9.0, "−8"), (2.5, "−1.5"), (300.0, "−299")])
def test_steps_that_decay_alone_makes_too_large_are_told_from_those_that_the_points_do(product: float, factor: str) -> None:
    assert f"multiplies the weights by {factor} before" in decay.cause_of_divergence(product)
    for shrinks in (0.0, 0.5, 1.5, 1.99):  # |1 − ηλ| < 1
        assert "for these points" in decay.cause_of_divergence(shrinks)
