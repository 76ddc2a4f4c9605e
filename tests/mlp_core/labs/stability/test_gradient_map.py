"""The measured plane against autograd, and the predicted line against closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import scipy.integrate
import scipy.optimize
import scipy.special
import scipy.stats
import torch

from mlp_core.expression import resolve
from mlp_core.labs.stability.gradient_map import VarianceMap, gradient_map_log10
from mlp_core.theory import Array


def test_the_map_agrees_with_autograd_through_one_network() -> None:
    depth, width, sigma_w, sigma_b = 6, 16, 1.3, 0.4
    generator = torch.Generator().manual_seed(2)
    draws = [torch.randn(width, width + 1, generator=generator, dtype=torch.float64) for _ in range(depth)]
    h = torch.randn(4, width, generator=generator, dtype=torch.float64).requires_grad_()
    top = torch.randn(4, width, generator=generator, dtype=torch.float64)
    signals = [h]
    for Z in draws:
        signals.append(torch.tanh(signals[-1] @ Z[:, :width].T * sigma_w / math.sqrt(width) + sigma_b * Z[:, width]))
    gradients = torch.autograd.grad((signals[-1] * top).sum(), signals)
    expected = [math.log10(gradient.norm() / top.norm()) for gradient in reversed(gradients)]
    drawn = gradient_map_log10("tanh", np.array([0.5, sigma_w]), np.array([0.0, sigma_b]), depth, width=width, seed=2)
    assert drawn.shape == (2, depth + 1)
    np.testing.assert_allclose(drawn[1], expected, atol=1e-10)


def test_the_map_of_relu_is_flat_at_the_square_root_of_two_and_shifts_with_sigma() -> None:
    sigma_w = np.array([0.1, 1.0, math.sqrt(2), 3.0])
    drawn = gradient_map_log10("relu", sigma_w, np.zeros(4), 15, width=256)
    assert np.abs(drawn[2]).max() < 0.3
    np.testing.assert_allclose(drawn[[0, 3]] - drawn[1], np.outer(np.log10([0.1, 3.0]), np.arange(16)), atol=1e-9)


def test_the_map_of_a_step_is_an_exact_zero() -> None:
    assert (gradient_map_log10("step", np.ones(1), np.zeros(1), 3)[0, 1:] == -math.inf).all()


@cache
def theory(activation: str) -> VarianceMap:
    return VarianceMap(resolve(activation))


def chi_of(activation: str, sigma_w: Array, sigma_b: float) -> Array:
    return theory(activation).state(sigma_w, np.full(len(sigma_w), sigma_b))[1]


def mean(function: Callable[[float], float], q: float) -> float:
    """E of a function of z ~ N(0, q), by scipy."""
    value, _ = scipy.integrate.quad(lambda z: function(math.sqrt(q) * z) * scipy.stats.norm.pdf(z), -12, 12, points=[0], limit=400)
    return float(value)


def test_relu_multiplies_by_half_of_sigma_squared() -> None:
    sigma_w = np.array([0.5, 1.0, 1.4, 2.0, 3.0])
    np.testing.assert_allclose(chi_of("relu", sigma_w, 0.3), sigma_w**2 / 2, rtol=1e-6)


def test_tanh_without_bias_forgets_below_one() -> None:
    sigma_w = np.array([0.3, 0.9, 0.999])
    np.testing.assert_allclose(chi_of("tanh", sigma_w, 0.0), sigma_w**2, rtol=1e-6)


@pytest.mark.parametrize(("sigma_w", "sigma_b"), [(1.5, 0.3), (2.5, 0.0), (4.0, 1.0)])
def test_the_state_is_a_root_found_on_gauss_hermite_nodes(sigma_w: float, sigma_b: float) -> None:
    nodes, weights = scipy.special.roots_hermitenorm(200)
    weights = weights / weights.sum()

    def excess(q: float) -> float:
        return float(sigma_w**2 * (weights @ np.tanh(math.sqrt(q) * nodes) ** 2) + sigma_b**2 - q)

    root = scipy.optimize.brentq(excess, 1e-3, 50.0)
    slope_square = weights @ np.cosh(math.sqrt(root) * nodes) ** -4.0
    log_q, chi = theory("tanh").state(np.array([sigma_w]), np.array([sigma_b]))
    assert math.exp(log_q[0]) == pytest.approx(root, rel=2e-3)
    assert chi[0] == pytest.approx(sigma_w**2 * slope_square, rel=1e-2)  # only whether it is above 1 is asked


@pytest.mark.parametrize(
    ("activation", "sigma_w"),
    [
        ("identity", 1.0),
        ("tanh", 1.0),
        ("elu", 1.0),
        ("selu", math.sqrt(2 / (1 + 1.6732632423543772**2)) / 1.0507009873554805),  # a kink at 0: half of both slopes' squares
        ("relu", math.sqrt(2)),
        ("leaky_relu", math.sqrt(2 / (1 + 0.01**2))),
    ],
)
def test_without_biases_the_boundary_has_a_closed_form(activation: str, sigma_w: float) -> None:
    boundary = theory(activation).boundary(np.zeros(1), 20.0)
    assert boundary.sigma_w[0] == pytest.approx(sigma_w, abs=5e-4)
    assert not boundary.jumps[0]


@pytest.mark.parametrize("q", [0.1, 0.7, 4.0])
def test_the_boundary_of_tanh_is_solved_along_q(q: float) -> None:
    """σ_w² = 1/E[φ'²](q), σ_b² = q - σ_w² E[φ²](q): there q is a state, and χ = 1."""
    sigma_w = mean(lambda x: math.cosh(x) ** -4, q) ** -0.5
    sigma_b = math.sqrt(q - sigma_w**2 * mean(lambda x: math.tanh(x) ** 2, q))
    boundary = theory("tanh").boundary(np.array([sigma_b]), 20.0)
    assert boundary.sigma_w[0] == pytest.approx(sigma_w, rel=1e-3)
    assert not boundary.jumps[0]


JUMPERS: dict[str, tuple[Callable[[float], float], float]] = {
    "silu": (lambda x: x * scipy.special.expit(x), 1.559),
    "gelu": (lambda x: x * scipy.stats.norm.cdf(x), 1.468),
    "mish": (lambda x: x * math.tanh(np.logaddexp(0, x)), 1.452),
}


@pytest.mark.parametrize("activation", JUMPERS)
def test_where_two_states_exist_chi_jumps_over_one(activation: str) -> None:
    """Inputs N(0, 1) give q = σ_w², and from there it goes on where E[φ²] = 1: below it dies out, above it grows without end."""
    function, measured = JUMPERS[activation]
    sigma_w = scipy.optimize.brentq(lambda s: mean(lambda x: function(x) ** 2, s * s) - 1, 1.2, 2.0)
    assert sigma_w == pytest.approx(measured, abs=1e-3)  # where the page's own networks turn
    boundary = theory(activation).boundary(np.array([0.0, 1.0]), 20.0)
    assert boundary.sigma_w[0] == pytest.approx(sigma_w, abs=1e-3)
    assert boundary.below[0] == pytest.approx(sigma_w**2 / 4 if activation != "mish" else 0.36 * sigma_w**2, rel=1e-3)  # φ'(0)²
    assert boundary.above[0] == pytest.approx(sigma_w**2 / 2, rel=1e-3)
    np.testing.assert_array_equal(boundary.jumps, [True, False])


@pytest.mark.parametrize("activation", ["relu", *JUMPERS])  # behind its boundary tanh hardly explodes
@pytest.mark.parametrize("seed", range(3))
def test_real_networks_vanish_before_the_boundary_and_explode_behind_it(activation: str, seed: int) -> None:
    boundary = theory(activation).boundary(np.zeros(1), 20.0)
    sigma_w = boundary.sigma_w[0] * np.array([0.93, 1.07])
    change = gradient_map_log10(activation, sigma_w, np.zeros(2), 60, width=256, seed=seed)[:, -1]
    assert change[0] < -1
    assert change[1] > 1


def test_the_boundary_of_the_sigmoid_is_far() -> None:
    sigmoid = theory("sigmoid")
    assert np.isnan(sigmoid.boundary(np.zeros(1), 4.0).sigma_w).all()
    assert not sigmoid.boundary(np.zeros(1), 4.0).jumps.any()
    line = sigmoid.boundary(np.array([0.0, 2.0]), 20.0).sigma_w
    np.testing.assert_allclose(sigmoid.state(line, np.array([0.0, 2.0]))[1], 1.0, atol=1e-6)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("expression", ["=1/x", "=exp(x)", "=sin(3*x)", "=log(x)", "=0*x"])
def test_moments_that_are_not_to_be_had_are_no_fault(expression: str) -> None:
    boundary = theory(expression).boundary(np.array([0.0, 1.0]), 20.0)
    assert boundary.sigma_w.shape == (2,)
    if expression == "=0*x":
        assert np.isnan(boundary.sigma_w).all()


@pytest.mark.parametrize("sigma_b", [0.0, 0.8])
def test_a_sine_is_chaotic_where_its_own_moments_say_so(sigma_b: float) -> None:
    """In closed form: E[sin²(3z)] = (1 - e^(-18 q)) / 2 and E[(3 cos 3z)²] = 9 (1 + e^(-18 q)) / 2."""

    def excess(sigma_w: float) -> float:
        q = 1.0
        for _ in range(20_000):
            q = sigma_w**2 * (1 - math.exp(-18 * q)) / 2 + sigma_b**2
        return sigma_w**2 * 9 * (1 + math.exp(-18 * q)) / 2 - 1

    boundary = theory("=sin(3*x)").boundary(np.array([sigma_b]), 20.0)
    expected = 1 / 3 if sigma_b == 0 else scipy.optimize.brentq(excess, 0.2, 1.0)
    assert boundary.sigma_w[0] == pytest.approx(expected, rel=1e-3)
