"""The activations page as a person uses it, without a browser: what it says, what it refuses, what its link restores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from mlp_core.activations import ACTIVATIONS
from mlp_core.labs.activations import facts as activation_cost
from tests.support import pseudo
from tests.support.pages.visit import address, metrics, numbers, opened, traces, visit, widget, words
from tests.support.reading import read


@pytest.fixture
def page() -> Iterator[AppTest]:
    with visit("pages/activations.py") as page:
        yield page


def test_it_opens_with_the_three_of_the_book(page: AppTest) -> None:
    opened(page)
    curves = traces(page, "activation_curves")
    assert {"ReLU", "Sigmoid", "Tanh", "ReLU ′", "Sigmoid ′", "Tanh ′"} <= set(curves)
    assert max(numbers(curves["Sigmoid ′"]["y"])) == pytest.approx(0.25, abs=1e-4)
    assert "Steepest: |φ′(x)| = **0.25**, at x = 0" in words(page)
    assert address(page) == {}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_has_a_card(page: AppTest, name: str) -> None:
    opened(page, show=name)
    entry = ACTIVATIONS[name]
    assert entry.advice in words(page)
    formulas = [latex.value for latex in page.latex]
    assert any(entry.latex in formula for formula in formulas)
    assert any(entry.derivative_latex in formula for formula in formulas)
    assert any(label.startswith(entry.label) for label in traces(page, "pushed_distribution"))


def test_the_step_says_why_it_is_not_for_training(page: AppTest) -> None:
    opened(page, show="step")
    assert any("must have a gradient to train with" in caption.value for caption in page.caption)


def test_a_parameter_moves_the_curve(page: AppTest) -> None:
    opened(page, show="prelu")
    assert numbers(traces(page, "activation_curves")["pReLU (α = 0.25)"]["y"])[0] == pytest.approx(-2)
    widget(page, "activations_prelu_alpha").set_value(0.5).run()
    assert numbers(traces(page, "activation_curves")["pReLU (α = 0.5)"]["y"])[0] == pytest.approx(-4)
    assert address(page) == {"show": "prelu", "prelu_alpha": "0.5", "closer": "prelu"}


def test_the_probe_reads_and_names_a_kink(page: AppTest) -> None:
    opened(page, show="relu").slider(key="activations_x").set_value(0.0).run()
    assert "value **0**, gradient **0**" in words(page)
    assert "**kink**" in words(page)
    assert "the slope is 0 on the left and 1 on the right" in words(page)
    widget(page, "activations_x").set_value(2.5).run()
    assert "value **2.5**, gradient **1**. That is the slope of the tangent." in words(page)


def test_the_probe_names_a_jump(page: AppTest) -> None:
    assert "The function jumps here" in words(opened(page, show="step", x="0"))


def test_the_probe_stays_on_the_grid(page: AppTest) -> None:
    opened(page, x="7")
    widget(page, "activations_range").set_value((-3.0, 3.0)).run()
    assert widget(page, "activations_x").value == 3.0
    assert max(numbers(traces(page, "activation_curves")["ReLU"]["y"])) == pytest.approx(3)


@pytest.mark.parametrize(("place", "span"), [(-17.0, (-17.0, -16.0)), (20.0, (19.0, 20.0))])
def test_a_range_without_width_gets_one(page: AppTest, place: float, span: tuple[float, float]) -> None:
    opened(page)
    widget(page, "activations_range").set_value((place, place)).run()
    assert not page.exception
    assert widget(page, "activations_range").value == span
    assert widget(page, "activations_x").value in span  # the probe's 1.0 is outside


def test_an_activation_of_ones_own(page: AppTest) -> None:
    opened(page)
    widget(page, "activations_own").set_value("x*sigmoid(1.702*x)").run()
    assert "x*sigmoid(1.702*x)" in traces(page, "activation_curves")
    assert r"\varphi(x) = x \cdot \sigma\left(1.702 \cdot x\right)" in [latex.value.strip("$\n") for latex in page.latex]
    assert address(page) == {"own": "x*sigmoid(1.702*x)"}
    widget(page, "activations_closer").set_value("own").run()
    assert page.subheader[1].value == "A distribution pushed through `x*sigmoid(1.702*x)`"


def test_a_refused_expression_is_shown_with_a_caret_under_its_character(page: AppTest) -> None:
    opened(page, own="x + x.real")
    assert page.error[0].value == "Your own activation, character 6: '.' is allowed in numbers only."
    assert page.code[0].value == "x + x.real\n     ^"
    assert "ReLU" in traces(page, "activation_curves")  # the others stay


def test_an_expression_from_a_link_does_not_come_to_life(page: AppTest) -> None:
    opened(page, own="[a](http://example.org)`$x$`")
    assert "http" not in words(page)
    assert "http" not in page.error[0].value


@pytest.mark.parametrize("own", ["x+1e16", "max(x,1e17)", "3e38*x^16", "0*x+3e38"])
def test_one_that_puts_out_nearly_one_number_or_huge_ones_is_drawn(page: AppTest, own: str) -> None:
    opened(page, own=own, show="none")
    assert not page.error
    assert page.metric


def test_gaps_are_named(page: AppTest) -> None:
    opened(page, own="log(x)", show="none")
    assert [warning.value for warning in page.warning] == [
        "The value of `log(x)` is NaN between x = −8 and −0.1 (80 points): a gap in the curve.",
        "The value of `log(x)` is −∞ at x = 0 (1 point): a gap in the curve.",
        "The gradient of `log(x)` is ∞ at x = 0 (1 point): a gap in the curve.",
        "For 50 % of the inputs value or gradient is not a number: what is said here is of the others.",
    ]
    assert metrics(page)[r"$E[\varphi'(z)^2]$"] == "diverges"
    assert "Mean output for inputs from N(0, 1): none" in words(page)


@pytest.mark.parametrize(
    ("link", "output", "slope_square"),
    [
        ({"show": "hard_tanh", "mean": "-5"}, "−1 ± 0.00176", "3.167 × 10⁻⁵"),
        ({"show": "relu", "mean": "-5"}, "5.35 × 10⁻⁸ ± 1.39 × 10⁻⁴", "2.867 × 10⁻⁷"),
        ({"show": "relu", "mean": "-5", "std": "0.05"}, "0 ± 0", "0"),
        ({"show": "none", "own": "x^4"}, "3 ± 9.8", "240"),
        ({"show": "none", "own": "1/x"}, "diverges", "diverges"),
        ({"show": "none", "own": "exp(0.3*x^2)"}, "1.58 ± diverges", "diverges"),
        ({"show": "none", "own": "log(-1 - x^2)"}, "–", "–"),
    ],
)
def test_the_moments_are_integrals(page: AppTest, link: dict[str, str], output: str, slope_square: str) -> None:
    shown = metrics(opened(page, **link))
    assert (shown["Output, mean ± std"], shown[r"$E[\varphi'(z)^2]$"]) == (output, slope_square)


def test_nothing_chosen_is_said_and_not_drawn(page: AppTest) -> None:
    opened(page, show="none")
    assert len(page.info) == 1
    assert not page.get("bidi_component")


def test_the_distribution_and_the_depth(page: AppTest) -> None:
    opened(page, show="relu", weight_variance="2", depth="50")
    measured = {metric.label: metric.value for metric in page.metric}
    assert measured["Gradient exactly 0"] == "50.0 %"
    assert measured["Saturated"] == "–"
    assert measured[r"$E[\varphi'(z)^2]$"] == "0.5"
    assert "it keeps its size" in words(page)
    widget(page, "activations_weight_variance").set_value(1.0).run()
    assert r"10^{-7.5}$: it **vanishes**" in words(page)  # 0.5^25


def test_a_link_restores_everything(page: AppTest) -> None:
    link = {
        "show": "elu,silu", "own": "sin(x)", "elu_alpha": "2", "silu_beta": "0.5", "closer": "silu", "x": "-1.5", "range": "-4,6",
        "step": "0.2", "mean": "0.5", "std": "2", "weight_variance": "1.5", "depth": "12",
    }  # fmt: skip
    opened(page, **link)
    assert address(page) == link
    assert {"ELU (α = 2)", "SiLU / Swish (β = 0.5)", "sin(x)"} <= set(traces(page, "activation_curves"))
    assert "SiLU / Swish (β = 0.5) at $x = -1.5$" in words(page)
    assert "After **12 layers**" in words(page)
    assert not page.warning


def test_a_bad_link_is_named_and_the_page_stands(page: AppTest) -> None:
    opened(page, show="relu,rely", x="1e9", step="3", depth="2.5")
    named = " ".join(warning.value for warning in page.warning)
    assert all(f"**{field}**" in named for field in ("show", "x", "step", "depth"))


def test_costs_are_measured_on_request_and_kept(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activation_cost, "SECONDS", 0.0)
    opened(page, show="tanh")
    assert not page.dataframe
    page.button[0].click().run()
    table = page.dataframe[0].value
    assert table["Activation"].tolist() == ["ReLU", "Tanh"]
    both_ways = table[["Forward, ns per element", "Backward, ns per element"]]
    assert (both_ways > 0).all(axis=None)
    relu, tanh = both_ways.sum(axis=1)
    assert table["Both, as a multiple of ReLU"].tolist() == pytest.approx([1, tanh / relu])
    widget(page, "activations_x").set_value(2.0).run()
    assert page.dataframe[0].value.equals(table)


def test_a_file_is_in_the_language_of_who_takes_it(page: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    contents: dict[str, Callable[[], str]] = {}
    monkeypatch.setattr(st, "download_button", lambda label, content, name, *_, **__: contents.update({name: content}))
    pseudo.use(pseudo.write_catalogue(tmp_path), monkeypatch)
    opened(page, show="relu", lang=pseudo.SHORT)
    assert list(contents) == [pseudo.pseudo("activations.csv"), pseudo.pseudo("distribution.csv")]
    heads = [name for content in contents.values() for name in content().splitlines()[0].split(",")]  # as by the server
    assert len(heads) == 3 + 10
    assert [name for name in heads if not name.startswith(pseudo.BEGIN)] == ["x"]


def test_the_identities_hold(page: AppTest) -> None:
    (table,) = [element.value for element in opened(page).markdown if "Equation" in str(element.value)]
    differences = [float(read(cell.strip())) for row in table.splitlines()[2:] for cell in row.split("|")[2:4]]
    assert len(differences) == 6
    assert max(differences) < 3e-7


def test_there_is_no_link_to_a_page_that_does_not_exist(page: AppTest) -> None:
    """Here the page stands alone, so neither training nor depth is there to go to."""
    assert not opened(page).get("page_link")


@pytest.mark.parametrize(
    ("text", "said"), [("1/x", "Without a finite value there is no tangent"), ("sqrt(x)", "Without a finite gradient there is no tangent")]
)
def test_where_there_is_no_tangent_none_is_claimed(page: AppTest, text: str, said: str) -> None:
    opened(page, show="none", own=text, closer="own", x="0")
    assert said in words(page)
    assert "That is the slope of the tangent" not in words(page)
    assert "There is a **kink**" not in words(page)
