"""The singular values of products of random matrices, however far apart they are."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from mlp_core.stability.products import check_product, drawn_factors, rescaled
from mlp_core.theory import Array

QR_EVERY = 4  # factors; 4 of 64 x 64 spread their singular values over e^11, of which float64 keeps all
DIRECT_SPREAD = 30.0  # nats between the outermost singular values; at e^30 the float64 SVD still has the smallest to 1e-3
SWEEPS = 12


def singular_value_path(
    n: int, at: Sequence[int], *, scale: float = 1.0, seed: int = 0, ensemble: str = "gaussian", trial: int = 0
) -> Array:
    """log10 of all singular values of trial `trial`'s product after each of `at` factors (ascending, at least 1).

    An SVD of the product would lose every value below 1e-16 of the largest. So the product is kept as Q D T with Q orthogonal, D
    diagonal (its logarithm is kept) and T unit upper triangular, which QR renews every few factors without ever forming the product.

    Returns:
        (len(at), n), descending in each row.

    Raises:
        ValueError: as `matrix_product_growth`; `at` empty or not ascending.

    Reference: Benettin et al. (1980), part 1, section 3, for the exponents; Stewart (1997), The triangular matrices of Gaussian
        elimination and related decompositions, section 4, for the sweeps.
    """
    if not at or list(at) != sorted(set(at)):
        raise ValueError(f"at must be ascending numbers of factors, got {list(at)!r}")
    check_product(ensemble, scale, n=n, factors=at[0], seed=seed, trial=trial)
    wanted = set(at)
    running = T = torch.eye(n, dtype=torch.float64)
    log_d = torch.zeros(n, dtype=torch.float64)
    kept: list[tuple[Tensor, Tensor]] = []
    for k, factor in enumerate(drawn_factors(ensemble, n, at[-1], trial, seed), start=1):
        running = factor @ running
        if k % QR_EVERY and k not in wanted:
            continue
        Q, R = torch.linalg.qr(running)
        signs = R.diagonal().sign()
        running, R = Q * signs, R * signs[:, None]
        T = (R / R.diagonal()[:, None] * torch.exp(log_d[None, :] - log_d[:, None])).triu() @ T
        log_d = log_d + R.diagonal().log()
        if k in wanted:
            kept.append((log_d, T))
    singular = _log_singular_values(torch.stack([d for d, _ in kept]), torch.stack([t for _, t in kept]))
    return rescaled(singular.numpy().T / math.log(10.0), scale, at).T


def _log_singular_values(log_d: Tensor, T: Tensor) -> Tensor:
    """ln of the singular values (m, n), descending, of diag(exp(log_d)) T, for log_d (m, n) and T (m, n, n) unit upper triangular."""
    wide = log_d.amax(dim=1) - log_d.amin(dim=1) > DIRECT_SPREAD
    near = log_d[~wide]
    largest = near.amax(dim=1, keepdim=True)
    singular = torch.empty_like(log_d)
    singular[~wide] = torch.linalg.svdvals(torch.exp(near - largest).unsqueeze(2) * T[~wide]).log() + largest
    singular[wide] = _swept(log_d[wide], T[wide])
    return singular


def _swept(log_d: Tensor, T: Tensor) -> Tensor:
    """The same where they are so far apart that an SVD would lose the small ones: QR of the transpose, again and again, in logarithms.

    Each sweep brings diag(exp(log_d)) T nearer to a diagonal matrix, the faster the farther its singular values are apart.
    """
    S = T.mT  # the transpose has the same singular values: they are those of S diag(exp(log_d))
    for _ in range(SWEEPS):
        S = torch.linalg.qr(S).R
        pivots = S.diagonal(dim1=1, dim2=2).abs()
        log_d = log_d + pivots.log()
        S = S / pivots.unsqueeze(1)
        S = S.mT * torch.exp(log_d.unsqueeze(2) - log_d.unsqueeze(1)).tril()
    return torch.sort(log_d, dim=1, descending=True).values
