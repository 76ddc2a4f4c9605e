"""What a curve shows, against what is known of the curve."""

from __future__ import annotations

import math

import pytest

from mlp_core.activations import ACTIVATIONS, SELU_ALPHA, SELU_SCALE, evaluate
from mlp_core.expression import compile_expression
from mlp_core.labs.activations.facts import IDENTITIES, Gap, gaps, grid, measure, probe

GRID = grid(-8, 8, 0.1)


def test_the_grid_holds_the_numbers_a_person_would_write() -> None:
    assert GRID.tolist() == [float(f"{index / 10:.1f}") for index in range(-80, 81)]
    assert grid(-0.25, 0.3, 0.1).tolist() == [-0.2, -0.1, 0.0, 0.1, 0.2, 0.3]


@pytest.mark.parametrize(
    ("name", "steepest", "steepest_at", "flat", "kinks", "jumps"),
    [
        ("identity", 1.0, ((-8.0, 8.0),), (), (), ()),
        ("relu", 1.0, ((0.1, 8.0),), ((-8.0, 0.0),), (0.0,), ()),
        ("leaky_relu", 1.0, ((0.1, 8.0),), (), (0.0,), ()),
        ("sigmoid", 0.25, ((0.0, 0.0),), ((-8.0, -6.0), (6.0, 8.0)), (), ()),  # 4 σ'(6) = 0.0099
        ("tanh", 1.0, ((0.0, 0.0),), ((-8.0, -3.0), (3.0, 8.0)), (), ()),  # tanh'(3) = 0.0099
        ("elu", 1.0, ((0.0, 8.0),), ((-8.0, -4.7),), (), ()),  # exp(-4.7) = 0.0091
        ("selu", SELU_SCALE * SELU_ALPHA, ((0.0, 0.0),), ((-8.0, -4.7),), (0.0,), ()),
        ("softplus", 1 / (1 + math.exp(-8)), ((8.0, 8.0),), ((-8.0, -4.6),), (), ()),
        ("hard_tanh", 1.0, ((-0.9, 0.9),), ((-8.0, -1.0), (1.0, 8.0)), (-1.0, 1.0), ()),
        ("hard_sigmoid", 1 / 6, ((-2.9, 2.9),), ((-8.0, -3.0), (3.0, 8.0)), (-3.0, 3.0), ()),
        ("step", 0.0, ((-8.0, 8.0),), ((-8.0, 8.0),), (), (0.0,)),
    ],
)
def test_slopes_flat_ends_kinks_and_jumps(
    *,
    name: str,
    steepest: float,
    steepest_at: tuple[tuple[float, float], ...],
    flat: tuple[tuple[float, float], ...],
    kinks: tuple[float, ...],
    jumps: tuple[float, ...],
) -> None:
    facts = measure(ACTIVATIONS[name], evaluate(name, GRID))
    assert facts.steepest == pytest.approx(steepest, rel=1e-7)
    assert (facts.steepest_at, facts.flat, facts.kinks, facts.jumps) == (steepest_at, flat, kinks, jumps)


@pytest.mark.parametrize(
    ("text", "kinks", "jumps"),
    [
        ("abs(x - 2)", (2.0,), ()),
        ("1000*sin(x)", (), ()),  # bends hard, but smoothly
        ("softplus(10*x)/10", (), ()),
        ("floor(x/4)", (), (-8.0, -4.0, 0.0, 4.0, 8.0)),
        ("where(x > 1, x, 0)", (), (1.0,)),
        ("sqrt(abs(x))", (0.0,), ()),
        ("0.000001*abs(x)", (0.0,), ()),
    ],
)
def test_kinks_and_jumps_of_expressions(text: str, kinks: tuple[float, ...], jumps: tuple[float, ...]) -> None:
    activation = compile_expression(text)
    facts = measure(activation, evaluate(activation, GRID))
    assert (facts.kinks, facts.jumps) == (kinks, jumps)


@pytest.mark.parametrize("name", ["relu", "elu", "silu", "softplus"])
@pytest.mark.parametrize("parameter", [0.2, 1.0, 2.5, 5.0])
def test_no_parameter_makes_a_smooth_function_kink(name: str, parameter: float) -> None:
    entry = ACTIVATIONS[name]
    parameters = {entry.parameter.name: parameter} if entry.parameter else {}
    kinked = name == "relu" or (name == "elu" and parameter != 1.0)
    assert measure(entry, evaluate(entry, GRID, **parameters), **parameters).kinks == ((0.0,) if kinked else ())


@pytest.mark.parametrize(
    ("name", "mean", "centered"),
    [
        ("identity", 0.0, True), ("tanh", 0.0, True), ("hard_tanh", 0.0, True), ("selu", 0.0, True), ("sigmoid", 0.5, False),
        ("relu", 1 / math.sqrt(2 * math.pi), False), ("step", 0.5, False), ("gelu", 1 / (2 * math.sqrt(math.pi)), False),
    ],
)  # fmt: skip
def test_the_mean_output(name: str, mean: float, centered: bool) -> None:
    facts = measure(ACTIVATIONS[name], evaluate(name, GRID))
    assert facts.mean_output == pytest.approx(mean, rel=1e-6, abs=1e-8)
    assert facts.zero_centered is centered


def test_smallest_and_largest_are_those_of_the_grid() -> None:
    facts = measure(ACTIVATIONS["relu"], evaluate("relu", GRID))
    assert (facts.smallest, facts.largest) == (0.0, 8.0)


def test_a_parameter_counts() -> None:
    facts = measure(ACTIVATIONS["prelu"], evaluate("prelu", GRID, alpha=-1.0), alpha=-1.0)
    assert facts.mean_output == pytest.approx(math.sqrt(2 / math.pi), rel=1e-6, abs=1e-8)  # of |z|
    assert facts.steepest_at == ((-8.0, 8.0),)


@pytest.mark.parametrize(
    ("name", "x", "gradient", "slopes", "kink", "jump"),
    [
        ("relu", 0.0, 0.0, (0.0, 1.0), True, False),
        ("relu", 0.5, 1.0, (1.0, 1.0), False, False),
        ("leaky_relu", 0.0, 0.01, (0.01, 1.0), True, False),
        ("hard_tanh", 1.0, 0.0, (1.0, 0.0), True, False),
        ("hard_sigmoid", -3.0, 0.0, (0.0, 1 / 6), True, False),
        ("tanh", 0.0, 1.0, (1.0, 1.0), False, False),
        ("step", 0.0, 0.0, (0.0, 0.0), True, True),
    ],
)
def test_the_probe(*, name: str, x: float, gradient: float, slopes: tuple[float, float], kink: bool, jump: bool) -> None:
    reading = probe(ACTIVATIONS[name], x)
    assert reading.gradient == pytest.approx(gradient, abs=1e-12)
    assert (reading.left_slope, reading.right_slope) == pytest.approx(slopes, abs=1e-6)
    assert (reading.kink, reading.jump) == (kink, jump)


def test_the_probe_reads_the_value_at_its_parameter() -> None:
    reading = probe(ACTIVATIONS["elu"], -1.0, alpha=2.0)
    assert reading.value == pytest.approx(2 * math.expm1(-1), rel=1e-12)
    assert reading.gradient == pytest.approx(2 * math.exp(-1), rel=1e-12)


@pytest.mark.parametrize(
    ("text", "steepest_at", "flat"),
    [
        ("where(abs(x) < 2, 0, x)", ((-8.0, -2.0), (2.0, 8.0)), ((-1.9, 1.9),)),  # flat in the middle
        ("-x", ((-8.0, 8.0),), ()),
        ("abs(x) - 2*max(0, x - 8)", ((-8.0, -0.1), (0.1, 8.0)), ()),  # the slope at 0 is autograd's 0: a point, no stretch
        ("cos(x/5)", ((-7.9, -7.9), (7.9, 7.9)), ()),  # an extremum is no stretch
        ("x + 0/x", ((-8.0, -0.1), (0.1, 8.0)), ()),  # nothing at 0, and no stretch across it
        ("0/x", ((-8.0, -0.1), (0.1, 8.0)), ((-8.0, -0.1), (0.1, 8.0))),
    ],
)
def test_stretches_are_of_any_sign_anywhere_and_never_across_a_gap(text: str, steepest_at: object, flat: object) -> None:
    activation = compile_expression(text)
    facts = measure(activation, evaluate(activation, GRID))
    assert (facts.steepest_at, facts.flat) == (steepest_at, flat)
    assert facts.steepest >= 0


@pytest.mark.parametrize("text", ["1/x", "log(abs(x))", "1/abs(x)", "log(x)"])
def test_where_a_function_has_no_value_it_has_no_kink_and_no_jump(text: str) -> None:
    activation = compile_expression(text)
    facts = measure(activation, evaluate(activation, GRID))
    assert (facts.kinks, facts.jumps) == ((), ())
    assert not probe(activation, 0.0).kink


def test_gaps_are_named() -> None:
    assert gaps(evaluate("relu", GRID)) == ()
    assert gaps(evaluate(compile_expression("log(x)"), GRID)) == (
        Gap("value", "NaN", -8.0, -0.1, 80),
        Gap("value", "−∞", 0.0, 0.0, 1),
        Gap("gradient", "∞", 0.0, 0.0, 1),
    )
    # the other branch's infinite slope times 0: the classic trap of torch.where
    assert gaps(evaluate(compile_expression("where(x > 0, log(x), 0)"), GRID)) == (Gap("gradient", "NaN", 0.0, 0.0, 1),)


def test_facts_leave_out_what_is_not_finite() -> None:
    activation = compile_expression("log(x)")
    facts = measure(activation, evaluate(activation, GRID))
    assert facts.smallest == pytest.approx(math.log(0.1))
    assert facts.steepest == pytest.approx(10)
    assert facts.steepest_at == ((0.1, 0.1),)
    assert math.isnan(facts.mean_output)


def test_a_function_that_is_nowhere_finite_has_no_facts() -> None:
    activation = compile_expression("log(-1 - x^2)")
    facts = measure(activation, evaluate(activation, GRID))
    assert math.isnan(facts.smallest)
    assert math.isnan(facts.steepest)
    assert (facts.steepest_at, facts.flat) == ((), ())


def test_the_identities_hold_to_rounding() -> None:
    for identity in IDENTITIES:
        assert identity.largest_difference(GRID) < 1e-15
        assert identity.largest_difference(GRID.float()) < 3e-7
    sum_of_tanh = IDENTITIES[0].difference(GRID.float()).abs().max().item()
    assert sum_of_tanh == pytest.approx(1.2e-7, rel=0.5)  # one unit in the last place of a float32 near 1
