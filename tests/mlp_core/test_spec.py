"""A `RunSpec` that exists is valid, travels without loss as JSON and as a link, and refuses the rest by field, rule and value."""

from __future__ import annotations

import math
import pickle
from dataclasses import FrozenInstanceError, asdict, fields, replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core import spec as spec_module
from mlp_core.activations import ACTIVATIONS, trainable_activations
from mlp_core.initializers import INITIALIZERS
from mlp_core.optimizers import OPTIMIZERS
from mlp_core.spec import (
    BOUNDS,
    DEVICES,
    IMPLEMENTATIONS,
    MAX_EXPRESSION_LENGTH,
    MAX_LAYERS,
    MAX_STEP_FLOPS,
    MAX_WIDTH,
    PRECISIONS,
    Bounds,
    RunSpec,
    SpecError,
    step_flops,
    weight_count,
)

FIELDS = tuple(field.name for field in fields(RunSpec))


@st.composite
def specs(draw: st.DrawFn) -> RunSpec:
    """Any valid experiment, from the smallest to one at the limit of what a step may cost."""
    hidden = draw(st.lists(st.integers(1, MAX_WIDTH), max_size=12) | st.lists(st.integers(1, 8), max_size=MAX_LAYERS))
    optimizer = draw(st.sampled_from(list(OPTIMIZERS)))
    activation = draw(st.sampled_from(trainable_activations()) | st.text(min_size=1, max_size=MAX_EXPRESSION_LENGTH).map("=".__add__))
    parameter = None
    if activation in ACTIVATIONS and (shaped := ACTIVATIONS[activation].parameter) is not None:
        parameter = draw(st.none() | st.floats(shaped.bounds.low, shaped.bounds.high))
    values: dict[str, Any] = {
        name: draw(st.integers(int(bounds.low), int(bounds.high)) if bounds.whole else st.floats(bounds.low, bounds.high))
        for name, bounds in BOUNDS.items()
    }
    most = MAX_STEP_FLOPS // step_flops((784, *hidden, 10), 1)
    values["batch_size"] = min(values["batch_size"], most)
    return RunSpec(
        **values,
        hidden=tuple(hidden),
        activation=activation,
        activation_parameter=parameter,
        dropout=tuple(draw(st.lists(st.floats(0, 1), min_size=len(hidden), max_size=len(hidden)))) if draw(st.booleans()) else (),
        init=draw(st.sampled_from(list(INITIALIZERS))),
        optimizer=optimizer,
        nesterov=optimizer == "sgd" and values["momentum"] > 0 and draw(st.booleans()),
        divide_by_batch=optimizer == "sgd" and draw(st.booleans()),
        implementation=draw(st.sampled_from(IMPLEMENTATIONS)),
        precision=draw(st.sampled_from(PRECISIONS)),
        train_size=draw(st.none() | st.integers(1, spec_module.MAX_TRAIN_SIZE)),
        device=draw(st.sampled_from(DEVICES)),
    )


ANY = settings(max_examples=150, deadline=None, derandomize=True)


@ANY
@given(spec=specs())
def test_json_brings_back_the_same_experiment(spec: RunSpec) -> None:
    again = RunSpec.from_json(spec.to_json())
    assert again == spec
    assert hash(again) == hash(spec)
    assert spec.differences(again) == {}
    assert {name: type(value) for name, value in asdict(again).items()} == {name: type(value) for name, value in asdict(spec).items()}


@ANY
@given(spec=specs())
def test_a_link_brings_back_the_same_experiment(spec: RunSpec) -> None:
    assert RunSpec.from_query(spec.to_query()) == (spec, ())


@ANY
@given(spec=specs())
def test_a_link_names_only_what_differs_from_the_book(spec: RunSpec) -> None:
    assert set(spec.to_query()) == set(spec.differences(RunSpec()))


def test_the_defaults_are_the_books() -> None:
    spec = RunSpec()
    assert (spec.hidden, spec.activation, spec.init, spec.init_std) == ((256,), "relu", "normal", 0.01)
    assert (spec.optimizer, spec.lr, spec.batch_size, spec.epochs, spec.momentum, spec.weight_decay) == ("sgd", 0.1, 256, 10, 0.0, 0.0)
    assert spec.sizes == (784, 256, 10)
    assert weight_count(spec.sizes) == 203_530
    assert spec.to_query() == {}
    assert RunSpec.from_json("{}") == spec


def test_a_spec_is_a_value() -> None:
    spec = RunSpec(hidden=[128, 64], dropout=[0, 1], lr=1, epochs=3.0)  # type: ignore[arg-type]
    assert spec == RunSpec(hidden=(128, 64), dropout=(0.0, 1.0), lr=1.0, epochs=3)
    assert (type(spec.lr), type(spec.epochs), type(spec.dropout[0]), type(spec.hidden)) == (float, int, float, tuple)
    assert len({spec, pickle.loads(pickle.dumps(spec)), replace(spec, seed=1)}) == 2
    with pytest.raises(FrozenInstanceError):
        spec.lr = 2.0  # type: ignore[misc]


def test_a_parameter_at_its_default_is_no_difference() -> None:
    assert RunSpec(activation="prelu", activation_parameter=0.25) == RunSpec(activation="prelu")
    assert RunSpec(activation="prelu", activation_parameter=0.1) != RunSpec(activation="prelu")


def test_differences_name_both_values() -> None:
    assert RunSpec(lr=0.5).differences(RunSpec(hidden=())) == {"lr": (0.5, 0.1), "hidden": ((256,), ())}


def test_an_expression_is_known_by_its_sign() -> None:
    assert RunSpec(activation="=x*x").expression == "x*x"
    assert RunSpec().expression is None


@pytest.mark.parametrize("name", BOUNDS)
def test_a_bound_is_the_last_value_taken(name: str) -> None:
    bounds = BOUNDS[name]
    for value in (bounds.low, bounds.high):
        fields_given: dict[str, Any] = {name: value}
        assert getattr(RunSpec(**fields_given), name) == value
    outside = (
        (bounds.low - 1, bounds.high + 1)
        if bounds.whole
        else (math.nextafter(bounds.low, -math.inf), math.nextafter(bounds.high, math.inf))
    )
    for value in outside:
        fields_given = {name: value}
        with pytest.raises(SpecError) as caught:
            RunSpec(**fields_given)
        assert (caught.value.field, caught.value.rule, caught.value.value) == (name, bounds.rule, value)


HOSTILE: tuple[Any, ...] = (
    math.nan, math.inf, -math.inf, 10**400, -(10**400), 10**5000, "1", "", None, True, [], [1], {}, {"a": 1}, (), b"1", 1j, object(),
    "x" * 1_000_000,
)  # fmt: skip


NUMBERS: tuple[Any, ...] = ([], (), [1])
TAKEN: dict[str, tuple[Any, ...]] = {
    "hidden": NUMBERS,
    "dropout": NUMBERS,
    "activation_parameter": (None,),
    "train_size": (None,),
    "divide_by_batch": (True,),
}


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_value_is_refused_by_its_field_in_a_short_sentence(name: str, value: Any) -> None:
    if value in TAKEN.get(name, ()):
        RunSpec(**{name: value})
        return
    with pytest.raises(SpecError) as caught:
        RunSpec(**{name: value})
    assert caught.value.field == name
    assert caught.value.value is value
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("given_fields", "field", "rule"),
    [
        ({"hidden": (0,)}, "hidden", "from 1 to 2048"),
        ({"hidden": (2049,)}, "hidden", "from 1 to 2048"),
        ({"hidden": (2.5,)}, "hidden", "whole number"),
        ({"hidden": (True,)}, "hidden", "whole number"),
        ({"hidden": (1,) * 101}, "hidden", "at most 100 entries"),
        ({"dropout": (0.5, 0.5)}, "dropout", "one probability a hidden layer (1)"),
        ({"dropout": (1.5,)}, "dropout", "from 0 to 1"),
        ({"activation": "step"}, "activation", "must have a gradient"),
        ({"activation": "softmax"}, "activation", "must be one of identity, relu"),
        ({"activation": "="}, "activation", "1 to 200 characters"),
        ({"activation": "=" + "x" * 201}, "activation", "1 to 200 characters"),
        ({"activation_parameter": 0.1}, "activation_parameter", "since 'relu' has no parameter"),
        ({"activation": "=x", "activation_parameter": 0.1}, "activation_parameter", "has no parameter"),
        ({"activation": "elu", "activation_parameter": 5.1}, "activation_parameter", "from 0 to 5"),
        ({"nesterov": True}, "nesterov", "sgd with momentum above 0"),
        ({"nesterov": True, "momentum": 0.9, "optimizer": "rmsprop"}, "nesterov", "sgd with momentum above 0"),
        ({"divide_by_batch": True, "optimizer": "adam"}, "divide_by_batch", "sgd alone"),
        ({"epochs": 1.5}, "epochs", "whole number"),
        ({"train_size": 60_001}, "train_size", "from 1 to 60000"),
        ({"seed": 2**31}, "seed", "from 0 to 2147483647"),
        ({"precision": "float16"}, "precision", "must be one of float32, bfloat16"),
        ({"device": "tpu"}, "device", "must be one of auto, cpu, cuda, mps"),
    ],
)
def test_a_refusal_names_field_rule_and_value(given_fields: dict[str, Any], field: str, rule: str) -> None:
    with pytest.raises(SpecError) as caught:
        RunSpec(**given_fields)
    assert caught.value.field == field
    assert rule in caught.value.rule
    assert str(caught.value).startswith(f"{field}: {caught.value.rule}, got ")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.field, again.rule, again.value, str(again)) == (field, caught.value.rule, caught.value.value, str(caught.value))


def test_a_step_that_would_take_too_long_is_refused_with_the_batch_that_fits() -> None:
    wide = (MAX_WIDTH,) * 8
    assert RunSpec(hidden=wide).batch_size == 256  # the book's batch just fits
    with pytest.raises(SpecError, match=r"batch_size: must be at most (\d+) for a network of 31,\d+,\d+ parameters") as caught:
        RunSpec(hidden=wide, batch_size=512)
    most = int(caught.value.rule.split()[4])
    assert RunSpec(hidden=wide, batch_size=most).batch_size == most
    with pytest.raises(SpecError):
        RunSpec(hidden=wide, batch_size=most + 1)


def test_a_link_to_a_large_network_with_a_small_batch_is_read() -> None:
    spec = RunSpec(hidden=(MAX_WIDTH,) * 12, batch_size=32)
    assert RunSpec.from_query(spec.to_query()) == (spec, ())


def test_the_largest_network_of_all_still_takes_a_batch() -> None:
    assert RunSpec(hidden=(MAX_WIDTH,) * MAX_LAYERS, batch_size=19).batch_size == 19


@pytest.mark.parametrize("sizes", [(784, 10), (784, 256, 10), (2, 3, 4, 5)])
def test_weights_are_counted_one_by_one(sizes: tuple[int, ...]) -> None:
    total = sum(1 for n_in, n_out in pairwise(sizes) for _ in range(n_out) for _ in range(n_in + 1))
    assert weight_count(sizes) == total
    assert step_flops(sizes, 7) == 42 * total


def test_a_link_reads_as_it_is_written() -> None:
    spec = RunSpec(hidden=(), activation="=x*sigmoid(x)", lr=0.5, momentum=0.9, nesterov=True, train_size=1000)
    query = {"hidden": "none", "activation": "=x*sigmoid(x)", "lr": "0.5", "momentum": "0.9", "nesterov": "true", "train_size": "1000"}
    assert spec.to_query() == query
    assert RunSpec.from_query(query) == (spec, ())
    assert RunSpec.from_query({"hidden": "512,256", "dropout": "0.2,0.5"})[0] == RunSpec(hidden=(512, 256), dropout=(0.2, 0.5))


@ANY
@given(value=st.floats(allow_nan=True) | st.integers(), low=st.integers(-5, 5), width=st.integers(0, 5), whole=st.booleans())
def test_bounds_take_exactly_the_numbers_of_their_interval(value: float, low: int, width: int, whole: bool) -> None:
    bounds = Bounds(low, low + width, whole)
    inside = not math.isnan(value) and low <= value <= low + width and (not whole or value == round(value))
    if inside:
        assert bounds.check("field", value) == value
        assert type(bounds.check("field", value)) is (int if whole else float)
    else:
        with pytest.raises(SpecError, match="field: must be a"):
            bounds.check("field", value)
