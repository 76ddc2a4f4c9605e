"""What can be measured of each section, against oracles of its own: closed forms, numpy, the book's numbers, what the panel prints."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mlp_core.labs.generalization import polynomial
from mlp_core.words import significant
from pages.ui.generalization import dropout
from pages.ui.lessons.experiments import experiment_of
from pages.ui.nonlinearity.perceptron import cloud
from scripts.list_measures import DOCUMENT, written
from tests.support.pages.experiments import APP, shows, turn_to
from tests.support.pages.visit import address, again, metrics, press, said, until, visit_with_jobs

DECAY = "generalization?act=decay&decay_epochs=3&decay_count=5"
DEPTH = "stability?act=depth&activation=relu&activation2=none&activation3=none"
SECTIONS = (  # those that wait to be started, and those that nothing is measured of
    "stability?act=training",
    "nonlinearity?act=perceptron",
    "nonlinearity?act=ends",
    "generalization?part=images",
    "generalization?act=dropout",
    "tensors?act=operations",
    "train",
    "stability?act=symmetry",
)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    with visit_with_jobs(APP, monkeypatch) as page:
        yield page


def test_sections_are_drawn_one_after_another(page: AppTest) -> None:
    shows(page, *SECTIONS)
    for index in range(len(SECTIONS)):
        turn_to(page, index)
        assert not page.exception
        assert page.text[0].value == ("none" if experiment_of(SECTIONS[index]).trains else "done"), SECTIONS[index]
        assert not page.sidebar.children


@pytest.mark.parametrize(
    ("link", "other", "measure"),
    [
        ("activations?show=relu&x=2", "activations?show=tanh,sigmoid&x=-1&closer=tanh", "gradient"),
        ("stability?act=chain&x=0,1", "stability?act=chain&x=4,4,4,4", "log10_product"),
        ("stability?act=matrices&n=2&factors=40&k=40", "stability?act=matrices&factors=20&k=7&view=literal", "log10_size"),
        (f"{DEPTH}&depth=2&width=8", f"{DEPTH}&depth=9&width=16&show=ridges", "log10_first_layer_gradient"),
        ("nonlinearity?act=collapse&layers=1", "nonlinearity?act=collapse&layers=4&slope=0.33", "largest_difference_float64"),
        ("generalization?degree=2", "generalization?degree=5&samples=40", "test_loss"),
        (f"{DECAY}&decay=0", f"{DECAY}&decay=0.0123", "weight_norm"),
        ("tensors?act=contour&x=1&y=1", "tensors?act=contour&f=saddle&x=0.5&y=1", "gradient_norm"),
    ],
)
def test_two_computed_experiments_of_a_section_follow_each_other(page: AppTest, link: str, other: str, measure: str) -> None:
    shows(page, link, other, "generalization?part=labels")
    found = again(until(page, at_its_end)).session_state["measured"]
    assert found[measure] is not None
    for index in (1, 2, 0):
        turn_to(page, index)
        assert not page.warning
    assert again(until(page, at_its_end)).session_state["measured"] == found
    assert address(page) == {}


def at_its_end(page: AppTest) -> bool:
    return bool(page.text[0].value == "done")


def of(page: AppTest, link: str) -> dict[str, float]:
    """All that is measured of an experiment that is carried out to its end."""
    shows(page, link)
    if experiment_of(link).trains:
        assert all(value is None for value in page.session_state["measured"].values())
        press(page, "begin")
    again(until(page, at_its_end))
    measured: dict[str, float] = page.session_state["measured"]
    return measured


def test_a_chain_of_sigmoids(page: AppTest) -> None:
    measured = of(page, "stability?act=chain&x=0,1,-2")
    slopes = [math.exp(-x) / (1 + math.exp(-x)) ** 2 for x in (0, 1, -2)]
    assert measured["log10_product"] == pytest.approx(math.log10(math.prod(slopes)), rel=1e-12)
    assert measured["log10_bound"] == pytest.approx(3 * math.log10(0.25), rel=1e-12)
    assert measured["smallest_factor"] == pytest.approx(min(slopes), rel=1e-12)
    assert measured["layers"] == 3


def test_activations_and_what_they_do_to_a_distribution(page: AppTest) -> None:
    measured = of(page, "activations?show=relu,sigmoid,tanh&x=1&std=2&weight_variance=2&depth=20&closer=tanh")
    sigma = 1 / (1 + math.exp(-1))
    assert measured["value of Sigmoid"] == pytest.approx(sigma, rel=1e-12)
    assert measured["gradient of Sigmoid"] == pytest.approx(sigma * (1 - sigma), rel=1e-12)
    assert measured["gradient of Tanh"] == pytest.approx(1 / math.cosh(1) ** 2, rel=1e-12)
    assert measured["largest_gradient of Sigmoid"] == pytest.approx(0.25)
    assert measured["expected_squared_gradient of ReLU"] == pytest.approx(0.5, rel=1e-6)
    assert measured["dead_fraction of ReLU"] == pytest.approx(0.5, rel=1e-6)
    assert measured["log10_gradient_scale of ReLU"] == pytest.approx(0.0, abs=1e-5)
    beyond = math.erfc(math.atanh(0.97) / 2 / math.sqrt(2))  # |z| > atanh 0.97, for z ~ N(0, 2²)
    assert measured["saturated_fraction of Tanh"] == pytest.approx(beyond, rel=1e-3)
    assert measured["mean_output of Sigmoid"] == pytest.approx(0.5, rel=1e-9)
    shown = metrics(page)
    assert shown["$E[\\varphi'(z)^2]$"] == f"{measured['expected_squared_gradient of Tanh']:.4g}"
    assert of(page, "activations?show=relu&x=-1")["gradient"] == 0.0


def test_depth_is_as_the_book_finds_it(page: AppTest) -> None:
    measured = of(page, "stability?act=depth")
    found = [measured[f"log10_first_layer_gradient of {label}"] for label in experiment_of("stability").subject.labels]
    assert found == [pytest.approx(math.log10(wanted), abs=0.5) for wanted in (2e-17, 1.8e-8, 2.2)]
    rows = page.dataframe[0].value
    sigmoid = rows["design"][0]
    assert f"{measured[f'gradient_factor of {sigmoid}']:.3g}" == rows["gradient × a layer"][0]
    assert f"{measured[f'predicted_factor of {sigmoid}']:.3g}" == rows["theory: √χ"][0]
    assert measured[f"saturated_fraction of {sigmoid}"] == 0.0
    alone = of(page, "stability?act=depth&activation=relu&init=normal&activation2=none&activation3=none")
    assert alone["printed_gradient"] == 0.0


def test_products_of_matrices_grow_as_theory_says(page: AppTest) -> None:
    measured = of(page, "stability?act=matrices&factors=300")
    assert measured["critical_scale"] == pytest.approx(0.5724, abs=1e-4)
    assert measured["predicted_growth"] == pytest.approx(0.5580, abs=1e-4)
    assert measured["growth_per_factor"] == pytest.approx(0.5580, abs=0.02)
    assert measured["log10_size"] == pytest.approx(24.5, abs=1.5)  # after k = 100
    assert measured["median_overflow"] == pytest.approx(156, abs=8)
    assert (measured["overflowed_fraction"], measured["underflowed_fraction"]) == (1.0, 0.0)
    small = of(page, "stability?act=matrices&sigma=0.5")
    assert small["growth_per_factor"] == pytest.approx(0.5580 + math.log(0.5), abs=0.02)
    assert small["median_overflow"] == math.inf
    assert small["overflowed_fraction"] == 0.0


def test_a_stack_of_layers_collapses(page: AppTest) -> None:
    flat = of(page, "nonlinearity?act=collapse&narrow=3")
    assert flat["rank"] == 3
    assert 0 < flat["largest_difference"] < 1e-4
    assert flat["largest_difference_float64"] < 1e-12
    assert flat["missed_fraction"] < 1e-6
    bent = of(page, "nonlinearity?act=collapse&slope=0")
    shown = metrics(page)
    assert shown["Rank of the product"] == f"{bent['rank']:.0f} of 10"
    assert shown["Missed by the best matrix"] == f"{100 * bent['missed_fraction']:.2f} %"
    assert bent["largest_difference_float64"] > 0.01


def test_the_perceptron_converges_where_a_line_separates(page: AppTest) -> None:
    measured = of(page, "nonlinearity?act=perceptron&speed=100")
    points, labels = cloud("apart", 40, 1.0, 0)
    w, mistakes, in_a_row, met = np.zeros(3), 0, 0, 0
    while in_a_row < len(points):
        x, y = np.append(points[met % len(points)], 1.0), labels[met % len(points)]
        wrong = y * (w @ x) <= 0
        w, mistakes, in_a_row, met = w + wrong * y * x, mistakes + wrong, 0 if wrong else in_a_row + 1, met + 1
    assert (measured["converged"], measured["cycles"], measured["misclassified"]) == (1, 0, 0)
    assert (measured["mistakes"], measured["passes"]) == (mistakes, met // len(points))
    assert mistakes <= measured["bound"] < math.inf
    corners = of(page, "nonlinearity?act=perceptron&points=corners&speed=100")
    assert (corners["converged"], corners["cycles"], corners["bound"]) == (0, 1, math.inf)
    assert corners["misclassified"] >= 1


def test_the_playground(page: AppTest) -> None:
    measured = of(page, "nonlinearity?act=playground&epochs=20&pace=full")
    shown = metrics(page)
    assert shown["Test loss"] == f"{measured['test_loss']:.4f}"
    assert shown["Training accuracy"] == f"{100 * measured['train_accuracy']:.1f} %"
    assert measured["linear_regions"] > 4
    line = of(page, "nonlinearity?act=playground&epochs=2&deep=0&pace=full")
    assert line["linear_regions"] == 1
    assert line["test_accuracy"] < 0.9


def test_equal_units_stay_equal(page: AppTest) -> None:
    measured = of(page, "stability?act=symmetry&units=16&symmetry_epochs=1")
    assert [measured[f"distinct_units of {label}"] for label in experiment_of("stability?act=symmetry").subject.labels] == [1, 16, 16]


def test_the_first_gradient_is_the_one_that_the_panel_says(page: AppTest) -> None:
    both = "activation=sigmoid&activation2=relu&activation3=none&init=he_normal&init2=he_normal"
    measured = of(page, f"stability?act=training&{both}&layers=1&epochs=1")
    designs = ("Sigmoid, He normal", "ReLU, He normal")
    assert [text for text in said(page) if text.startswith("|∂L/∂W|")] == [
        f"|∂L/∂W| of layer 1 before training: {significant(measured[f'first_layer_gradient of {design}'], 2)}" for design in designs
    ]
    assert [metric.value for metric in page.metric] == [f"{100 * measured[f'test_accuracy of {design}']:.1f} %" for design in designs]
    assert measured["dead_fraction of Sigmoid, He normal"] == 0.0


def test_a_polynomial_by_least_squares(page: AppTest) -> None:
    measured = of(page, "generalization?degree=3&samples=30&noise=0.5")

    def errors(seed: int) -> tuple[float, float]:
        train, test = polynomial.draw(30, 0.5, seed)
        fit = np.polynomial.Polynomial.fit(train.x, train.y, 3)
        return float(np.mean((fit(train.x) - train.y) ** 2)), float(np.mean((fit(test.x) - test.y) ** 2))

    assert (measured["train_loss"], measured["test_loss"]) == pytest.approx(errors(0), rel=1e-8)
    medians = np.median([errors(seed) for seed in range(20)], axis=0)
    assert (measured["median_train_loss"], measured["median_test_loss"]) == pytest.approx(tuple(medians), rel=1e-8)


def test_a_polynomial_by_gradient_descent(page: AppTest) -> None:
    measured = of(page, "generalization?degree=3&samples=100&solver=descent&epochs=30")
    shown = metrics(page)
    assert (shown["Training error"], shown["Test error"]) == tuple(f"{measured[name]:.3f}" for name in ("train_loss", "test_loss"))
    assert measured["diverged"] == 0


def test_weight_decay_is_as_the_book_finds_it(page: AppTest) -> None:
    measured = of(page, "generalization?act=decay&decay=3")
    assert measured["weight_norm of λ = 3"] == pytest.approx(0.37, abs=0.05)
    assert measured["weight_norm of λ = 0"] == pytest.approx(13.5, abs=0.7)
    assert measured["test_loss of λ = 3"] == pytest.approx(0.087, abs=0.05)
    assert 50 < measured["test_loss of λ = 0"] < 130
    assert measured["train_loss of λ = 0"] < 1e-4
    assert measured["chance_test_loss"] == pytest.approx(2 / 2**10)  # lower for all ten seeds
    experiment = experiment_of("generalization?act=decay&decay=3")
    assert experiment.measure("weight_norm", "λ = 3", after=100) == measured["weight_norm of λ = 3"]
    assert (experiment.measure("weight_norm", "λ = 3", after=10) or 0.0) > 2 * measured["weight_norm of λ = 3"]
    assert measured["zeros_l2 of λ = 3"] == 0 < measured["zeros_l1 of λ = 3"]


def test_wrong_labels_learned(page: AppTest) -> None:
    measured = of(page, "generalization?part=labels&wrong=40&wide=64&label_epochs=3")
    shown = metrics(page)
    learned = measured["wrong_labels_learned of 40 % wrong"], measured["wrong_labels_seen_through of 40 % wrong"]
    assert (shown["Wrong labels learned"], shown["Wrong labels seen through"]) == tuple(f"{100 * share:.1f} %" for share in learned)
    assert 0 < sum(learned) <= 1
    assert measured["wrong_labels_learned of all labels right"] is None
    history = experiment_of("generalization?part=labels&wrong=40&wide=64&label_epochs=3").subject.source("40 % wrong").snapshot.history
    accuracies = [epoch.test_accuracy for epoch in history.epochs]
    assert measured["lost_since_best of 40 % wrong"] == max(accuracies) - accuracies[-1]


def test_dropout_and_luck(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    few = dropout.RECIPES["few"]
    monkeypatch.setitem(dropout.RECIPES, "few", few._replace(images=300, spec=replace(few.spec, hidden=(32, 32), epochs=2)))
    link = "generalization?act=dropout&seed=3"
    try:
        measured = of(page, link)
        runs = experiment_of(link).subject.source(None)
    finally:
        experiment_of.cache_clear()
    without, dropped = ([member.epochs[-1].train_accuracy for member in run.members] for run in runs)
    assert measured["train_accuracy of dropout"] == sorted(dropped)[2]
    lower = sum(one < other for one, other in zip(without, dropped, strict=True))
    fewer = min(lower, 5 - lower)
    assert measured["chance_train_accuracy"] == min(1.0, 2 * sum(math.comb(5, k) for k in range(fewer + 1)) / 2**5)


def test_the_gradient_across_a_contour(page: AppTest) -> None:
    measured = of(page, "tensors?act=contour&x=0.5&y=-0.75")
    assert measured["angle_degrees"] == pytest.approx(90, abs=1e-3)
    table = next(text for text in said(page) if text.startswith("| | |"))
    assert f"length {measured['gradient_norm']:.6g}"[:12] in table


def test_the_document_lists_todays_measures() -> None:
    assert written(DOCUMENT.read_text()) == DOCUMENT.read_text(), "run python scripts/list_measures.py"
