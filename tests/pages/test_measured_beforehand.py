"""Numbers that pages give as measured beforehand, against this app's own runs: the kept ones of many seeds, or runs of this moment."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from mlp_core.data import load_fashion_mnist
from mlp_core.labs.generalization.subsets import first
from mlp_core.reports.comparison.book_bands import known_accuracy
from mlp_core.reports.export import AMPLIFIED
from mlp_core.spec import PRESETS, RunSpec
from mlp_core.training import Run
from mlp_core.training.replicates import Replicates
from pages.ui.generalization import dropout
from tests.support.pages.visit import again, visit

KNOWN = Path(__file__).parents[2] / "mlp_core" / "reports" / "comparison" / "book_bands.json"


def kept(name: str) -> list[float]:
    """Test accuracy in percent of all known runs after their last epoch."""
    return [100 * run["test_accuracy"][-1] for run in json.loads(KNOWN.read_text())[name]["runs"].values()]


@pytest.mark.parametrize("name", ["mlp", "softmax", "dropout"])
def test_a_known_accuracy_spans_all_known_runs(name: str) -> None:
    low, high = map(int, re.findall(r"\d+", known_accuracy(name)))
    assert low - 0.5 <= min(kept(name)) <= low + 0.5
    assert high - 0.5 <= max(kept(name)) <= high + 0.5


@pytest.mark.parametrize("name", ["mlp", "softmax"])
def test_a_preset_promises_what_its_known_runs_gave(name: str) -> None:
    assert known_accuracy(name) in PRESETS[name].lesson


def test_the_start_page_promises_what_the_known_runs_gave() -> None:
    with visit("app.py") as app:
        labels = [element.proto.label for element in again(app).get("page_link")]
    assert f"The book's network: {known_accuracy('mlp')} in ten epochs" in labels


def test_dropout_as_in_the_book_promises_what_the_known_runs_gave() -> None:
    lesson = dropout.PRESETS["Chinese edition"].lesson
    assert f"{len(kept('dropout'))} seeds beforehand: {known_accuracy('dropout')} of the test images" in lesson


def test_dropout_on_few_images_promises_what_it_gives() -> None:
    """Three seeds, 500 test images."""
    promised = [tuple(map(float, pair)) for pair in re.findall(r"(0\.\d\d) → (0\.\d\d)", dropout.PRESETS["Few images"].lesson)]
    recipe = dropout.RECIPES["few"]
    chosen = dropout.FEW["p1"], dropout.FEW["p2"]
    given: list[list[float]] = []
    for probabilities in ((), chosen):
        run = Replicates(replace(recipe.spec, dropout=probabilities), first(load_fashion_mnist(), recipe.images, 500), seeds=3)
        run.advance()
        ends = [history.epochs[-1] for history in run.members]
        given.append([median(getattr(end, name) for end in ends) for name in ("train_accuracy", "test_loss", "test_accuracy")])
    for (without, with_dropout), before, after, tolerance in zip(promised, *given, (0.02, 0.1, 0.04), strict=True):
        assert before == pytest.approx(without, abs=tolerance)
        assert after == pytest.approx(with_dropout, abs=tolerance)


def losses(spec: RunSpec, steps: int) -> list[float]:
    run = Run(spec, load_fashion_mnist())
    run.advance(steps=steps)
    return list(run.history.snapshot().losses)


def test_training_amplifies_rounding_as_much_as_is_said() -> None:
    """Three seeds: another implementation where training is tame, the same seeds at once where it is not."""
    tame, wild = map(float, re.findall(r"(0\.\d+) with lr", AMPLIFIED))
    for seed in range(3):
        one, other = (losses(RunSpec(seed=seed, implementation=name, device="cpu"), 60) for name in ("concise", "scratch"))
        assert np.abs(np.subtract(one, other)).max() < tame / 10
    together = Replicates(RunSpec(lr=0.5, device="cpu"), load_fashion_mnist(), seeds=3)
    together.advance(steps=120)
    apart = [
        np.abs(np.subtract(losses(RunSpec(lr=0.5, seed=seed, device="cpu"), 120), history.losses)).max()
        for seed, history in enumerate(together.members)
    ]
    assert max(apart) > wild / 10  # here 0.20, 0.31 and 0.41
    assert max(apart) < 3 * wild
