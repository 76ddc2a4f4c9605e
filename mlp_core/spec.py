"""The experiment as one value: `RunSpec`, validated, frozen and hashable. Importing it takes the standard library only.

Everything that decides what a run computes is a field here, and nothing else is. A `RunSpec` that exists is valid; an invalid one
cannot be made. It travels as JSON (`to_json`, `from_json`) and as the query of a link (`to_query`, `from_query`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from itertools import pairwise
from typing import Any

from mlp_core.bounds import Bounds as Bounds  # noqa: PLC0414 (to be had from here, like RunSpec)
from mlp_core.bounds import SpecError as SpecError  # noqa: PLC0414
from mlp_core.bounds import check_choice, check_numbers, shown
from mlp_core.words import Message, count, counted

INPUTS = 784  # 28 x 28 pixels
OUTPUTS = 10  # classes of Fashion-MNIST

MAX_LAYERS = 100
MAX_WIDTH = 2048
MAX_EPOCHS = 2000  # points in the plane take that many; the photos of clothes, ten
MAX_BATCH_SIZE = 4096
MAX_TRAIN_SIZE = 60_000
MAX_SEED = 2**31 - 1
MAX_EXPRESSION_LENGTH = 200
MAX_TEXT_LENGTH = 10_000

# A step is the smallest thing a server can share: while one runs, nobody else's does. This bound keeps the slowest step near a second
# on one core; eight layers of 2048 units just fit at the book's batch size of 256.
MAX_STEP_FLOPS = 50_000_000_000
OPERATION_FLOPS = 1000  # of a product, done in the time of one operation of an expression, value and gradient: 20 ns; measured 1 to 25

EXPRESSION_PREFIX = "="
IMPLEMENTATIONS = ("concise", "scratch", "by_hand")
PRECISIONS = ("float32", "bfloat16")
DEVICES = ("auto", "cpu", "cuda", "mps")

BOUNDS: dict[str, Bounds] = {
    "init_std": Bounds(0.0, 10.0),
    "init_value": Bounds(-10.0, 10.0),
    "init_noise": Bounds(0.0, 10.0),
    "lr": Bounds(1e-5, 100.0),
    "momentum": Bounds(0.0, 0.999),
    "beta1": Bounds(0.0, 0.9999),
    "beta2": Bounds(0.0, 0.99999),
    "rho": Bounds(0.0, 0.9999),
    "eps": Bounds(1e-12, 1.0),
    "weight_decay": Bounds(0.0, 100.0),
    "l1": Bounds(0.0, 100.0),
    "batch_size": Bounds(1, MAX_BATCH_SIZE, whole=True),
    "epochs": Bounds(1, MAX_EPOCHS, whole=True),
    "seed": Bounds(0, MAX_SEED, whole=True),
}
WIDTH_BOUNDS = Bounds(1, MAX_WIDTH, whole=True)
DROPOUT_BOUNDS = Bounds(0.0, 1.0)
TRAIN_SIZE_BOUNDS = Bounds(1, MAX_TRAIN_SIZE, whole=True)
LISTS = {"hidden": WIDTH_BOUNDS, "dropout": DROPOUT_BOUNDS}
OPTIONAL = {"train_size": TRAIN_SIZE_BOUNDS, "activation_parameter": Bounds(-10, 10)}  # an activation has narrower ones
SWITCHES = ("nesterov", "divide_by_batch")
_AT_MOST = Message("must be at most {most} characters", most=MAX_TEXT_LENGTH)


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One experiment. The defaults are d2l's own MLP on Fashion-MNIST (section 5.2).

    Args:
        hidden: widths of the hidden layers; () is softmax regression.
        activation: a name in `mlp_core.activations.ACTIVATIONS`, or "=" and an expression in x.
        activation_parameter: the activation's own parameter (slope, alpha, beta); None takes its default.
        init: a name in `mlp_core.initializers.INITIALIZERS`.
        init_std: standard deviation of "normal".
        init_value: every weight of "constant" …
        init_noise: … give or take N(0, init_noise²).
        dropout: probability of dropping, one a hidden layer; () for none.
        optimizer: a name in `mlp_core.optimizers.OPTIMIZERS`.
        lr: learning rate.
        momentum: of "sgd" and "rmsprop".
        nesterov: look ahead along the momentum ("sgd" with momentum only).
        beta1, beta2: decay of Adam's two moving averages.
        rho: decay of RMSprop's moving average.
        eps: added to the denominator by adam, adamw, rmsprop and adagrad.
        divide_by_batch: divide the averaged gradient by the batch size again, as the sgd of d2l's older edition did.
        weight_decay: lambda; adds lambda times the weight to its gradient (AdamW: decoupled from the gradient).
        l1: of the penalty l1 |w|; after each step a weight moves by lr · l1 towards 0, and stops there.
        batch_size: images a step; the last step of an epoch takes what is left.
        epochs: passes over the training images.
        seed: decides initial weights, order of the images and dropout masks.
        implementation: "concise" (nn.Sequential), "scratch" (bare tensors) or "by_hand" (these, and backpropagation written out).
        precision: of the matrix products of a training step: "float32", or "bfloat16" with 8 significant bits; weights, updates and
            tests are float32 either way.
        train_size: how many training images, from the first; None for all.
        device: "auto" takes CUDA, then MPS, then the processor.

    Raises:
        SpecError: naming the field, the rule and the value.
    """

    hidden: tuple[int, ...] = (256,)
    activation: str = "relu"
    activation_parameter: float | None = None
    init: str = "normal"
    init_std: float = 0.01
    init_value: float = 0.01
    init_noise: float = 0.0
    dropout: tuple[float, ...] = ()
    optimizer: str = "sgd"
    lr: float = 0.1
    momentum: float = 0.0
    nesterov: bool = False
    beta1: float = 0.9
    beta2: float = 0.999
    rho: float = 0.99
    eps: float = 1e-8
    divide_by_batch: bool = False
    weight_decay: float = 0.0
    l1: float = 0.0
    batch_size: int = 256
    epochs: int = 10
    seed: int = 0
    implementation: str = "concise"
    precision: str = "float32"
    train_size: int | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        def settle(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        for name, bounds in LISTS.items():
            settle(name, check_numbers(name, getattr(self, name), bounds, MAX_LAYERS))
        for name, bounds in BOUNDS.items():
            settle(name, bounds.check(name, getattr(self, name)))
        check_choice("implementation", self.implementation, IMPLEMENTATIONS)
        check_choice("precision", self.precision, PRECISIONS)
        check_choice("device", self.device, DEVICES)
        for name in SWITCHES:
            if not isinstance(getattr(self, name), bool):
                raise SpecError(name, Message("must be true or false"), getattr(self, name))
        if self.train_size is not None:
            settle("train_size", TRAIN_SIZE_BOUNDS.check("train_size", self.train_size))
        if self.dropout and len(self.dropout) != len(self.hidden):
            rule = Message("must have one probability a hidden layer ({layers})", layers=len(self.hidden))
            raise SpecError("dropout", rule, self.dropout)
        settle("activation_parameter", _checked_entries(self))
        check_step(self.batch_size, self.sizes)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Width of every layer from input to output, for Fashion-MNIST."""
        return (INPUTS, *self.hidden, OUTPUTS)

    @property
    def expression(self) -> str | None:
        """The visitor's own activation, or None for one of the registry."""
        return self.activation[len(EXPRESSION_PREFIX) :] if self.activation.startswith(EXPRESSION_PREFIX) else None

    def differences(self, other: RunSpec) -> dict[str, tuple[Any, Any]]:
        """Field -> (mine, theirs) for every field in which the two differ."""
        mine, theirs = asdict(self), asdict(other)
        return {name: (mine[name], theirs[name]) for name in mine if mine[name] != theirs[name]}

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> RunSpec:
        """Read what `to_json` wrote; absent fields take their defaults.

        Raises:
            SpecError: not a JSON object, longer than `MAX_TEXT_LENGTH`, an unknown field, or a field that breaks its rule.
        """
        if len(text) > MAX_TEXT_LENGTH:
            raise SpecError("spec", _AT_MOST, counted(len(text), "{n} character", "{n} characters"))
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise SpecError("spec", Message("must be a JSON object"), text) from error
        if not isinstance(data, dict):
            raise SpecError("spec", Message("must be a JSON object"), data)
        known = {field.name for field in fields(cls)}
        for name in data:
            if name not in known:
                raise SpecError(str(name)[:60], Message("is not a field of an experiment"), data[name])
        for name in LISTS:
            if isinstance(data.get(name), list):
                data[name] = tuple(data[name])
        return cls(**data)

    def to_query(self) -> dict[str, str]:
        """Field -> text for every field that is not at its default: the query part of a link to this experiment."""
        return query_of({field.name: value for field in fields(self) if (value := getattr(self, field.name)) != field.default})

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> tuple[RunSpec, tuple[SpecError, ...]]:
        """Read a link. A field that breaks a rule keeps its default and is reported; the other fields still count.

        Parameters of the link that are no field of an experiment are left to whoever they belong to.
        """
        spec, errors = cls(), []
        names = [field.name for field in fields(cls)]  # in order: a field that leans on another comes after it
        for name in sorted(names, key=lambda name: name != "batch_size"):  # but a large network leans on a small batch
            if name not in query:
                continue
            try:
                spec = replace(spec, **{name: read_field(name, query[name])})
            except SpecError as error:
                errors.append(error)
        return spec, tuple(errors)


def query_of(settings: Mapping[str, Any]) -> dict[str, str]:
    """Fields of an experiment as the query part of a link, which `RunSpec.from_query` reads."""
    return {name: _to_text(value) for name, value in settings.items()}


def weight_count(sizes: tuple[int, ...]) -> int:
    """Weights and biases of an MLP with these layer widths: sum of (n_in + 1) * n_out."""
    return sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))


def step_flops(sizes: tuple[int, ...], batch_size: int, operations: int = 0) -> int:
    """Floating-point operations of one training step: 2 a weight and image forward, 4 backward.

    Args:
        operations: of a visitor's own activation on every hidden unit; each counts as `OPERATION_FLOPS`.
    """
    return (6 * weight_count(sizes) + OPERATION_FLOPS * operations * sum(sizes[1:-1])) * batch_size


def largest_batch(sizes: tuple[int, ...], networks: int = 1, operations: int = 0) -> int:
    """How many images a step of so many networks may take within `MAX_STEP_FLOPS`; the largest network of all takes 19."""
    return MAX_STEP_FLOPS // (networks * step_flops(sizes, 1, operations))


def most_operations(elements: int) -> int:
    """How many operations an expression may have on so many elements, in the time of a step of `MAX_STEP_FLOPS`."""
    return MAX_STEP_FLOPS // (OPERATION_FLOPS * elements)


def check_step(batch_size: int, sizes: tuple[int, ...], networks: int = 1, operations: int = 0) -> None:
    """Refuse a step that would take so many networks of these widths more than `MAX_STEP_FLOPS`.

    Raises:
        SpecError: naming the largest batch that fits.
    """
    most = largest_batch(sizes, networks, operations)
    if batch_size > most:
        parameters, units = count(weight_count(sizes)), count(sum(sizes[1:-1]))
        rule = counted(
            networks,
            "must be at most {most} for a network of {parameters} parameters, so that one step stays near a second",
            "must be at most {most} for {n} networks of {parameters} parameters, so that one step stays near a second",
            most=most, parameters=parameters,
        ) if not operations else counted(
            networks,
            "must be at most {most} for a network of {parameters} parameters whose activation takes {operations} operations on each of "
            "{units} units, so that one step stays near a second",
            "must be at most {most} for {n} networks of {parameters} parameters whose activation takes {operations} operations on each of "
            "{units} units, so that one step stays near a second",
            most=most, parameters=parameters, operations=operations, units=units,
        )  # fmt: skip
        raise SpecError("batch_size", rule, batch_size)


def _checked_entries(spec: RunSpec) -> float | None:
    """Check all that is said by the registries; return the activation's parameter, None where that is the default or there is none."""
    # Imported here and not above: the entries hold functions of torch, which whoever only shows links need not load.
    from mlp_core.activations import ACTIVATIONS, trainable_activations  # noqa: PLC0415
    from mlp_core.initializers import INITIALIZERS  # noqa: PLC0415
    from mlp_core.optimizers import OPTIMIZERS  # noqa: PLC0415

    check_choice("init", spec.init, tuple(INITIALIZERS))
    check_choice("optimizer", spec.optimizer, tuple(OPTIMIZERS))
    settings = OPTIMIZERS[spec.optimizer].settings
    if spec.nesterov and ("nesterov" not in settings or spec.momentum == 0.0):
        raise SpecError("nesterov", Message("needs sgd with momentum above 0"), spec.nesterov)
    if spec.divide_by_batch and "divide_by_batch" not in settings:
        raise SpecError("divide_by_batch", Message("belongs to sgd alone"), spec.divide_by_batch)

    activation, value = spec.activation, spec.activation_parameter
    if not isinstance(activation, str):
        raise SpecError("activation", Message("must be a name or '=' and an expression in x"), activation)
    entry = ACTIVATIONS.get(activation)
    if activation.startswith(EXPRESSION_PREFIX):
        if not 1 < len(activation) <= MAX_EXPRESSION_LENGTH + 1:
            rule = Message("must be '=' and an expression of 1 to {most} characters", most=MAX_EXPRESSION_LENGTH)
            raise SpecError("activation", rule, activation)
    elif entry is None:
        check_choice("activation", activation, trainable_activations())
    elif not entry.trainable:
        rule = Message("must have a gradient to train with (that of {activation} is 0 everywhere)", activation=activation)
        raise SpecError("activation", rule, activation)
    if value is None:
        return None
    if entry is None or entry.parameter is None:
        rule = Message("must be absent, since {activation} has no parameter", activation=shown(activation))
        raise SpecError("activation_parameter", rule, value)
    checked = entry.parameter.bounds.check("activation_parameter", value)
    return None if checked == entry.parameter.default else checked


def _to_text(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(_to_text(item) for item in value) or "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "default"
    return value if isinstance(value, str) else repr(value)


def read_field(field: str, text: str) -> Any:
    if len(text) > MAX_TEXT_LENGTH:
        raise SpecError(field, _AT_MOST, text)
    if field in LISTS:
        return () if text == "none" else tuple(LISTS[field].read(field, part) for part in text.split(","))
    if field in SWITCHES:
        return {"true": True, "false": False}.get(text, text)
    if field in OPTIONAL and text == "default":
        return None
    numbers = BOUNDS | OPTIONAL
    return numbers[field].read(field, text) if field in numbers else text


@dataclass(frozen=True, slots=True)
class Preset:
    """An experiment worth starting from, with a name, the settings that are not d2l's, and the lesson it teaches, in a sentence."""

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
