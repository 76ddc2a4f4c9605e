"""Weight decay does what the chapter measured, what a plain loop of torch does, and what theory says of its ends."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core.labs.generalization.weight_decay import INPUTS, Penalty, Problem, Setting, converged, guessing, half_square, sweep
from mlp_core.spec import SpecError
from tests.support.shrinking import paths, result_of, train

SEEDS = range(10)
CHINESE = Setting()
ENGLISH = Setting(lr=0.01, epochs=10, init_std=0.01)


def medians(setting: Setting, decay: float) -> tuple[float, float, float]:
    trained = train(setting, [decay], SEEDS)
    return tuple(float(np.median(values)) for values in (trained.train, trained.test, trained.norm))  # type: ignore[return-value]


def test_without_decay_the_training_points_are_learned_by_heart() -> None:
    """Measured beforehand for the chapter: train 7e-6, test 90, ‖w‖ 13.5."""
    train_loss, test_loss, norm = medians(CHINESE, 0.0)
    assert 1e-6 < train_loss < 5e-5
    assert 60 < test_loss < 110
    assert norm == pytest.approx(13.5, abs=1.0)


def test_with_a_decay_of_3_the_test_loss_falls_a_thousandfold() -> None:
    """Measured beforehand for the chapter: train 8e-4, test 0.087, ‖w‖ 0.37."""
    train_loss, test_loss, norm = medians(CHINESE, 3.0)
    assert 3e-4 < train_loss < 3e-3
    assert test_loss == pytest.approx(0.087, rel=0.25)
    assert norm == pytest.approx(0.37, abs=0.04)


@pytest.mark.parametrize(("decay", "printed"), [(0.0, 0.0092), (3.0, 0.0016)])
def test_half_the_square_is_what_the_english_edition_prints_as_l2_norm(decay: float, printed: float) -> None:
    norms = train(ENGLISH, [decay], SEEDS).norm
    assert half_square(norms).min() < printed < 1.2 * half_square(norms).max()
    assert half_square(np.array([2.0, 3.0])).tolist() == [2.0, 4.5]


@pytest.mark.parametrize("decay", [0.0, 0.7])
def test_it_is_the_books_loop_in_torch(decay: float) -> None:
    """w and b by autograd of the loss with λ/2 ‖w‖² in it, batch by batch, in float64."""
    setting = Setting(epochs=3)
    problem = Problem.draw(setting, (4,))
    w = torch.tensor(problem.weights[0], requires_grad=True)
    b = torch.zeros((), dtype=torch.float64, requires_grad=True)
    x, y = torch.tensor(problem.train_x[0]), torch.tensor(problem.train_y[0])
    for order in problem.order[0]:
        for start in range(0, 20, 5):
            chosen = torch.tensor(order[start : start + 5])
            loss = ((x[chosen] @ w + b - y[chosen]) ** 2 / 2).mean() + decay * w.pow(2).sum() / 2
            loss.backward()  # type: ignore[no-untyped-call]
            with torch.no_grad():
                for parameter in (w, b):
                    assert parameter.grad is not None
                    parameter.sub_(setting.lr * parameter.grad)
                    parameter.grad = None
    trained = train(setting, [decay], [4])
    np.testing.assert_allclose(trained.weights[0, 0], w.detach().numpy(), rtol=1e-10)
    expected = float(((x @ w + b - y) ** 2 / 2).mean().detach())
    assert trained.train[0, 0] == pytest.approx(expected, rel=1e-9)
    assert trained.norm[0, 0] == pytest.approx(float(w.detach().norm()), rel=1e-12)


@settings(deadline=None, max_examples=15)
@given(st.lists(st.floats(0, 100), min_size=1, max_size=4), st.integers(0, 1000), st.sampled_from(["l2", "l1"]))
def test_models_trained_together_are_those_trained_alone(decays: list[float], seed: int, penalty: Penalty) -> None:
    setting = Setting(epochs=4)
    together = train(setting, decays, [seed, seed + 1], penalty)
    for column, decay in enumerate(decays):
        alone = train(setting, [decay], [seed + 1], penalty)
        np.testing.assert_allclose(together.weights[1, column], alone.weights[0, 0], rtol=1e-9, atol=1e-12)


def test_the_paths_begin_before_training_and_end_where_training_ends() -> None:
    over_epochs, last = paths(CHINESE, [0.0, 3.0], [0]), train(CHINESE, [0.0, 3.0], [0])
    assert over_epochs.test.shape == (101, 1, 2)
    assert over_epochs.norm[0, 0] == pytest.approx([math.sqrt(INPUTS)] * 2, rel=0.15)
    for name in ("train", "test", "norm"):
        np.testing.assert_array_equal(getattr(over_epochs, name)[-1], getattr(last, name))


def test_l1_makes_zeros_and_l2_makes_none() -> None:
    setting = Setting(lr=0.01, epochs=100, init_std=0.01)
    assert ((train(setting, [0.02], SEEDS, "l1").weights == 0).sum(axis=-1) > 50).all()  # of 200; measured: 81 to 149
    assert (train(setting, [0.02], SEEDS, "l2").weights == 0).sum() == 0


def test_a_weight_without_gradient_shrinks_by_eta_lambda() -> None:
    """Along directions that no training point has, only the penalty moves w."""
    setting = Setting(epochs=1)
    problem = Problem.draw(setting, [0])
    steps, lam = 4, 10.0
    orthogonal = np.linalg.svd(problem.train_x[0])[2][20:]  # directions that no training point has
    before, after = orthogonal @ problem.weights[0], orthogonal @ train(setting, [lam], [0]).weights[0, 0]
    np.testing.assert_allclose(after, before * (1 - setting.lr * lam) ** steps, rtol=1e-9)


def test_an_l1_step_is_a_gradient_step_and_torchs_soft_threshold_of_eta_lambda() -> None:
    setting, lam = Setting(epochs=1), 4.0
    problem = Problem.draw(setting, [1])
    x, y, w, b = problem.train_x[0], problem.train_y[0], problem.weights[0], 0.0
    for start in range(0, 20, 5):
        chosen = problem.order[0, 0, start : start + 5]
        error = x[chosen] @ w + b - y[chosen]
        moved = torch.tensor(w - setting.lr * x[chosen].T @ error / 5)
        w, b = torch.nn.functional.softshrink(moved, setting.lr * lam).numpy(), b - setting.lr * error.mean()
    np.testing.assert_allclose(train(setting, [lam], [1], "l1").weights[0, 0], w, rtol=1e-10)


def test_the_far_end_of_training_is_ridge_regression() -> None:
    """Thousands of epochs with all points in a batch come to the closed form."""
    setting = Setting(lr=0.03, epochs=300, init_std=0.0)
    trained = train(setting, [1.0, 5.0], [0, 1])
    np.testing.assert_allclose(trained.test, converged(setting, [1.0, 5.0], [0, 1]), rtol=0.1)


def test_a_huge_penalty_comes_to_guessing_the_mean() -> None:
    np.testing.assert_allclose(converged(CHINESE, [1e9], SEEDS)[:, 0], guessing(CHINESE, SEEDS), rtol=1e-5)


def test_steps_that_are_too_large_diverge_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trained = train(Setting(lr=0.3, epochs=300), [100.0], [0])
    assert trained.test[0, 0] == math.inf
    assert trained.norm[0, 0] == math.inf


@pytest.mark.parametrize("decay", [-1e-9, 100.1, math.nan, math.inf])
def test_a_penalty_out_of_bounds_is_refused(decay: float) -> None:
    with pytest.raises(SpecError, match="lambda"):
        train(CHINESE, [1.0, decay], [0])


@pytest.mark.parametrize("changed", [{"lr": 0.0}, {"epochs": 0}, {"train_count": 201}, {"init_std": math.nan}])
def test_a_setting_out_of_bounds_is_refused(changed: dict[str, float]) -> None:
    with pytest.raises(SpecError, match=next(iter(changed))):
        Setting(**changed)  # type: ignore[arg-type]


def test_a_sweep_is_every_training_in_pieces() -> None:
    setting, decays, seeds = Setting(epochs=4), [0.0, 3.0], [1, 2]
    swept = result_of(sweep(setting, decays, seeds))
    for penalty, found in (("l2", swept.l2), ("l1", swept.l1)):
        alone = train(setting, decays, seeds, penalty)  # type: ignore[arg-type]
        assert np.array_equal(found.weights, alone.weights)
    assert np.array_equal(swept.l2_paths.test, paths(setting, decays, seeds).test)
    assert np.array_equal(swept.converged, converged(setting, decays, seeds))
    assert np.array_equal(swept.guess, guessing(setting, seeds))
