"""The exported weights fit the exported program, strictly, and there they get the test that the run got."""

from __future__ import annotations

import contextlib
import io
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from mlp_core.data import load_sample
from mlp_core.data.fashion_mnist import SAMPLE_FOLDER
from mlp_core.records import SettingChange
from mlp_core.reports.export.files import weights_safetensors
from mlp_core.reports.export.script import Origin, script_of
from mlp_core.spec import IMPLEMENTATIONS, RunSpec
from mlp_core.training.replicates import Replicates
from tests.support.programs import SMALL, carried_out, designs, torch_put_back

DESIGNS = {name: spec for name, spec in designs().items() if name != "diverges"}
BARE = [name for name in DESIGNS if "prelu" in name or "layer" in name or "dropped" in name]

ALONE = Origin()


def untrained(
    spec: RunSpec, style: str, changes: tuple[SettingChange, ...] = (), origin: Origin = ALONE, seed: int | None = None
) -> dict[str, Any]:
    """What a program has defined by the time it would train."""
    program, namespace = script_of(spec, style, changes, origin=origin).removesuffix("train()\n"), {"__name__": "__main__"}
    asked = [] if seed is None else ["--seed", str(seed)]
    arguments = mock.patch.object(sys, "argv", ["mlp.py", "--data", str(SAMPLE_FOLDER), *asked])
    with arguments, contextlib.redirect_stdout(io.StringIO()), torch_put_back():
        exec(program, namespace)
    return namespace


CASES = [*((name, "concise") for name in DESIGNS), *((name, style) for name in BARE for style in IMPLEMENTATIONS[1:])]


@pytest.mark.parametrize(("name", "style"), CASES)
def test_the_program_loads_the_weights_and_its_test_is_that_of_the_run(name: str, style: str, tmp_path: Path) -> None:
    check(DESIGNS[name], style, (), tmp_path)


@pytest.mark.parametrize("style", IMPLEMENTATIONS)
def test_so_it_does_where_dropout_came_on_the_way(style: str, tmp_path: Path) -> None:
    check(SMALL, style, (SettingChange(4, "dropout", (0.5,)),), tmp_path)


def check(spec: RunSpec, style: str, changes: tuple[SettingChange, ...], folder: Path) -> None:
    run, program = carried_out(spec, changes), untrained(spec, style, changes)
    file = folder / "weights.safetensors"
    file.write_bytes(weights_safetensors(run))
    program["load_weights"](file)
    loss, accuracy = program["test"]()
    last = run.history.epochs[-1]
    assert (loss, accuracy) == pytest.approx((last.test_loss, last.test_accuracy), rel=1e-4, abs=2e-3)


@pytest.mark.parametrize("style", IMPLEMENTATIONS)
@pytest.mark.parametrize("name", ["prelu", "relu"])
def test_of_five_seeds_the_program_loads_those_of_its_own(name: str, style: str, tmp_path: Path) -> None:
    spec = replace(SMALL, activation=name, hidden=(16, 8), seed=7, implementation=style)
    run = Replicates(spec, load_sample(), seeds=5)
    run.advance()
    file = tmp_path / "weights.safetensors"
    file.write_bytes(weights_safetensors(run))
    tests = []
    for seed, member in zip(range(7, 12), run.members, strict=True):
        program = untrained(spec, style, origin=Origin(seeds=5), seed=seed)
        program["load_weights"](file)
        tests.append(program["test"]())
        assert tests[-1] == pytest.approx((member.epochs[-1].test_loss, member.epochs[-1].test_accuracy), rel=1e-4, abs=1e-3)
    assert len({loss for loss, _ in tests}) == 5
