"""What a sweep trains: its axes and cells, its rounds and budget, and the tasks that it is parted into."""

from __future__ import annotations

import itertools
import json
import math
import pickle
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlp_core.network import count
from mlp_core.spec import MAX_SEED, MAX_STEP_FLOPS, RunSpec, step_flops
from mlp_core.sweep.plan import FIELDS, MOST_BYTES_TOGETHER, MOST_TOGETHER, NAMED, Axis, Plan, PlanError, most_bytes, most_together, tasks
from mlp_core.training.replicates import OWN, Together
from mlp_core.words import Message
from tests.support.engine import clouds

Made = TypeVar("Made")


def axes(*texts: str) -> tuple[Axis, ...]:
    return tuple(map(Axis.parse, texts))


HUNDRED = Axis("lr", tuple(range(1, 101)))
LARGE = {
    "as many as may be": (HUNDRED, Axis("init_std", tuple(n / 100 for n in range(1, 101)))),
    "one cell too many": (HUNDRED, Axis("init_std", tuple(n / 100 for n in range(1, 102)))),
}


def made(read: Callable[[str], Made], text: str) -> Made | PlanError:
    """What the text is read as, or why it is refused."""
    try:
        return read(text)
    except PlanError as error:
        return error


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("lr=0.01,0.1,1", (0.01, 0.1, 1.0)),
        ("hidden=64;256;256,256", ((64,), (256,), (256, 256))),
        ("hidden=none;64", ((), (64,))),
        ("hidden=256,128", ((256, 128),)),
        ("dropout=none;0.2,0.5", ((), (0.2, 0.5))),
        ("activation=relu, tanh", ("relu", "tanh")),
        ("activation=relu;=max(x, 0.1*x)", ("relu", "=max(x, 0.1*x)")),
        ("nesterov=true,false", (True, False)),
        ("train_size=default,1000", (None, 1000)),
        (" batch_size = 16 , 64 ", (16, 64)),
    ],
)
def test_an_axis_is_read_as_it_is_written(text: str, values: tuple[Any, ...]) -> None:
    axis = Axis.parse(text)
    assert (axis.field, axis.values) == (text.partition("=")[0].strip(), values)
    assert [type(value) for value in axis.values] == [type(value) for value in values]
    assert Axis.parse(axis.text) == axis


@pytest.mark.parametrize(
    ("text", "field", "rule", "value"),
    [
        ("lr", "axis", "field=value,value", "lr"),
        ("lr=fast", "lr", "must be a number from", "fast"),
        ("lr=0.1,-1", "lr", "must be a number from", -1.0),
        ("lr=0.1,0.10", "lr", "twice", 0.1),
        ("lr=1..0.1", "lr", "from a smaller to a larger", (1.0, 0.1)),
        ("weight_decay=0..1", "weight_decay", "above 0", (0.0, 1.0)),
        ("optimizer=sgd..adam", "optimizer", "must be one of", "sgd..adam"),
        ("batch_size=1.5..3", "batch_size", "must be a whole number", "1.5"),
        ("seed=1,2", "seed", "number of seeds", "1,2"),
        ("learning_rate=1", "learning_rate", "not a field", "1"),
        ("activation=relu;=x^", "activation", "expression in x", "=x^"),
        ("activation=rleu", "activation", "must be one of", "rleu"),
        ("nesterov=yes", "nesterov", "true or false", "yes"),
        ("lr=" + ",".join(f"{n}e-3" for n in range(1, 1002)), "lr", "1 to 1,000 values", None),
        ("lr=" + "1" * 10_000, "lr", "must be a number", "1" * 10_000),
        ("lr=" + "1," * 1000, "lr", "must have 1 to 1,000 values", None),
    ],
)
def test_a_bad_axis_is_named(text: str, field: str, rule: str, value: object) -> None:
    with pytest.raises(PlanError) as raised:
        Axis.parse(text)
    (problem,) = raised.value.problems
    assert problem.field == field
    assert rule in problem.rule
    assert isinstance(problem.rule, Message)
    assert value is None or problem.value == value
    assert str(raised.value).startswith(f"{field}: ")


def test_every_bad_value_of_an_axis_is_named_at_once() -> None:
    for text, values in {
        "lr=fast,0.1,0,0.10,nan,٠.١,0.1，0.2": ["fast", 0.0, 0.1, "nan", "٠.١", "0.1，0.2"],
        "hidden=16;0;x;16；32": [0, "x", "16；32"],
        "activation=relu,rleu,tahn": ["rleu", "tahn"],
        "lr=slow..inf": ["slow", math.inf],
    }.items():
        with pytest.raises(PlanError) as raised:
            Axis.parse(text)
        assert [problem.value if problem.value == problem.value else "nan" for problem in raised.value.problems] == values
        assert {problem.field for problem in raised.value.problems} == {text.partition("=")[0]}
    with pytest.raises(PlanError) as raised:
        Axis("lr", (0.1, -1.0, 0.1, "fast"))
    assert [problem.value for problem in raised.value.problems] == [-1.0, 0.1, "fast"]


numbers = st.floats(allow_nan=True).map(repr) | st.integers(-3, 3000).map(str) | st.decimals(0, 1, places=3).map(str)
written = st.lists(numbers | st.sampled_from(["relu", "=x*sigmoid(x)", "none", "default", "sgd", "true", "256,64", ""]), max_size=4)
likely = st.builds(
    lambda name, equals, parts, separator: name + equals + separator.join(parts),
    st.sampled_from((*FIELDS, "seed", "lr ")),
    st.sampled_from(["=", "==", "", " = "]),
    written,
    st.sampled_from([",", ";", "..", " , "]),
)


@given(st.text(max_size=60) | likely)
@example("=1")
def test_any_text_is_an_axis_that_reads_back_or_is_refused_with_its_field(text: str) -> None:
    axis = made(Axis.parse, text)
    if isinstance(axis, PlanError):
        assert all(problem.field and isinstance(problem.rule, Message) for problem in axis.problems)
        assert axis.problems
        assert isinstance(axis.args[0], Message)
    else:
        assert Axis.parse(axis.text) == axis
        assert axis.field in FIELDS


def test_a_grid_has_every_combination_once() -> None:
    plan = Plan(axes=axes("lr=0.01,0.1,1", "hidden=64;256;256,256"), seeds=2)
    wanted = list(itertools.product((0.01, 0.1, 1.0), ((64,), (256,), (256, 256))))
    assert [(cell.spec.lr, cell.spec.hidden) for cell in plan.cells] == wanted
    assert [cell.index for cell in plan.cells] == list(range(9))
    assert all(cell.spec == replace(RunSpec(), **cell.values) for cell in plan.cells)
    assert plan.cells[5].name == "lr 0.1, hidden 256,256"
    assert [spec.seed for spec in plan.cells[0].specs(3)] == [0, 1, 2]


def test_without_axes_a_sweep_is_one_design_over_its_seeds() -> None:
    (cell,) = Plan(RunSpec(seed=4), seeds=5).cells
    assert [spec.seed for spec in cell.specs(5)] == [4, 5, 6, 7, 8]


def test_every_bad_cell_is_named() -> None:
    with pytest.raises(PlanError) as raised:
        Plan(axes=axes("optimizer=sgd,adam", "nesterov=true,false", "momentum=0,0.9"))
    problems = raised.value.problems
    assert [problem.field for problem in problems] == [
        "optimizer sgd, nesterov true, momentum 0.0: nesterov",
        "optimizer adam, nesterov true, momentum 0.0: nesterov",
        "optimizer adam, nesterov true, momentum 0.9: nesterov",
    ]
    assert all("needs sgd with momentum" in problem.rule and problem.value is True for problem in problems)
    assert all(problem.field in str(raised.value) for problem in problems)
    assert repr(pickle.loads(pickle.dumps(raised.value)).problems) == repr(problems)


def test_of_very_many_bad_cells_the_first_are_said() -> None:
    with pytest.raises(PlanError, match=r"80 more are wrong") as raised:
        Plan(RunSpec(hidden=()), axes=axes("lr=" + ",".join(f"{n}e-3" for n in range(1, 101)), "dropout=0.5"))
    assert len(raised.value.problems) == NAMED + 80


@pytest.mark.parametrize(
    ("changed", "field", "rule"),
    [
        ({"axes": axes("lr=0.1,1", "lr=0.2")}, "lr", "varied twice"),
        ({"axes": axes("lr=0.1..1")}, "lr", "values in a grid"),
        ({"axes": axes("epochs=1,2"), "method": "halving"}, "epochs", "halving chooses"),
        ({"method": "bayes"}, "method", "must be one of grid, random, halving"),
        ({"seeds": 0}, "seeds", "whole number from 1"),
        ({"seeds": 1.5}, "seeds", "whole number from 1"),
        ({"samples": 10**6}, "samples", "whole number from 1"),
        ({"eta": 1}, "eta", "whole number from 2"),
        ({"together": 65}, "together", "whole number from 1"),
        ({"draw_seed": -1}, "draw_seed", "whole number from 0"),
        ({"base": RunSpec(seed=MAX_SEED), "seeds": 2}, "seed", "to be the first of 2"),
        ({"axes": axes("lr=0.1,1"), "method": "random", "samples": 3}, "samples", "at most 2"),
        ({"axes": axes("batch_size=8..11", "lr=0.1,1"), "method": "random", "samples": 9}, "samples", "at most 8"),
        ({"axes": axes("lr=0.1..0.1001"), "method": "random", "samples": 3}, "samples", "at most 2"),  # of four digits
        ({"axes": LARGE["one cell too many"]}, "axes", "10,000 cells"),
        ({"axes": LARGE["as many as may be"], "seeds": 10}, "seeds", "50,000"),
        ({"axes": axes("activation_parameter=default,0.25"), "base": RunSpec(activation="prelu")}, "activation_parameter 0.25", "differ"),
        ({"base": RunSpec(hidden=(2048,) * 6, batch_size=256, activation="=" + "+".join(["exp(x)"] * 20))}, "batch_size", "at most"),
    ],
)  # fmt: skip
def test_a_plan_that_cannot_be_carried_out_is_refused(changed: dict[str, Any], field: str, rule: str) -> None:
    with pytest.raises(PlanError) as raised:
        Plan(**changed)
    problem = raised.value.problems[-1]
    assert field in f"{problem.field} {problem.value}"
    assert rule in problem.rule


def test_what_is_drawn_of_a_logarithmic_field_has_the_quantiles_of_log_uniform() -> None:
    plan = Plan(axes=axes("lr=0.001..1", "momentum=0..0.9"), method="random", samples=4000)
    lr = np.sort([cell.spec.lr for cell in plan.cells])
    momentum = np.sort([cell.spec.momentum for cell in plan.cells])
    shares = (np.arange(4000) + 0.5) / 4000
    most = 1.95 / math.sqrt(4000)  # Kolmogorov-Smirnov: exceeded by one draw in a thousand
    assert np.abs(np.log10(lr) / 3 + 1 - shares).max() < most
    assert np.abs(momentum / 0.9 - shares).max() < most
    assert np.abs(np.corrcoef([cell.spec.lr for cell in plan.cells], [cell.spec.momentum for cell in plan.cells])[0, 1]) < 0.06


def test_whole_numbers_are_drawn_whole_and_each_as_often_as_its_width_on_a_logarithmic_axis() -> None:
    axis = Axis.parse("hidden=1..8")
    drawn = Counter(axis.drawn(share) for share in np.linspace(0, 1, 20_000, endpoint=False))
    assert sorted(drawn) == [(n,) for n in range(1, 9)]
    for n in range(1, 9):
        assert drawn[(n,)] / 20_000 == pytest.approx(math.log((n + 1) / n) / math.log(9), abs=1e-3)
    assert all(type(Axis.parse("batch_size=16..512").drawn(share)) is int for share in (0.0, 0.3, 0.999999))
    assert {Axis.parse("lr=0.1..0.2").drawn(share) for share in (0.0, 1 - 2**-53)} == {0.1, 0.2}


def test_cells_that_are_drawn_differ_repeat_and_grow() -> None:
    few, many, other = (
        Plan(axes=axes("lr=0.001..1", "hidden=64;128"), method="random", samples=samples, draw_seed=seed)
        for samples, seed in ((20, 0), (40, 0), (20, 1))
    )
    assert few.cells == many.cells[:20]
    assert len({cell.spec for cell in many.cells}) == 40
    assert few.cells != other.cells
    all_of_them = Plan(axes=axes("batch_size=8..27"), method="random", samples=20)
    assert sorted(cell.spec.batch_size for cell in all_of_them.cells) == list(range(8, 28))


@pytest.mark.parametrize(
    ("cells", "epochs", "eta", "rounds"),
    [
        (81, 81, 3, [(1, 81), (3, 27), (9, 9), (27, 3), (81, 1)]),  # the example of Li et al. (2018), Hyperband, table 1, s = 4
        (20, 9, 3, [(1, 20), (3, 6), (9, 2)]),
        (9, 10, 3, [(1, 9), (3, 3), (10, 1)]),
        (2, 100, 3, [(100, 2)]),
        (50, 1, 3, [(1, 50)]),
        (16, 8, 2, [(1, 16), (2, 8), (4, 4), (8, 2)]),
    ],
)
def test_successive_halving_has_its_rounds_and_its_budget(cells: int, epochs: int, eta: int, rounds: list[tuple[int, int]]) -> None:
    plan = Plan(RunSpec(epochs=epochs), axes("lr=0.001..1"), "halving", seeds=2, samples=cells, eta=eta)
    assert [(rung.epochs, rung.cells) for rung in plan.rungs] == rounds
    assert plan.images(1000) == 2 * 1000 * sum(length * many for length, many in rounds)
    assert plan.runs == 2 * sum(many for _length, many in rounds)
    for index, (length, many) in enumerate(rounds):
        chosen = tasks(plan, index, range(many))
        assert sum(len(task.specs) for task in chosen) == 2 * many
        assert {spec.epochs for task in chosen for spec in task.specs} == {length}


def test_halving_over_values_begins_with_the_whole_grid() -> None:
    grid = axes("lr=0.01,0.1,1", "hidden=64;256")
    assert Plan(axes=grid, method="halving", samples=4).cells == Plan(axes=grid).cells


def test_the_budget_counts_the_images_of_every_run() -> None:
    plan = Plan(RunSpec(), axes("epochs=1,3", "train_size=default,100"), seeds=4)
    assert plan.images(1000) == 4 * (1000 + 100 + 3000 + 300)
    assert plan.images(50) == 4 * (50 + 50 + 150 + 150)


json_values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.lists(st.text(max_size=9), max_size=2)


@given(
    st.dictionaries(st.sampled_from(["base", "axes", "method", "seeds", "samples", "eta", "draw_seed", "else"]), json_values, max_size=4)
)
def test_a_plan_of_any_json_is_one_or_is_refused(content: dict[str, Any]) -> None:
    plan = made(Plan.from_json, json.dumps(content))
    if isinstance(plan, PlanError):
        assert plan.problems
    else:
        assert Plan.from_json(plan.to_json()) == plan


def test_a_plan_with_as_many_long_values_as_there_may_be_reads_back() -> None:
    plan = Plan(axes=(Axis("lr", tuple(0.1 + number / 7e6 for number in range(1000))),))
    assert Plan.from_json(plan.to_json()) == plan


@pytest.mark.parametrize("method", ["grid", "random", "halving"])
def test_a_plan_reads_back_with_the_same_cells(method: str) -> None:
    varied = axes("lr=0.01,0.1,1", "activation=relu;=x*sigmoid(x)") if method == "grid" else axes("lr=0.001..1", "hidden=64;32")
    plan = Plan(RunSpec(epochs=9, seed=3), varied, method, seeds=3, samples=10)
    again = Plan.from_json(plan.to_json())
    assert again == plan
    assert again.cells == plan.cells
    assert again.rungs == plan.rungs


@given(
    st.lists(st.sampled_from([0.01, 0.03, 0.1, 0.3, 1.0]), min_size=1, max_size=5, unique=True),
    st.lists(st.sampled_from([(), (4,), (64,), (256, 256), (2048,)]), min_size=1, max_size=3, unique=True),
    st.sampled_from([1, 16, 256]),
    st.integers(1, 60),
    st.sets(st.integers(0, 14)),
    st.sampled_from([1, 5, 32, 64]),
)
def test_tasks_cover_every_run_once_within_all_bounds(
    lrs: list[float], hidden: list[tuple[int, ...]], batch_size: int, seeds: int, some: set[int], together: int
) -> None:
    plan = Plan(RunSpec(batch_size=batch_size), (Axis("lr", tuple(lrs)), Axis("hidden", tuple(hidden))), seeds=seeds, together=together)
    cells = sorted(cell for cell in some if cell < len(plan.cells))
    parts = tasks(plan, 0, reversed(cells))
    assert parts == tasks(plan, 0, cells)
    keys = [key for task in parts for key in task.keys]
    assert sorted(keys) == [(0, cell, seed) for cell in cells for seed in range(seeds)]
    for task in parts:
        first, many = task.specs[0], len(task.specs)
        assert all(spec == replace(plan.cells[cell].spec, seed=spec.seed) for cell, spec in zip(task.cells, task.specs, strict=True))
        assert many <= min(together, most_together(first, together))
        assert many == 1 or many * step_flops(first.sizes, batch_size) <= MAX_STEP_FLOPS
        assert many == 1 or many * count(first, first.sizes).training_bytes <= MOST_BYTES_TOGETHER
        assert all(set(spec.differences(first)) <= set(OWN) for spec in task.specs)
        by_seed = [seed for seed, _ in itertools.groupby(spec.seed for spec in task.specs)]
        assert len(by_seed) == len(set(by_seed))
        assert len(set(Counter(spec.seed for spec in task.specs).values())) == 1


@pytest.mark.parametrize(("hidden", "batch_size", "most"), [((64,), 256, MOST_TOGETHER), ((64,), 8, MOST_TOGETHER), ((1024,), 256, 1)])
def test_small_networks_are_trained_at_once_and_large_ones_alone(hidden: tuple[int, ...], batch_size: int, most: int) -> None:
    plan = Plan(RunSpec(hidden=hidden, batch_size=batch_size), axes("lr=0.01,0.02,0.05,0.1,0.2,0.3,0.5,1"), seeds=8)
    sizes = Counter(len(task.specs) for task in tasks(plan, 0, range(8)))
    assert sizes == {most: 64 // most}


@pytest.mark.parametrize("varied", ["optimizer=sgd,adam", "hidden=8;64"])
def test_no_task_of_any_round_holds_more_than_is_asked_for(varied: str) -> None:
    plan = Plan(RunSpec(epochs=9), axes("lr=0.01,0.02,0.05,0.1,0.2,0.3,0.4,0.5,0.6,0.7,1,2,3,4,5,6,7", varied), "halving", seeds=3)
    held = []
    for index, rung in enumerate(plan.rungs):
        for first in range(len(plan.cells) - rung.cells + 1):
            for task in tasks(plan, index, range(first, first + rung.cells)):
                held.append(sum(count(spec, spec.sizes).training_bytes for spec in task.specs))
    assert max(held) <= most_bytes(plan) < 2 * max(held)


def test_a_task_can_be_trained_at_once() -> None:
    plan = Plan(RunSpec(hidden=(4,), epochs=1, device="cpu"), axes("lr=0.01,0.1", "init_std=0.01,0.1"), seeds=3)
    (task,) = tasks(plan, 0, range(4))
    run = Together(task.specs, clouds())
    run.advance()
    assert [len(member.epochs) for member in run.members] == [1] * 12
