"""The cubic is the book's, its points are noisy by what was asked for, and its fits err where theory says they do."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core.labs.generalization.least_squares import LeastSquares
from mlp_core.labs.generalization.polynomial import (
    TEST_SAMPLES,
    TRUE_COEFFICIENTS,
    Sample,
    Solver,
    cubic,
    dataset,
    draw,
    errors_by_degree,
    errors_by_samples,
    features,
    mean_squared_error,
    polynomial,
)
from mlp_core.losses import LOSSES
from mlp_core.spec import RunSpec, SpecError
from mlp_core.training import Run
from tests.support.shrinking import result_of


def test_the_features_are_powers_over_factorials() -> None:
    np.testing.assert_allclose(features(np.array([2.0, -1.0]), 4), [[1, 2, 2, 8 / 6, 16 / 24], [1, -1, 1 / 2, -1 / 6, 1 / 24]])
    assert features(np.array([3.0]), 30)[0, 30] == pytest.approx(math.exp(30 * math.log(3) - math.lgamma(31)))


@given(st.floats(-5, 5))
def test_the_cubic_is_the_books(x: float) -> None:
    assert cubic(np.array([x]))[0] == pytest.approx(5 + 1.2 * x - 3.4 * x**2 / 2 + 5.6 * x**3 / 6, abs=1e-9)


def test_noise_and_spread_are_what_was_asked_for() -> None:
    points = [draw(500, 0.1, seed, spread=2.0)[0] for seed in range(20)]
    x, noise = (np.concatenate(part) for part in ([p.x for p in points], [p.y - cubic(p.x) for p in points]))
    assert (x.mean(), x.std()) == pytest.approx((0.0, 2.0), abs=0.06)  # 10,000 values: three standard errors
    assert (noise.mean(), noise.std()) == pytest.approx((0.0, 0.1), abs=0.003)


def test_fewer_points_are_the_first_of_the_more_and_the_test_points_stay() -> None:
    few, many = draw(7, 0.1, 3), draw(100, 0.1, 3)
    np.testing.assert_array_equal(few[0].y, many[0].y[:7])
    np.testing.assert_array_equal(few[1].y, many[1].y)
    assert len(few[1]) == TEST_SAMPLES
    assert not np.isin(many[1].x, many[0].x).any()


@pytest.mark.parametrize(
    ("changed", "field"), [({"count": 4}, "samples"), ({"count": 501}, "samples"), ({"noise": -0.1}, "noise"), ({"spread": 11}, "spread")]
)
def test_what_is_out_of_bounds_is_named(changed: dict[str, float], field: str) -> None:
    with pytest.raises(SpecError) as refusal:
        draw(**{"count": 10, "noise": 0.1, "seed": 0} | changed)  # type: ignore[arg-type]
    assert refusal.value.field == field


@settings(deadline=None, max_examples=25)
@given(st.integers(3, 9), st.integers(0, 1000))
def test_without_noise_every_degree_from_3_on_finds_the_cubic(degree: int, seed: int) -> None:
    train, test = draw(100, 0.0, seed)
    fitted, elsewhere = Solver().predictions(degree, train, test.x)
    np.testing.assert_allclose(fitted, train.y, atol=1e-10)
    assert mean_squared_error(elsewhere, test) < 1e-12
    found = LeastSquares.of(train.x, train.y, degree).coefficients
    np.testing.assert_allclose(found, [*TRUE_COEFFICIENTS, *[0.0] * (degree - 3)], atol=1e-5)


def test_the_training_error_of_least_squares_is_the_noise_less_one_share_a_coefficient() -> None:
    """E[training error] = σ² (1 − (degree + 1)/n), and it never rises with the degree."""
    sweep = result_of(errors_by_degree((3, 5, 8), 50, 0.1, range(200), Solver()))
    np.testing.assert_allclose(sweep.train.mean(axis=0), 0.01 * (1 - np.array([4, 6, 9]) / 50), rtol=0.05)
    assert (np.diff(sweep.train, axis=1) <= 1e-12).all()


def test_the_test_error_is_u_shaped_in_the_degree_and_falls_with_more_points() -> None:
    under, right, over = np.median(result_of(errors_by_degree((1, 3, 19), 25, 0.1, range(20), Solver())).test, axis=0)
    assert under > 100 * right
    assert over > 1e4 * right
    few, many = np.median(result_of(errors_by_samples((20, 500), 9, 0.1, range(20), Solver())).test, axis=0)
    assert few > 100 * many


def test_gradient_descent_does_not_overfit_as_the_book_promises() -> None:
    """The chapter: with 100 samples the promised overfitting of degree 20 usually does not show."""
    steps = 1500 * 10
    cubic_error, many = np.median(result_of(errors_by_degree((3, 19), 100, 0.1, range(20), Solver(steps, 0.02))).test, axis=0)
    assert many < 2 * cubic_error


def test_an_error_beyond_float64_is_infinite_and_no_warning() -> None:
    far = Sample(np.array([1e3]), np.array([0.0]))
    assert mean_squared_error(polynomial(np.full(31, 1e300), far.x), far) == math.inf
    assert mean_squared_error(polynomial(np.array([math.inf, -math.inf]), far.x), far) == math.inf
    sweep = result_of(errors_by_degree((30,), 500, 0.1, (0,), Solver(1000, 1.0), spread=10.0))
    assert sweep.test[0, 0] == math.inf


def test_a_run_on_the_engine_learns_the_cubic() -> None:
    """The book's own training of degree 3: 400 epochs, batches of 10, and its lr of (ŷ − y)² without the ½ doubled."""
    train, test = draw(100, 0.1, 0)
    run = Run(
        RunSpec(hidden=(), init="torch_default", lr=0.02, batch_size=10, epochs=400, device="cpu"),
        dataset(train, test, 3),
        LOSSES["squared"],
    )
    run.advance()
    assert run.network is not None
    weight, bias = run.network.weights()[0]
    np.testing.assert_allclose([float(bias), *weight[0].tolist()], TRUE_COEFFICIENTS, atol=0.15)
    assert 2 * run.history.epochs[-1].test_loss < 0.02
