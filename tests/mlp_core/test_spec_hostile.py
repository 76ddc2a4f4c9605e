"""Whatever a file or a link says becomes an experiment, or a refusal in a short sentence that names the field."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core.spec import (
    RunSpec,
    SpecError,
)

FIELDS = tuple(field.name for field in fields(RunSpec))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=250, deadline=None, derandomize=True)
@given(data=st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), JSON_VALUES, max_size=4))
def test_any_json_object_is_an_experiment_or_a_refusal(data: dict[str, Any]) -> None:
    try:
        spec = RunSpec.from_json(json.dumps(data))
    except SpecError as error:
        message = str(error)
        assert len(message) < 400
    else:
        assert RunSpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "[]", "1", "NaN", '"relu"', "{", "{'lr': 1}", "[" * 5000, '{"a":' * 1500, "[" * 100_000, '{"lr":' * 100_000,
        '{"lr": NaN}', '{"lr": 1e400}', '{"lr": -Infinity}', '{"seed": 1e400}', '{"lr": "0.1"}', '{"lr": true}', '{"lr": null}',
        '{"seed": ' + "9" * 5000 + "}", '{"seed": ' + "9" * 1_000_000 + "}", '{"hidden": "256"}', '{"hidden": [[256]]}',
        '{"hidden": {"0": 256}}', '{"hidden": [1e3, NaN]}', '{"speed": 1}', '{"__class__": 1}', '{"' + "k" * 5000 + '": 1}',
        '{"activation": "' + "x" * 1_000_000 + '"}', '{"activation": "' + "x" * 5000 + '"}', '{"activation": "\\ud800"}',
    ],
    ids=range(31),
)  # fmt: skip
def test_hostile_json_is_refused_in_a_short_sentence(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        RunSpec.from_json(text)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("start", ["", '{"lr": '])
def test_nesting_is_refused_at_every_depth(start: str) -> None:
    """Somewhere near the recursion limit JSON can still be read but no longer shown."""
    for depth in range(1, 2000, 7):
        with pytest.raises(SpecError):
            RunSpec.from_json(start + "[" * depth + "]" * depth + "}" * bool(start))


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(SpecError) as caught:
        RunSpec.from_json('{"lr": 0.5, "speed": 3}')
    assert (caught.value.field, caught.value.rule, caught.value.value) == ("speed", "is not a field of an experiment", 3)


@settings(max_examples=250, deadline=None, derandomize=True)
@given(query=st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), st.text(max_size=30), max_size=6))
def test_any_link_leads_to_an_experiment(query: dict[str, str]) -> None:
    spec, errors = RunSpec.from_query(query)
    assert RunSpec.from_query(spec.to_query()) == (spec, ())
    assert all(len(str(error)) < 400 for error in errors)
    for name in set(FIELDS) - set(query):
        assert getattr(spec, name) == getattr(RunSpec(), name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("lr", "nan"), ("lr", "inf"), ("lr", "1e400"), ("lr", ""), ("lr", "٠.١"), ("lr", "1_0"), ("lr", "0.1,0.2"), ("lr", "1" * 100_000),
        ("seed", "１２"), ("seed", "²"), ("seed", "9" * 5000), ("seed", "9" * 30), ("seed", "1.0"), ("seed", "0x10"), ("seed", "None"),
        ("hidden", ""), ("hidden", "256,"), ("hidden", "256;128"), ("hidden", ",".join("1" * 101)),
        ("hidden", "1," * 1_000_000), ("hidden", "()"),
        ("dropout", "0.5,0.5"), ("dropout", "nan"), ("nesterov", "True"), ("nesterov", "1"), ("nesterov", ""), ("divide_by_batch", "yes"),
        ("train_size", "all"), ("train_size", "0"), ("activation_parameter", "x"), ("activation", "x" * 1_000_000), ("activation", "step"),
        ("optimizer", "SGD"), ("device", "cuda:0"), ("precision", "double"), ("implementation", "__import__"),
    ],
)  # fmt: skip
def test_a_broken_field_of_a_link_keeps_its_default_and_the_others_count(name: str, text: str) -> None:
    spec, errors = RunSpec.from_query({name: text, "epochs": "3", "utm_source": "elsewhere"})
    assert spec == RunSpec(epochs=3)
    assert [error.field for error in errors] == [name]
    assert len(str(errors[0])) < 400
