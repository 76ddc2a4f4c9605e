"""The exported weights fit the exported program, strictly, and there they get the test that the run got."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from mlp_core.data.fashion_mnist import SAMPLE_FOLDER
from mlp_core.records import SettingChange
from mlp_core.reports.export.files import weights_safetensors
from mlp_core.reports.export.script import script_of
from mlp_core.spec import IMPLEMENTATIONS, RunSpec
from tests.support.engine import network_of
from tests.support.programs import SMALL, carried_out, designs, torch_put_back

DESIGNS = {name: spec for name, spec in designs().items() if name != "diverges"}
BARE = [name for name in DESIGNS if "prelu" in name or "layer" in name or "dropped" in name]


def untrained(spec: RunSpec, style: str, changes: tuple[SettingChange, ...] = ()) -> dict[str, Any]:
    """What a program has defined by the time it would train."""
    program, namespace = script_of(spec, style, changes).removesuffix("train()\n"), {"__name__": "__main__"}
    arguments = mock.patch.object(sys, "argv", ["mlp.py", "--data", str(SAMPLE_FOLDER)])
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
    file.write_bytes(weights_safetensors(network_of(run), spec, run.step, changes))
    program["load_weights"](file)
    loss, accuracy = program["test"]()
    last = run.history.epochs[-1]
    assert (loss, accuracy) == pytest.approx((last.test_loss, last.test_accuracy), rel=1e-4, abs=2e-3)
