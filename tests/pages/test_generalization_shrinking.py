"""The acts on weight decay and on dropout without a browser: what they train, compute and say."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mlp_core.labs.generalization.masks import dropped
from mlp_core.labs.generalization.weight_decay import Setting
from mlp_core.spec import RunSpec
from pages.ui import session
from pages.ui.generalization.decay import DECAYS
from pages.ui.generalization.layer import tensor
from tests.support.pages.visit import address, again, metrics, numbers, opened, press, traces, until, visit_with_jobs, widget, words
from tests.support.shrinking import train

DECAY = {"act": "decay", "decay_epochs": "20"}  # a fifth of the usual, which take seconds; what is shown of them is the same


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    with visit_with_jobs("pages/generalization.py", monkeypatch) as page:
        yield page


# Weight decay


def test_moving_lambda_trains_anew(page: AppTest) -> None:
    shown = metrics(opened(page, **DECAY))
    trained = train(Setting(epochs=20), [0.0, 3.0], range(10))
    assert shown["‖w‖"] == f"{np.median(trained.norm[:, 1]):.3g}"
    assert "‖w‖²/2" in words(page)
    widget(page, "generalization_decay").set_value(0.0)
    again(page)
    assert float(metrics(page)["Test loss"]) > 60
    assert address(page)["decay"] == "0"
    assert "nothing to compare" in words(page)


def test_error_against_lambda_marks_the_best_of_both_penalties(page: AppTest) -> None:
    opened(page, **DECAY)
    shown = traces(page, "decay_penalties")
    for name in ("L2", "L1"):
        (best,) = [trace for label, trace in shown.items() if label.startswith(f"best {name}")]
        curve = numbers(shown[f"{name}, test"]["y"])
        assert numbers(best["y"])[0] == pytest.approx(min(curve), rel=1e-3)
        assert len(curve) == len(DECAYS)


def test_the_routes_are_told_apart_by_their_numbers(page: AppTest) -> None:
    opened(page, **DECAY)
    row = {name: list(page.dataframe[0].value.iloc[index]) for index, name in enumerate(("SGD", "Adam"))}
    assert row["SGD"][1] == row["SGD"][2]
    assert float(row["SGD"][3]) == pytest.approx(float(row["SGD"][1]), rel=1e-5)
    assert float(row["Adam"][2]) == pytest.approx(float(row["Adam"][1]), rel=1e-5)
    assert float(row["Adam"][3]) < 0.5 * float(row["Adam"][1])


def test_a_training_that_diverges_is_explained(page: AppTest) -> None:
    opened(page, act="decay", decay_lr="0.3", decay="100", decay_epochs="3")
    assert "**diverges**" in page.error[0].value
    assert "by every route" in words(page)


def test_the_english_preset_sets_the_english_edition(page: AppTest) -> None:
    opened(page, **DECAY)
    widget(page, "generalization_decay_preset").set_value("English edition, λ = 0")
    again(page)
    assert address(page) == {"act": "decay", "decay": "0", "decay_lr": "0.01", "decay_epochs": "10", "decay_std": "0.01"}
    assert 0.007 < float(metrics(page)["‖w‖²/2"]) < 0.012


# Dropout


def test_the_layer_shows_its_mask_and_the_next_one(page: AppTest) -> None:
    opened(page, act="dropout", p="0.25", masks="3")
    survivors = int((dropped(tensor() + 1, 0.25, 0, 3)[-1] > 0).sum())
    assert f"{survivors} of 16 survive, 12 on average; each is multiplied by 1/(1 − 0.25) = **1.333**" in words(page)
    press(page, "masks_10")
    assert address(page)["masks"] == "13"
    press(page, "masks_over")
    assert address(page) == {"act": "dropout", "p": "0.25", "masks": "1", "mask_seed": "1"}


@pytest.mark.parametrize(("p", "sentence"), [("0", "h′ is h"), ("1", "drops everything")])
def test_the_ends_of_p(page: AppTest, p: str, sentence: str) -> None:
    opened(page, act="dropout", p=p)
    assert sentence in words(page)


def test_masks_are_not_drawn_without_end(page: AppTest) -> None:
    opened(page, act="dropout", masks="9995")
    assert page.button(key="masks_10").disabled
    assert not page.button(key="masks_1").disabled


def test_with_and_without_then_the_copies_vote(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    from pages.ui.generalization import dropout  # noqa: PLC0415 (its recipes are changed for this test alone)

    quick = RunSpec(hidden=(256, 256), init="torch_default", optimizer="adam", lr=0.001, epochs=3, device="cpu")
    monkeypatch.setattr(dropout, "SEEDS", 2)
    monkeypatch.setattr(dropout, "TEST_IMAGES", 200)
    monkeypatch.setitem(dropout.RECIPES, "few", dropout.Recipe("quick", 300, quick))
    opened(page, act="dropout", image="1999")
    assert "Train with and without dropout first" in words(page)
    assert not page.warning
    press(page, "dropout_start")
    until(page, lambda _: (held := session.jobs().group("dropout")) is not None and not held.moving)
    again(page)
    assert "After 3 epochs" in words(page)
    assert "Test loss: dropout" in words(page)
    assert len(numbers(traces(page, "dropout_variance")["dropout, layer 2"]["y"])) >= 3
    assert {"Dropout off", "Left on", "Left on, mean of 10"} <= metrics(page).keys()
    assert "copies say" in words(page)
    shares = numbers(traces(page, "dropout_votes")["share of the votes"]["y"])
    assert sum(shares) == pytest.approx(1.0, abs=1e-6)
    assert widget(page, "generalization_image").value == 199
    (said,) = [warning.value for warning in page.warning if "cannot be" in warning.value]
    assert "**image** must be at most 199, the number of the last test image, got `1999`. `199` stands in its place." in said
