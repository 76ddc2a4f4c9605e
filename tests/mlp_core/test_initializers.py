"""Every initialization draws what its formula says: moments, bounds and distribution against scipy, torch's own and linear algebra."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor, nn

from mlp_core.initializers import INITIALIZERS, initial_parameters
from mlp_core.spec import RunSpec

N_IN, N_OUT = 300, 200
SMALLEST_P = 1e-4  # of a Kolmogorov-Smirnov test on fixed seeds
LARGEST_SCORE = 5.0  # standard errors


def drawn(name: str, sizes: tuple[int, ...] = (N_IN, N_OUT), seed: int = 1, **fields: float) -> list[tuple[Tensor, Tensor]]:
    return initial_parameters(RunSpec(init=name, **fields), sizes, torch.Generator().manual_seed(seed))  # type: ignore[arg-type]


# name -> the distribution of one weight of a layer N_IN -> N_OUT, as scipy states it
DISTRIBUTIONS = {
    "normal": stats.norm(0, 0.01),
    "xavier_uniform": stats.uniform(-math.sqrt(6 / 500), 2 * math.sqrt(6 / 500)),
    "xavier_normal": stats.norm(0, math.sqrt(2 / 500)),
    "he_uniform": stats.uniform(-math.sqrt(6 / 300), 2 * math.sqrt(6 / 300)),
    "he_normal": stats.norm(0, math.sqrt(2 / 300)),
    "lecun_normal": stats.norm(0, math.sqrt(1 / 300)),
    "torch_default": stats.uniform(-1 / math.sqrt(300), 2 / math.sqrt(300)),
}


def test_the_registry_holds_exactly_what_a_spec_may_ask_for() -> None:
    assert all(name == entry.name and entry.label and entry.latex and entry.reference for name, entry in INITIALIZERS.items())


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_weights_follow_their_distribution(name: str) -> None:
    ((weight, _),) = drawn(name)
    assert stats.kstest(weight.numpy().ravel(), DISTRIBUTIONS[name].cdf).pvalue > SMALLEST_P


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_the_mean_is_zero_and_the_variance_is_the_formulas(name: str) -> None:
    ((weight, _),) = drawn(name, seed=2)
    values, expected = weight.numpy().astype(np.float64).ravel(), DISTRIBUTIONS[name]
    std = float(expected.std())
    variance_error = std**2 * math.sqrt((float(expected.stats("k")) + 2) / values.size)  # excess kurtosis: normal 0, uniform -1.2
    assert abs(values.mean()) < LARGEST_SCORE * std / math.sqrt(values.size)
    assert abs(values.var() - std**2) < LARGEST_SCORE * variance_error


@pytest.mark.parametrize("name", ["xavier_uniform", "he_uniform", "torch_default"])
def test_uniform_weights_reach_their_bounds_and_never_pass_them(name: str) -> None:
    ((weight, _),) = drawn(name)
    bound = float(DISTRIBUTIONS[name].support()[1])
    largest = weight.abs().max().item()
    assert 0.999 * bound < largest <= bound * (1 + 1e-6)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_the_stated_std_is_that_of_the_distribution(name: str) -> None:
    assert INITIALIZERS[name].std(N_IN, N_OUT, RunSpec(init=name)) == pytest.approx(float(DISTRIBUTIONS[name].std()), rel=1e-12)


TORCH_OWN: dict[str, Callable[..., Tensor]] = {
    "xavier_uniform": nn.init.xavier_uniform_,
    "xavier_normal": nn.init.xavier_normal_,
    "he_uniform": lambda w, generator: nn.init.kaiming_uniform_(w, nonlinearity="relu", generator=generator),
    "he_normal": lambda w, generator: nn.init.kaiming_normal_(w, nonlinearity="relu", generator=generator),
    "lecun_normal": lambda w, generator: nn.init.kaiming_normal_(w, nonlinearity="linear", generator=generator),
}


@pytest.mark.parametrize("name", TORCH_OWN)
def test_weights_are_torchs_own_for_the_same_generator(name: str) -> None:
    ((weight, _),) = drawn(name, seed=3)
    expected = TORCH_OWN[name](torch.empty(N_OUT, N_IN), generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(weight, expected, rtol=1e-6, atol=1e-8)


def test_with_lecun_weights_selu_keeps_mean_0_and_variance_1() -> None:
    """Through layers that halve in width, where Xavier's weights are too large; Klambauer et al. 2017, theorem 1."""
    variances: dict[str, list[float]] = {"lecun_normal": [], "xavier_normal": []}
    for name, found in variances.items():
        for seed in range(3):
            rows = torch.randn(2000, 1024, generator=torch.Generator().manual_seed(seed))
            for weight, _ in drawn(name, (1024, 512, 256, 128), seed):
                rows = nn.functional.selu(rows @ weight.T)
            found.append(float(rows.var()))
            assert name != "lecun_normal" or abs(rows.mean()) < 0.2
    assert all(0.7 < variance < 1.4 for variance in variances["lecun_normal"])
    assert all(variance > 1.5 for variance in variances["xavier_normal"])


def test_torch_default_is_what_nn_linear_does() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        linears = [nn.Linear(20, 50) for _ in range(40)]
    mine = [drawn("torch_default", (20, 50), seed=seed)[0] for seed in range(40)]
    for column in (0, 1):
        theirs = [(linear.weight, linear.bias)[column] for linear in linears]
        a = torch.cat([layer[column].ravel() for layer in mine]).numpy()
        b = torch.cat([parameter.detach().ravel() for parameter in theirs]).numpy()
        assert stats.ks_2samp(a, b).pvalue > SMALLEST_P
        assert np.abs(a).max() <= 1 / math.sqrt(20) * (1 + 1e-6)


@pytest.mark.parametrize("sizes", [(64, 64), (96, 32), (32, 96), (1, 5), (5, 1)])
def test_orthogonal_rows_or_columns_are_orthonormal(sizes: tuple[int, int]) -> None:
    ((weight, _),) = drawn("orthogonal", sizes)
    W = weight.double().numpy()
    gram = W @ W.T if W.shape[0] <= W.shape[1] else W.T @ W
    np.testing.assert_allclose(gram, np.eye(min(sizes)), atol=5e-6)
    assert np.linalg.norm(W) ** 2 / W.size == pytest.approx(
        INITIALIZERS["orthogonal"].std(*sizes, RunSpec(init="orthogonal")) ** 2, rel=1e-5
    )


def test_orthogonal_weights_are_the_same_on_any_number_of_threads() -> None:
    threads, weights = torch.get_num_threads(), []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            weights.append(initial_parameters(RunSpec(init="orthogonal"), (784, 256, 64, 10), torch.Generator().manual_seed(3)))
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(threads)
    for layers in zip(*weights, strict=True):
        assert all(torch.equal(weight, layers[0][0]) for weight, _ in layers)


def test_orthogonal_matrices_are_uniform_on_the_group() -> None:
    """Under Haar measure an entry of a 3 x 3 orthogonal matrix is uniform on [-1, 1] (Archimedes); bare QR gives a fixed sign."""
    generator = torch.Generator().manual_seed(5)
    corners = [initial_parameters(RunSpec(init="orthogonal"), (3, 3), generator)[0][0] for _ in range(2000)]
    for row, column in ((0, 0), (1, 2), (2, 2)):
        entries = np.array([float(W[row, column]) for W in corners])
        assert stats.kstest(entries, stats.uniform(-1, 2).cdf).pvalue > SMALLEST_P


def test_constant_weights_with_noise_scatter_around_the_value() -> None:
    ((weight, _),) = drawn("constant", (400, 400), init_value=0.5, init_noise=0.1)
    n = weight.numel()
    assert abs(weight.double().mean().item() - 0.5) < 5 * 0.1 / n**0.5
    assert abs(weight.double().std().item() - 0.1) < 5 * 0.1 / (2 * n) ** 0.5


@given(c=st.floats(-10, 10, width=32))
def test_constant_weights_are_all_the_value(c: float) -> None:
    ((weight, bias),) = drawn("constant", (3, 2), init_value=c)
    assert weight.tolist() == [[c, c, c], [c, c, c]]
    assert bias.tolist() == [0.0, 0.0]


def test_zeros_are_zeros() -> None:
    assert all(not weight.any() and not bias.any() for weight, bias in drawn("zeros", (4, 3, 2)))


@pytest.mark.parametrize("name", INITIALIZERS)
def test_layers_come_in_order_as_float32_on_the_processor(name: str) -> None:
    layers = drawn(name, (7, 5, 3, 2))
    assert [tuple(weight.shape) for weight, _ in layers] == [(5, 7), (3, 5), (2, 3)]
    assert [tuple(bias.shape) for _, bias in layers] == [(5,), (3,), (2,)]
    assert all(tensor.dtype == torch.float32 and tensor.device.type == "cpu" for layer in layers for tensor in layer)
    assert all(not bias.any() for _, bias in layers) != (name == "torch_default")


@pytest.mark.parametrize("name", INITIALIZERS)
def test_the_generator_alone_decides(name: str) -> None:
    before = torch.get_rng_state()
    first, again, other = (drawn(name, (9, 8, 7), seed=seed) for seed in (6, 6, 7))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(a, b) for mine, same in zip(first, again, strict=True) for a, b in zip(mine, same, strict=True))
    assert torch.equal(first[0][0], other[0][0]) == (name in ("zeros", "constant"))


def test_bias_std_is_that_of_the_weights_where_biases_are_drawn() -> None:
    default, normal = INITIALIZERS["torch_default"], INITIALIZERS["normal"]
    assert default.bias_std(12, 3, RunSpec()) == pytest.approx(1 / 6)  # U(-a, a) with a = 1/sqrt(12): std a / sqrt(3)
    assert normal.bias_std(12, 3, RunSpec()) == 0.0
