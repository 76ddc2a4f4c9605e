"""Experiments worth starting from, each with what it shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlp_core.spec import RunSpec
from mlp_core.words import Message


@dataclass(frozen=True, slots=True)
class Preset:
    """An experiment with a name, the settings that are not d2l's, and the lesson it teaches, in a sentence."""

    title: str
    settings: Mapping[str, Any]
    lesson: str

    @property
    def spec(self) -> RunSpec:
        return RunSpec(**self.settings)


PRESETS: dict[str, Preset] = {
    "mlp": Preset(
        Message("d2l's MLP"), {"epochs": 10},
        Message("One hidden layer of 256 ReLU units, SGD with lr 0.1: the book's own experiment. Expect 82 to 85 % after ten epochs."),
    ),
    "softmax": Preset(
        Message("Softmax regression"), {"hidden": ()},
        Message("No hidden layer: pixels straight to classes. It reaches 81 to 84 %; what does a hidden layer add?"),
    ),
    "dropout": Preset(
        Message("Dropout network"), {"hidden": (256, 256), "dropout": (0.2, 0.5), "lr": 0.5},
        Message("Two hidden layers that lose 20 % and 50 % of their units at random in every training step."),
    ),
    "bottleneck": Preset(
        Message("One-unit bottleneck"), {"hidden": (256, 1), "init": "torch_default"},
        Message(
            "All that the network knows of an image passes through one number. It is right three to five times as often as by guessing."
        ),
    ),
    "lr_too_high": Preset(
        Message("lr too high"), {"lr": 2.0, "epochs": 5},
        Message(
            "Twenty times the book's learning rate: ReLU units die within the first steps, and it stays at 10 %, without a single NaN."
        ),
    ),
    "deep_sigmoid": Preset(
        Message("Deep sigmoid"), {"hidden": (64,) * 5, "activation": "sigmoid", "init": "xavier_uniform", "epochs": 5},
        Message(
            "Five sigmoid layers: the gradient shrinks in each, and the network stays at 10 %. Does ReLU with He initialization cure it?"
        ),
    ),
    "older_edition": Preset(
        Message("Older edition: lr = 100"), {"lr": 100.0, "divide_by_batch": True, "epochs": 5},
        Message(
            "The older edition's sgd divides the averaged gradient by the batch size again: its lr of 100 is really 0.39. "
            "Untick it and see."
        ),
    ),
}  # fmt: skip
