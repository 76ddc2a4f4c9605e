"""Designs for the tests of exported programs, and a stage on which a program is executed and its losses are read."""

from __future__ import annotations

import contextlib
import io
import json
import math
import re
import runpy
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import torch

from mlp_core.activations import trainable_activations
from mlp_core.data import load_sample
from mlp_core.data.fashion_mnist import SAMPLE_FOLDER
from mlp_core.initializers import INITIALIZERS
from mlp_core.records import EpochRecord, SettingChange, settings_after
from mlp_core.spec import RunSpec
from mlp_core.training import Run

SMALL = RunSpec(hidden=(9,), init="he_normal", batch_size=24, epochs=2, train_size=100, device="cpu")  # 5 steps an epoch, the last of 4

OPTIMIZER_FIELDS: dict[str, dict[str, Any]] = {
    "sgd": {},
    "sgd, momentum": {"momentum": 0.9, "lr": 0.03},
    "sgd, Nesterov, both penalties": {"momentum": 0.8, "nesterov": True, "weight_decay": 0.01, "l1": 0.001, "lr": 0.03},
    "sgd, divided": {"divide_by_batch": True, "lr": 10.0, "l1": 0.01},
    "sgd, decay": {"weight_decay": 0.1},
    "adam": {"optimizer": "adam", "lr": 0.003, "beta1": 0.8, "beta2": 0.95, "eps": 1e-6},
    "adam, both penalties": {"optimizer": "adam", "lr": 0.003, "weight_decay": 0.01, "l1": 0.001},
    "adamw": {"optimizer": "adamw", "lr": 0.003},
    "adamw, both penalties": {"optimizer": "adamw", "lr": 0.003, "weight_decay": 1.0, "l1": 0.001},
    "rmsprop": {"optimizer": "rmsprop", "lr": 0.002, "rho": 0.9},
    "rmsprop, momentum, decay": {"optimizer": "rmsprop", "lr": 0.001, "momentum": 0.7, "weight_decay": 0.01},
    "adagrad": {"optimizer": "adagrad", "lr": 0.01, "weight_decay": 0.01},
}
EXPRESSIONS = (
    "x*sigmoid(1.702*x)", "where(x > 0, x, 0.1*x)", "max(x, 0)^2", "max(x, -x) - min(2, x)", "x > 0", "-(x + 1)*-2/(3 + x^2)",
    "x - (1 - x) - exp(-x^2)", "(x > 0) + floor(x)", "where(1 > 0, x, 2)", "gelu(x) + prelu(x) + step(x)*softplus(x) - elu(x)",
    "hard_tanh(x) + atan(x)/pi + erf(x)*e + identity(x)", "where(x, cos(x), 0/0)",
)  # fmt: skip
PARAMETERS = {"leaky_relu": 0.3, "prelu": 0.1, "elu": 0.5, "silu": 2.0, "softplus": 3.0}


def designs() -> dict[str, RunSpec]:
    """Every optimizer, activation and initialization at least once, and what else changes a program's text."""
    made = {f"optimizer: {name}": replace(SMALL, **changes) for name, changes in OPTIMIZER_FIELDS.items()}
    made |= {f"activation: {name}": replace(SMALL, activation=name, lr=0.3) for name in trainable_activations()}
    made |= {f"parameter: {name}": replace(SMALL, activation=name, activation_parameter=value) for name, value in PARAMETERS.items()}
    made |= {f"init: {name}": replace(SMALL, init=name, hidden=(12, 800) if name == "orthogonal" else (9,)) for name in INITIALIZERS}
    return made | {
        "expression": replace(SMALL, activation=f"={EXPRESSIONS[0]}"),
        "noisy constant": replace(SMALL, init="constant", init_value=0.02, init_noise=0.01),
        "no hidden layer": replace(SMALL, hidden=(), init="normal", init_std=0.0),
        "three layers, dropout": replace(SMALL, hidden=(20, 9, 8), dropout=(0.2, 0.0, 0.5), seed=11, momentum=0.5),
        "all dropped": replace(SMALL, hidden=(8, 8), dropout=(0.5, 1.0)),
        "ten layers": replace(SMALL, hidden=(8,) * 10, activation="prelu", optimizer="adam", lr=0.01),
        "bfloat16": replace(SMALL, precision="bfloat16", hidden=(20, 9), dropout=(0.2, 0.0), activation="gelu", momentum=0.5),
        "bfloat16, prelu": replace(SMALL, precision="bfloat16", activation="prelu", optimizer="adam", lr=0.01),
        "bfloat16, expression": replace(SMALL, precision="bfloat16", activation=f"={EXPRESSIONS[0]}"),
        "one image a step": replace(SMALL, train_size=7, batch_size=1, seed=2**31 - 1),
        "diverges": replace(SMALL, activation="=exp(x*x)", lr=10.0, epochs=5),
    }


@dataclass(frozen=True, slots=True)
class Printed:
    """What a program printed: losses of its steps, lines of its epochs, and the rest."""

    losses: tuple[float, ...]
    epochs: tuple[str, ...]
    others: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Printed:
        lines = text.splitlines()
        steps = [match for line in lines if (match := re.fullmatch(r"step (\d+): loss (\S+)", line))]
        assert [int(match[1]) for match in steps] == list(range(1, len(steps) + 1))
        epochs = tuple(line for line in lines if line.startswith("epoch "))
        others = tuple(line for line in lines if not line.startswith(("epoch ", "step ")))
        return cls(tuple(float(match[2]) for match in steps), epochs, others)


def notebook_cells(notebook: str) -> dict[str, tuple[str, str]]:
    """The heading of every cell with words -> its words, and the code of the cell below it."""
    sources = ["".join(cell["source"]) for cell in json.loads(notebook)["cells"]]
    return {words.splitlines()[0].lstrip("# "): (words, code) for words, code in zip(sources[::2], sources[1::2], strict=True)}


def executed(program: Path, *arguments: str) -> Printed:
    """Execute a program in this process, under a name and with arguments of its own; what is global in torch is put back."""
    output = io.StringIO()
    with mock.patch.object(sys, "argv", [str(program), *arguments]), contextlib.redirect_stdout(output), torch_put_back():
        runpy.run_path(str(program), run_name="__main__")
    return Printed.of(output.getvalue())


@contextlib.contextmanager
def torch_put_back() -> Iterator[None]:
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    torch.manual_seed(12345)  # nothing that a program prints may hang on the global generator
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_rng_state(state)


def sample_arguments() -> tuple[str, ...]:
    return ("--data", str(SAMPLE_FOLDER), "--steps")


def carried_out(spec: RunSpec, changes: Sequence[SettingChange] = ()) -> Run:
    """A run of `spec` on the sample whose settings are changed in mid-run."""
    run = Run(spec, load_sample())
    for change in changes:
        run.advance(steps=change.step - run.step)
        run.change(**settings_after([change]))
    run.advance()
    return run


def epoch_line(record: EpochRecord) -> str:
    return (
        f"epoch {record.epoch}: train loss {record.train_loss:.4f}, train accuracy {record.train_accuracy:.4f}, "
        f"test loss {record.test_loss:.4f}, test accuracy {record.test_accuracy:.4f}"
    )


def same_losses(printed: Sequence[float], run: Run, tolerance: float) -> bool:
    """Whether a program printed the losses of a run, within a relative tolerance; NaN equals NaN."""
    losses = [step.loss for step in run.history.steps]
    same = len(printed) == len(losses)
    return same and all(
        math.isclose(a, b, rel_tol=tolerance) or (math.isnan(a) and math.isnan(b)) for a, b in zip(printed, losses, strict=True)
    )
