"""What the verdict says in numbers is what the tiles beside it show, to the digit, wherever a run stands."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from mlp_core.data import load_sample
from mlp_core.reports.diagnosis.diagnosis import diagnose
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from pages.ui.run.readings import readings
from tests.support.kept import snapshot

SMALL = RunSpec(hidden=(32,), batch_size=64, epochs=5, train_size=2000, device="cpu")
DESIGNS = {
    "healthy": SMALL,
    "small batches": replace(SMALL, batch_size=10, epochs=1),
    "dead": replace(SMALL, lr=5.0),
    "stuck": replace(SMALL, lr=1e-4),
    "unstable": replace(SMALL, optimizer="rmsprop", lr=1.0),
    "saturated": replace(SMALL, activation="tanh", lr=10.0),
    "vanishing": replace(SMALL, hidden=(32,) * 5),
    "symmetric": replace(SMALL, init="constant"),
    "held back": replace(SMALL, weight_decay=1.0),
    "short": replace(SMALL, batch_size=1000, epochs=4),
}
NUMBER = r"[\d.,]+(?: × 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?"


@pytest.mark.parametrize("name", DESIGNS)
def test_a_verdicts_numbers_are_the_tiles_numbers(name: str) -> None:
    run = Run(DESIGNS[name], load_sample())
    compared = 0
    while not run.finished:
        run.advance(steps=11)
        now = snapshot(run.spec, run.history.snapshot(), stop=run.stop_reason.kind if run.stop_reason else "")
        tiles = {reading.label: reading.value for reading in readings(now)}
        verdict = diagnose(now.spec, now.history, run.stop_reason)
        said = f"{verdict.sentence} {verdict.evidence}"
        for share, images in re.findall(
            r"(?:Stuck at|Held back at|Collapsed to|steps?,|and|with) ([\d.]+ %) of the (test|training) images", said
        ):
            assert share == tiles["Test accuracy" if images == "test" else "Training accuracy"]
            compared += 1
        for share in re.findall(r"([\d.]+ %) of the test images right after", said):
            assert share == tiles["Test accuracy"]
            compared += 1
        for loss in re.findall(rf"training loss (?:is|is still|has risen to) ({NUMBER}[\d⁰¹²³⁴⁵⁶⁷⁸⁹])", said):
            assert loss == tiles["Training loss"]
            compared += 1
    assert compared
