"""The panel "Look inside": every view shows what the run's own network says, from before the first step to after the last."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from mlp_core.activations import ACTIVATIONS
from mlp_core.data import CLASS_NAMES, load_fashion_mnist
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from pages.figures.layers import FlatRange
from pages.ui.run.inside import flat_of, moments_of
from tests.support.engine import clouds, network_of
from tests.support.histories import looks_of
from tests.support.pages.snapshots import snapshot_of
from tests.support.pages.visit import again, numbers, said, sent, visit

SPEC = RunSpec(hidden=(12, 8), init="he_normal", train_size=320, batch_size=32, epochs=2, device="cpu")  # 20 steps


@pytest.fixture
def page() -> Iterator[AppTest]:
    with visit("tests/pages/apps/inside_page.py") as page:
        yield page


def trained(spec: RunSpec = SPEC, steps: int = 12, looked: bool = True) -> Run:
    run = Run(spec, load_fashion_mnist())
    for _ in range(steps):
        if looked:
            run.inspections.look()
        run.advance(steps=1)
    if looked:
        run.evaluate()
    return run


def shown(page: AppTest, run: Run, view: str | None = None, **session: Any) -> AppTest:
    page.session_state["run"] = run
    for name, value in session.items():
        page.session_state[name] = value
    again(page)
    if view is not None:
        choose(page, "inside_view", view)
    return page


def choose(page: AppTest, key: str, option: str) -> AppTest:
    page.button_group(key=key).set_value(option)
    return again(page)


def views(page: AppTest) -> list[str]:
    return list(page.button_group(key="inside_view").options)


def test_over_time_shows_probes_and_looks(page: AppTest) -> None:
    run = trained()
    shown(page, run)
    watched = [(look.step, look.layers[0].update_ratio) for look in run.inspections.entries]
    ratios = [(step, ratio) for step, ratio in watched if ratio is not None]
    assert ratios
    figure = sent(page, "inside_over_time")
    assert figure is not None
    curve = next(trace for trace in figure["data"] if trace["name"] == "layer 1" and trace["yaxis"] == "y5")
    assert numbers(curve["x"]) == pytest.approx([step / run.steps_per_epoch for step, _ in ratios])
    assert numbers(curve["y"]) == pytest.approx([math.log10(ratio) for _, ratio in ratios], rel=1e-6)
    assert any("Karpathy" in text for text in said(page))


def test_opening_the_panel_is_what_makes_a_run_be_looked_into(page: AppTest) -> None:
    run = trained(looked=False)
    assert not run.inspections.looked_at
    shown(page, run)
    assert run.inspections.looked_at


def test_an_inspection_stands_for_a_probe_of_the_same_step() -> None:
    run = trained(looked=False)
    snapshot = replace(snapshot_of(run), inspections=tuple(looks_of([1e-3] * 3, count=1, first=10)))
    steps = [moment.step for moment in moments_of(snapshot)]
    assert steps == sorted({probe.step for probe in run.history.probes})
    assert [moment.update_ratios[0] for moment in moments_of(snapshot) if moment.step == 10] == [1e-3]


@pytest.mark.parametrize("kind", ["Outputs", "Weights", "Gradients"])
def test_histograms_are_of_the_newest_look(page: AppTest, kind: str) -> None:
    run = trained()
    shown(page, run, "Histograms")
    choose(page, "inside_kind", kind)
    figure = sent(page, "inside_histograms")
    assert figure is not None
    newest = run.inspections.entries[-1]
    layers = newest.layers[:2] if kind == "Outputs" else newest.layers
    assert len(figure["data"]) == 2 * len(layers)
    for layer, target in zip(layers, figure["data"][1::2], strict=True):
        histogram = getattr(layer, {"Outputs": "activations"}.get(kind, kind.lower()))
        peak = max(numbers(target["customdata"]))
        assert peak == pytest.approx(100 * max(histogram.counts) / sum(histogram.counts), rel=6e-3)
    assert any(f"After step {run.step}." in text for text in said(page))


def test_a_run_that_ended_unseen_is_looked_into_afterwards(page: AppTest) -> None:
    run = trained(steps=20, looked=False)
    assert run.finished
    shown(page, run, "Histograms", state="finished")
    assert sent(page, "inside_histograms") is not None
    assert not run.inspections.entries
    choose(page, "inside_view", "Over time")
    assert any("train again with this panel open" in text for text in said(page))


def test_weights_are_pictured_and_without_their_beginning_on_request(page: AppTest) -> None:
    run = trained(steps=0)
    run.prepare()
    shown(page, run, "First-layer weights")
    figure = sent(page, "inside_weights")
    assert figure is not None
    weight = network_of(run).weights()[0][0]
    assert f"{weight[0].norm():.3g}" in figure["data"][1]["hovertext"][0]
    page.toggle(key="inside_changed").set_value(True)
    unchanged = sent(again(page), "inside_weights")
    assert unchanged is not None
    assert all("|w| = 0" in text for text in unchanged["data"][1]["hovertext"]), "the seed gives back the very beginning"
    before = weight.double().clone()
    run.advance(steps=3)
    changed = sent(again(page), "inside_weights")
    assert changed is not None
    assert f"{(weight.double() - before)[0].norm():.3g}" in changed["data"][1]["hovertext"][0]


def test_one_image_goes_through_the_layers(page: AppTest) -> None:
    run = trained()
    shown(page, run, "One image")
    page.number_input(key="inside_image").set_value(7)
    again(page)
    data = load_fashion_mnist()
    image = data.test_images[7].reshape(1, -1).float() / 255
    with torch.no_grad():
        layers = network_of(run).layers(image)
    figure = sent(page, "inside_strips")
    assert figure is not None
    for strip, layer in zip(figure["data"], layers, strict=True):
        np.testing.assert_allclose(_row(strip["z"]), layer.activation[0].numpy(), rtol=1e-5, atol=1e-6)
    bars = sent(page, "inside_probabilities")
    assert bars is not None
    probabilities = 100 * layers[-1].activation[0].softmax(0).numpy()
    np.testing.assert_allclose(numbers(bars["data"][0]["x"]), probabilities, rtol=1e-4, atol=1e-5)
    assert any(f"the label is {CLASS_NAMES[int(data.test_labels[7])]}" in text for text in said(page))


def _row(z: Any) -> list[float]:
    return numbers(z) if isinstance(z, dict) else [float(value) for value in z[0]]


def test_an_image_that_was_clicked_among_the_predictions_is_taken_over_once(page: AppTest) -> None:
    shown(page, trained(), "One image", _image=5)
    assert page.number_input[0].value == 5
    page.number_input[0].set_value(9)
    assert again(page).number_input[0].value == 9
    assert shown(page, page.session_state["run"], _image=6).number_input[0].value == 6


def test_choices_outlive_a_run_that_was_cut_short(page: AppTest) -> None:
    shown(page, trained(), "Histograms")
    choose(page, "inside_kind", "Weights")
    choose(page, "inside_view", "One image")
    for cut_short in (True, False):
        page.session_state["cut_short"] = cut_short
        again(page)
    assert page.button_group(key="inside_view").value == "One image"
    choose(page, "inside_view", "Histograms")
    figure = sent(page, "inside_histograms")
    assert figure is not None
    assert figure["layout"]["xaxis"]["title"]["text"] == "weight"


def test_points_in_the_plane_have_no_pictures(page: AppTest) -> None:
    run = Run(replace(SPEC, train_size=None, batch_size=16), clouds())
    run.inspections.look()
    run.advance(steps=3)
    shown(page, run)
    assert views(page) == ["Over time", "Histograms"]
    assert sent(page, "inside_over_time") is not None
    choose(page, "inside_view", "Histograms")
    assert sent(page, "inside_histograms") is not None


def test_before_anything_was_measured_it_says_what_to_do(page: AppTest) -> None:
    shown(page, Run(SPEC, load_fashion_mnist()), state="ready")
    assert views(page) == ["Over time", "Histograms"]
    assert any("Train" in text for text in said(page))
    choose(page, "inside_view", "Histograms")
    assert any("with this panel open" in text for text in said(page))


def test_collecting_and_several_seeds_are_explained(page: AppTest) -> None:
    run = trained(looked=False)
    assert "Collecting…" in said(shown(page, run, state="playing"))
    several = shown(page, run, members=(run.history.snapshot(),) * 5)
    assert any("Several seeds" in text for text in said(several))


def test_softmax_regression_has_no_hidden_layer_and_no_error(page: AppTest) -> None:
    run = trained(replace(SPEC, hidden=()), steps=5)
    shown(page, run)
    for view in ("Histograms", "First-layer weights", "One image", "Over time"):
        choose(page, "inside_view", view)
    assert any("class answers most" in text for text in said(choose(page, "inside_view", "First-layer weights")))


@pytest.mark.parametrize(
    ("spec", "flat"),
    [
        (RunSpec(activation="tanh"), FlatRange(-0.97, 0.97)),
        (RunSpec(activation="sigmoid"), FlatRange(0.03, 0.97)),
        (RunSpec(activation="elu", activation_parameter=2.0), FlatRange(-1.97, math.inf)),
        (RunSpec(activation="relu"), None),
        (RunSpec(activation="=x*2"), None),
    ],
)
def test_where_an_activation_is_flat(spec: RunSpec, flat: FlatRange | None) -> None:
    activation = ACTIVATIONS.get(spec.activation) or replace(ACTIVATIONS["relu"], output_range=None)
    assert flat_of(activation, spec) == flat
