"""The page "Stability" without a browser: every act's numbers, its buttons, its refusals and its link."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mlp_core.labs.stability.depth import gaussian_batch
from mlp_core.spec import RunSpec
from mlp_core.stability import matrix_product_growth
from mlp_core.stability.depth import measure_depth
from mlp_core.theory import critical_scale, lyapunov_exponents
from pages.ui import computing
from pages.ui.stability import measures
from pages.ui.stability.designs import PRESETS
from tests.support.pages.visit import PATIENCE_SECONDS, address, metrics, numbers, opened, sent, until, visit, widget, words
from tests.support.reading import read

PAGE = "pages/stability.py"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    monkeypatch.setattr(computing, "AT_ONCE_SECONDS", PATIENCE_SECONDS)  # no test looks on while something is computed
    with visit(PAGE) as page:
        yield page


def chart(page: AppTest, key: str) -> dict[str, Any]:
    figure = sent(page, key)
    assert figure is not None
    return figure


def trace(page: AppTest, key: str, name: str) -> dict[str, Any]:
    (found,) = [one for one in chart(page, key)["data"] if one.get("name") == name]
    return dict(found)


def button(page: AppTest, label: str) -> Any:
    (found,) = [one for one in page.button if one.label == label]
    return found


def test_it_opens_on_the_question_whether_relu_cures_it(page: AppTest) -> None:
    opened(page)
    rows = page.dataframe[0].value
    assert list(rows["design"]) == ["Sigmoid, PyTorch's default", "ReLU, PyTorch's default", "ReLU, He normal"]
    first = [numbers(trace(page, "depth", label)["y"])[0] for label in rows["design"]]
    assert first[0] == pytest.approx(math.log10(2e-17), abs=0.5)
    assert first[1] == pytest.approx(math.log10(1.8e-8), abs=0.5)
    assert first[2] == pytest.approx(math.log10(2.2), abs=0.5)
    assert "So does ReLU's, with PyTorch's default weights" in words(page)
    assert address(page) == {}


def test_too_small_weights_print_an_exact_zero(page: AppTest) -> None:
    widget(opened(page), "stability_preset").set_value("Too small").run()
    rows = page.dataframe[0].value
    assert list(rows["grad.norm() prints"]) == ["0", "0", "0"]
    assert not any(shown == "0" for shown in rows["in float32"])
    assert "holds the gradient, but not its square" in words(page)
    widget(page, "stability_depth").set_value(36).run()
    assert page.dataframe[0].value["in float32"][0] == "0"
    crosses = trace(page, "depth", "ReLU, N(0, 0.01²), float32")
    axis = chart(page, "depth")["layout"]["yaxis"]
    assert numbers(crosses["y"])[0] == pytest.approx(axis["tickvals"][axis["ticktext"].index("exactly 0")], abs=1e-3)
    assert address(page)["activation2"] == "tanh"


@pytest.mark.parametrize("quantity", ["dh", "rms", "mean", "std", "saturated", "dead"])
def test_every_quantity_has_a_line_for_each_design(page: AppTest, quantity: str) -> None:
    opened(page, show=quantity, depth="6", batch="32", activation="tanh", init="normal", std="2")
    lines = [one for one in chart(page, "depth")["data"] if one.get("name") in list(page.dataframe[0].value["design"])]
    assert [len(numbers(line["y"])) for line in lines] == [7 if quantity == "dh" else 6] * 3
    if quantity == "saturated":
        assert min(numbers(lines[0]["y"])) > 50  # tanh with N(0, 2²)


def test_the_bound_of_the_sigmoid_stands_above_its_gradient(page: AppTest) -> None:
    opened(page, show="dh", batch="32")
    bound = numbers(trace(page, "depth", "0.25 a layer: σ′ at its best")["y"])
    gradient = numbers(trace(page, "depth", "Sigmoid, PyTorch's default")["y"])
    assert bound[1] - bound[0] == pytest.approx(19 * math.log10(4), abs=1e-3)
    assert gradient[1] < bound[0]
    widget(page, "stability_activation").set_value("tanh").run()
    assert not [one for one in chart(page, "depth")["data"] if one.get("name", "").startswith("0.25")]


def test_histograms_come_one_a_design(page: AppTest) -> None:
    opened(page, show="ridges", depth="6", batch="32")
    assert len([element for element in page.get("bidi_component") if "ridges_" in element.proto.id]) == 3


def test_an_activation_of_ones_own_is_measured(page: AppTest) -> None:
    opened(page, depth="4", batch="32", activation4="=x/(1+abs(x))")
    assert page.dataframe[0].value["design"][3] == "x/(1+abs(x)), He normal"


@pytest.mark.parametrize("text", ["=x.real", "nonsense", "step"])
def test_an_activation_that_cannot_be_is_named(page: AppTest, text: str) -> None:
    opened(page, activation=text, depth="3", batch="16")
    assert "activation" in page.warning[0].value
    assert page.dataframe[0].value["design"][0] == "Sigmoid, PyTorch's default"


def test_a_link_with_bad_numbers_keeps_the_good_ones(page: AppTest) -> None:
    opened(page, depth="1000", width="32", batch="16")
    assert "depth" in page.warning[0].value
    assert widget(page, "stability_depth").value == 20
    assert widget(page, "stability_width").value == "32"


def test_networks_that_take_long_get_fewer_images(page: AppTest) -> None:
    opened(page, depth="100", width="128")
    assert "64 images instead of 256" in words(page)


def test_a_costly_activation_of_ones_own_gets_fewer_images_and_no_map(page: AppTest) -> None:
    opened(page, activation="=" + "mish(" * 29 + "x" + ")" * 29, depth="100", activation2="none", activation3="none")
    assert "64 images instead of 256" in words(page)
    assert len(page.dataframe[0].value) == 1
    (refused,) = page.error
    assert "2,737,280 values of this map leave time for at most 18 operations on each, and this activation has 29" in refused.value
    assert "gradient_map" not in " ".join(element.proto.id for element in page.get("bidi_component"))


def test_one_that_no_batch_is_small_enough_for_is_refused_with_the_numbers(page: AppTest) -> None:
    opened(page, activation="=" + "sinh(" * 28 + "x" + ")" * 28, depth="100", width="128", activation2="relu", activation3="none")
    assert "819,200 values of these layers leave time for at most 61 operations on each, and this activation has 84" in page.error[0].value
    assert list(page.dataframe[0].value["design"]) == ["ReLU, PyTorch's default"]


def test_equal_weights_have_no_theory(page: AppTest) -> None:
    opened(page, depth="3", batch="16", init="constant", activation2="none", activation3="none")
    assert list(page.dataframe[0].value["theory: √χ"]) == ["none"]


def test_the_map_has_the_critical_line_of_relu(page: AppTest) -> None:
    opened(page, depth="3", batch="16", map="3")
    np.testing.assert_allclose(numbers(trace(page, "gradient_map", "theory: χ = 1")["x"]), math.sqrt(2), atol=0.01)
    widget(page, "stability_plane").set_value("sigma_b").run()
    line = trace(page, "gradient_map", "theory: χ = 1")
    np.testing.assert_allclose(numbers(line["x"]), math.sqrt(2), atol=0.01)
    assert max(numbers(line["y"])) == measures.HIGHEST_SIGMA_B
    assert numbers(trace(page, "gradient_map", "here")["x"])[0] == pytest.approx(math.sqrt(2))


def test_where_no_chi_is_one_the_map_says_that_it_jumps(page: AppTest) -> None:
    opened(page, depth="3", batch="16", activation="silu", activation2="none", activation3="none")
    np.testing.assert_allclose(numbers(trace(page, "gradient_map", "theory: χ jumps over 1")["x"]), 1.559, atol=0.002)
    assert "two states exist" in words(page)
    widget(page, "stability_plane").set_value("sigma_b").run()
    line = trace(page, "gradient_map", "theory: χ = 1")
    solved = [(x, y) for x, y in zip(numbers(line["x"]), numbers(line["y"]), strict=True) if not math.isnan(x)]
    assert 0 < min(y for _, y in solved) < 1
    assert r"Dashed: $\chi = 1$" in words(page)
    widget(page, "stability_activation").set_value("tanh").run()
    assert "two states exist" not in words(page)


def test_the_chain_is_a_quarter_a_layer_at_best(page: AppTest) -> None:
    opened(page, act="chain", x="1,2,3")
    button(page, "All at 0: the best case").click().run()
    product = numbers(trace(page, "chain_product", "product of the gradients")["y"])
    np.testing.assert_allclose(product, np.log10(0.25) * np.arange(1, 4), atol=1e-4)
    button(page, "One layer more").click().run()
    assert "After **4 layers**" in words(page)
    assert address(page) == {"act": "chain", "x": "0,0,0,0"}


def test_a_slider_sets_the_layer_that_is_chosen(page: AppTest) -> None:
    opened(page, act="chain", x="0,0,0")
    widget(page, "stability_chain_layer").set_value(2).run()
    widget(page, "stability_chain_x").set_value(4.0).run()
    assert address(page)["x"] == "0,4,0"
    s = 1 / (1 + math.exp(-4.0))
    product = numbers(trace(page, "chain_product", "product of the gradients")["y"])[-1]
    assert product == pytest.approx(math.log10(s * (1 - s) / 16), abs=1e-4)


@pytest.mark.parametrize("points", ["", "1,two", "9", ",".join(["0"] * 31), "nan"])
def test_a_chain_that_cannot_be_is_named(page: AppTest, points: str) -> None:
    opened(page, act="chain", x=points)
    assert "must be 1 to 30 numbers from -8 to 8" in page.warning[0].value


def test_random_matrices_of_the_book(page: AppTest) -> None:
    opened(page, act="matrices")
    assert metrics(page)["λ₁, theory"] == "0.5580"
    mean, error = (float(read(part)) for part in metrics(page)["λ₁ a factor, measured"].split(" ± "))
    assert abs(mean - 0.5580) < 4 * error
    median = numbers(trace(page, "growth", "median")["y"])
    expected = matrix_product_growth()
    assert np.median(expected[:, -1]) == pytest.approx(median[-1], abs=1e-3)


def test_the_button_lands_on_the_scale_that_neither_grows_nor_dies(page: AppTest) -> None:
    opened(page, act="matrices")
    button(page, "Find the σ that neither grows nor dies").click().run()
    assert widget(page, "stability_sigma").value == pytest.approx(critical_scale(4))
    assert metrics(page)["λ₁, theory"] == "0"
    assert address(page)["sigma"].startswith("0.57237")
    widget(page, "stability_n").set_value(64).run()
    assert button(page, f"σ = {critical_scale(64):.4f}")


def test_what_the_computer_gets_ends_where_float16_does(page: AppTest) -> None:
    opened(page, act="matrices", view="literal", precision="float16", factors="60", k="40", trials="50")
    assert metrics(page)["Trials that overflow"] == "50 of 50"
    axis = chart(page, "growth")["layout"]["yaxis"]
    infinity = axis["tickvals"][axis["ticktext"].index("∞ or NaN")]
    assert numbers(trace(page, "growth", "median")["y"])[-1] == pytest.approx(infinity, abs=0.01)
    assert "NaN" in json.dumps(chart(page, "matrix_after")["data"][1]["text"])
    assert numbers(trace(page, "survivors", "a number")["y"])[-1] == 0


def test_underflow_is_counted_where_products_die(page: AppTest) -> None:
    opened(page, act="matrices", sigma="0.1", precision="float16", trials="50")
    assert metrics(page)["Trials that underflow"] == "50 of 50"
    predicted = -7.2247 * math.log(10) / lyapunov_exponents(4, 0.1)[0]
    assert metrics(page)["Median k of underflow"].endswith(f"(theory: {predicted:.0f})")


def test_where_half_of_the_trials_have_not_crossed_the_median_is_not_that_of_the_others(page: AppTest) -> None:
    opened(page, act="matrices", factors="153")  # theory: 156 factors
    crossed = int(metrics(page)["Trials that overflow"].split()[0])
    assert 0 < crossed < 150
    assert metrics(page)["Median k of overflow"].startswith("> 153 ")


@pytest.mark.parametrize(("law", "theory"), [("orthogonal", "0"), ("xavier", f"{0.5580 - math.log(2):.3f}".replace("-", "−"))])
def test_every_law_has_its_theory(page: AppTest, law: str, theory: str) -> None:
    opened(page, act="matrices", law=law, trials="20")
    assert metrics(page)["λ₁, theory"].startswith(theory)
    assert "No closed form" not in words(page)


@pytest.mark.parametrize("n", [2, 4])
def test_uniform_entries_have_an_estimate_with_its_error(page: AppTest, n: int) -> None:
    opened(page, act="matrices", law="uniform", n=str(n), factors="300")
    assert "λ₁, theory" not in metrics(page)
    estimate, error = map(float, metrics(page)["λ₁, estimate"].split(" ± "))
    assert 0 < error < 0.001
    assert estimate == pytest.approx({2: 0.139, 4: 0.587}[n], abs=0.003)  # measured elsewhere
    measured, scatter = (float(read(part)) for part in metrics(page)["λ₁ a factor, measured"].split(" ± "))
    assert abs(measured - estimate) < 4 * math.hypot(scatter, error)
    assert "No closed form" in words(page)
    assert "(estimated)" in words(page)
    assert not [one for one in chart(page, "growth")["data"] if one.get("name") == "theory"]


def test_one_uniform_number_dies_below_e_over_the_root_of_three(page: AppTest) -> None:
    opened(page, act="matrices", law="uniform", n="1", trials="20")
    assert metrics(page)["λ₁, theory"] == f"{math.log(math.sqrt(3)) - 1:.4f}".replace("-", "−")
    assert f"**{math.e / math.sqrt(3):.4f}**" in words(page)
    assert r"\ln(\sqrt3\,\sigma) - 1" in words(page)
    button(page, "Find the σ that neither grows nor dies").click().run()
    assert widget(page, "stability_sigma").value == pytest.approx(math.e / math.sqrt(3))


def test_orthogonal_factors_leave_nothing_to_outgrow(page: AppTest) -> None:
    opened(page, act="matrices", law="orthogonal", trials="20", sigma="1.1")
    assert metrics(page)["λ₁, theory"] == f"{math.log(1.1):.4f}"
    assert "all stay equal" in words(page)
    assert "outgrows" not in words(page)
    assert "huge trials" not in words(page)
    assert r"\psi" not in words(page)
    assert [one.label for one in page.button if one.label.startswith("σ = ")] == ["σ = 1"]


def test_xavier_factors_keep_the_mean_square_at_one(page: AppTest) -> None:
    opened(page, act="matrices", law="xavier", trials="20", n="16")
    assert "σ = 1 keeps the *mean square*" in words(page)
    assert "1/√n" not in words(page)
    np.testing.assert_allclose(numbers(trace(page, "critical", "keeps the mean square")["y"]), 1.0)
    assert [one.label for one in page.button if one.label.startswith("σ = ")] == [f"σ = {4 * critical_scale(16):.4f}", "σ = 1"]


def test_a_product_of_numbers_has_one_singular_value(page: AppTest) -> None:
    opened(page, act="matrices", n="1", trials="20")
    assert "outgrows" not in words(page)


def test_k_moves_the_matrix_and_plays(page: AppTest) -> None:
    opened(page, act="matrices", trials="5", k="10")
    assert trace(page, "growth", "the matrix shown")["x"] == [10]
    button(page, "Play").click().run()
    assert widget(page, "stability_k").value != 10
    for _ in range(60):
        if not [one for one in page.button if one.label == "Pause"]:
            break
        page.run()
    assert widget(page, "stability_k").value == 100
    assert button(page, "Play")


def test_pausing_says_to_the_slider_where_it_stopped(page: AppTest) -> None:
    """A step that the click overtakes may have moved the slider in the browser further than the page has come.

    One message that sets it back may be lost with the next run: so another slider stands there, and begins at its value in every run.
    """
    opened(page, act="matrices", trials="5", k="3")
    button(page, "Play").click().run()
    moved = widget(page, "stability_k")
    identity, k = moved.id, moved.value
    button(page, "Pause").click().run()
    for _ in range(2):
        slider = widget(page, "stability_k")
        assert slider.id != identity
        assert list(slider.proto.default) == [slider.value] == [k]
        page.run()


def test_a_shorter_product_takes_k_along(page: AppTest) -> None:
    opened(page, act="matrices", trials="5", k="90")
    widget(page, "stability_factors").set_value(30).run()
    assert not page.exception
    assert widget(page, "stability_k").value == 30
    widget(page, "stability_factors").set_value(1).run()
    assert not page.exception


def test_large_matrices_get_fewer_trials(page: AppTest) -> None:
    opened(page, act="matrices", n="64", factors="1000")
    assert "2 trials instead of 300" in words(page)
    assert metrics(page)["Trials that overflow"] == "2 of 2"


def trained(page: AppTest, label: str) -> AppTest:
    """Press the button and look again until nothing moves any more."""
    button(page, label).click().run()
    return until(page, lambda page: bool(button(page, "Stop").disabled))


def test_the_dead_design_stays_at_guessing_and_the_healthy_one_learns(page: AppTest) -> None:
    opened(page, act="training", activation="relu", init="normal", activation2="none", epochs="1")
    trained(page, "Train side by side")
    dead, healthy = (float(one.value.removesuffix(" %")) for one in page.metric)
    assert dead == pytest.approx(10, abs=0.5)
    assert healthy > 3 * dead
    assert "Stuck" in page.warning[0].value
    assert page.success
    widget(page, "stability_layers").set_value(2).run()
    assert "train again" in page.info[0].value


def test_one_looks_inside_the_design_that_is_chosen_and_into_no_other(page: AppTest) -> None:
    opened(page, act="training", activation="relu", init="normal", activation2="none", epochs="1", layers="3")
    trained(page, "Train side by side")
    widget(page, "designs_inside_2").set_value(1).run()
    trained(page, "Train side by side")  # with the panel open from the first step on
    ratios = [one for one in chart(page, "inside_over_time")["data"] if one["yaxis"] == "y5"]
    measured = {one["name"] for one in ratios if len(numbers(one["y"]))}
    assert {"layer 1", "layer 2", "layer 3"} < measured, "updates are measured while it trains"
    widget(page, "designs_inside_2").set_value(0).run()
    assert any("train again with this panel open" in caption.value for caption in page.caption)


def test_equal_units_stay_one_and_the_others_part(page: AppTest) -> None:
    opened(page, act="symmetry", units="16", symmetry_epochs="1")
    trained(page, "Train all three")
    assert set(numbers(trace(page, "distinct", "All weights 0.01")["y"])) == {1}
    assert "**1 kind** of 16 units" in words(page)
    assert "for ever" not in words(page)
    assert numbers(trace(page, "distinct", "All weights 0.01, a little noise of 0.001")["y"])[-1] > 1
    assert len([one for one in page.get("bidi_component") if "-weights_" in one.proto.id]) == 3


def test_stop_ends_the_runs(page: AppTest) -> None:
    opened(page, act="training", epochs="10")
    button(page, "Train side by side").click().run()
    assert not button(page, "Stop").disabled
    button(page, "Stop").click().run()
    assert not page.metric


@pytest.mark.parametrize("act", ["depth", "chain", "matrices", "training", "symmetry"])
def test_values_survive_a_look_at_another_section(page: AppTest, act: str) -> None:
    opened(page, act="matrices", n="7", trials="3", depth="5", batch="16", x="1,2")
    widget(page, "stability_act").set_value(act).run()
    assert not page.exception
    assert {"n": "7", "depth": "5", "x": "1,2"}.items() <= address(page).items()


LESSONS = {  # preset -> for each of its designs the smallest and largest factor a layer that its lesson leaves room for
    "Does ReLU cure it?": ((0.0, 0.6), (0.0, 0.8), (0.8, 1.25)),
    "Too small": ((0.0, 0.3), (0.0, 0.3), (0.0, 0.3)),
    "Too large": ((1.2, 50.0), (1.5, 50.0), (0.2, 3.0)),
}


@pytest.mark.parametrize("preset", LESSONS)
@pytest.mark.parametrize("width", [16, 128])
def test_what_a_preset_says_of_its_designs_holds_at_every_width(preset: str, width: int) -> None:
    chosen = PRESETS[preset].settings
    for slot, (low, high) in zip(("", "2", "3"), LESSONS[preset], strict=True):
        factors = []
        for seed in range(5):
            spec = RunSpec(
                hidden=(width,) * 12, activation=chosen[f"activation{slot}"], init=chosen[f"init{slot}"],
                init_std=chosen[f"std{slot}"], seed=seed,
            )  # fmt: skip
            gradient = measure_depth(spec, *gaussian_batch(64, 784, seed=seed)).hidden_gradient_log10
            factors.append(10 ** ((gradient[1] - gradient[-1]) / (len(gradient) - 2)))
        assert low <= np.median(factors) <= high, (slot, factors)


def test_a_saturated_sigmoid_can_lose_the_gradient_under_weights_of_one() -> None:
    spec = RunSpec(hidden=(16,) * 12, activation="sigmoid", init="normal", init_std=1.0)
    lost = [measure_depth(replace(spec, seed=seed), *gaussian_batch(64, 784, seed=seed)).hidden_gradient_log10 for seed in range(5)]
    assert np.median([gradient[1] - gradient[-1] for gradient in lost]) < 0


def test_a_chain_of_equal_layers_has_none_that_takes_the_most(page: AppTest) -> None:
    assert "takes the most" not in words(opened(page, act="chain", x="0,0,0"))
    assert "All layers take the same: $\\sigma' = 0.25$" in words(page)
    assert "Layer 2 takes the most" in words(opened(page, act="chain", x="0,3,0"))
    assert "After **1 layer** the gradient" in words(opened(page, act="chain", x="0"))


@pytest.mark.parametrize(
    ("field", "default"), [("activation", "sigmoid"), ("activation2", "relu"), ("activation3", "relu"), ("activation4", "none")]
)
def test_a_refused_activation_is_reported_by_its_own_name_and_default(page: AppTest, field: str, default: str) -> None:
    opened(page, act="depth", **{field: "rexu"})
    (warning,) = page.warning
    assert f"**{field}** must be" in warning.value
    assert f"The default, `{default}`," in warning.value
