"""Expectations over a normal variate: E[φ], E[φ²], E[φ'²] and any other, by adaptive quadrature; infinite where they diverge."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float64]
Rows = NDArray[np.intp]
Function = Callable[[Tensor], Tensor]

REACH = 38.0  # standard deviations; the density there, 1e-314, is about the smallest that float64 knows
STEPS = (0, 1, 2, 4, 6, 8, 12, 20, REACH)  # where panels begin, in standard deviations
PLACES = tuple(16.0**power for power in range(-3, 7))  # … and in x, so that a wide distribution too sees what happens near 0
NODES, WEIGHTS = np.polynomial.legendre.leggauss(10)
ENDS = np.array([-1.0, 1.0]) * (1 - 1e-9)  # beyond the outermost nodes a jump would be hidden
BEYOND = 1 - NODES[-1]  # of half a panel
AT_ENDS = np.linalg.solve(np.polynomial.legendre.legvander(NODES, 9).T, np.polynomial.legendre.legvander(ENDS, 9).T).T  # extrapolates
HIDDEN = 3e-9  # of the whole: what may be hidden there, at either end of every panel on the way to a jump
CUT = 0.45  # where a panel is cut in two: in the middle, a jump there would change nothing
TOLERANCE = 1e-9  # of the whole: what a cut may still change
DEEPEST = 200  # cuts one after another: |x|^-0.9 needs so many
NARROWEST = 1e-12  # of where it is: a panel that still has different numbers in it
MOST_PANELS = (20_000, 80)  # cut in all, and more of them for every distribution: about two seconds for hundreds of them
SETTLED = 1e-4  # of the whole: what may be uncertain where these did not do
FROM, TO = 1e-3, 1e-6  # of a panel's first width: distances between which the growth towards a point is read
DIVERGES = 0.99  # an integrand like distance^-p has no finite integral from p = 1 on
TAIL, FAINT = math.log(1e-9), -300.0  # an integrand that is above this share of the whole, and above e^FAINT, at `REACH` has not died away
UNDEFINED = 1e-12  # a share of inputs that no network meets
PIECE = 65_536  # elements; half a megabyte in float64
LARGEST = 1e4  # stands for ln ∞: above ln of the square of any float64


@dataclass(frozen=True, slots=True)
class Moments:
    """Of φ(z), z ~ N(0, q), for every q asked for. Logarithms are natural: -inf is a 0, inf diverges, NaN is not to be had."""

    mean: Array  # E[φ]; NaN where E|φ| is infinite
    log_mean_square: Array  # ln E[φ²]
    log_slope_square: Array  # ln E[φ'²]


def value_and_slope(function: Function, x: Tensor) -> tuple[Tensor, Tensor]:
    """φ(x) and φ'(x), by autograd, of x's shape and detached. In pieces, so that what an expression keeps of its parts is never much."""
    values: list[Tensor] = []
    slopes: list[Tensor] = []
    for piece in torch.split(x.detach().flatten(), PIECE):
        leaf = piece.clone().requires_grad_()
        value = function(leaf)
        values.append(value.detach())
        slopes += torch.autograd.grad(value.sum(), leaf) if value.requires_grad else [torch.zeros_like(leaf)]
    return torch.cat(values).view(x.shape), torch.cat(slopes).view(x.shape)


def gaussian_moments(function: Function, log_q: Array) -> Moments:
    """E[φ(z)], E[φ(z)²] and E[φ'(z)²] for z ~ N(0, q), φ' by autograd; NaN where φ or φ' is not a number for some z.

    Args:
        log_q: (k,) natural logarithm of the variance, so that one far below 1e-308 is no special case.
    """

    def quantities(value: Tensor, slope: Tensor) -> Sequence[Tensor]:
        return *log_parts(value), 2 * value.abs().log(), 2 * slope.abs().log()

    logs, undefined = log_expectations(function, log_q, quantities)
    logs = np.where((undefined > UNDEFINED)[:, None], math.nan, logs)
    return Moments(parts_mean(logs[:, :2]), logs[:, 2], logs[:, 3])


def log_parts(value: Tensor) -> tuple[Tensor, Tensor]:
    """ln of the positive and of the negative part, two quantities for `log_expectations`."""
    size = value.abs().log()
    return size.where(value > 0, -math.inf), size.where(value < 0, -math.inf)


def parts_mean(logs: Array) -> Array:
    """E[φ] from the expectations (k, 2) of `log_parts`; NaN where one of them is infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.exp(logs[:, 0]) - np.exp(logs[:, 1])
    return np.where(np.isfinite(mean), mean, math.nan)


def log_expectations(
    function: Function, log_q: Array, quantities: Callable[[Tensor, Tensor], Sequence[Tensor]], mean: float = 0.0
) -> tuple[Array, Array]:
    """ln E[g(φ(z), φ'(z))] for z ~ N(mean, q) and some g ≥ 0, by Gauss-Legendre panels that are cut until that changes nothing.

    Args:
        log_q: (k,) natural logarithm of the variance.
        quantities: from φ and φ', of one shape, to ln g for m of them.

    Returns:
        (k, m), of those z for which φ and φ' are numbers: inf where g grows too fast towards a point, or has not died away at `REACH`
        standard deviations; NaN where there is no such z, or where φ is too wild for `MOST_PANELS`. And the probability (k,) of all
        other z.
    """
    integrand = _Integrand(function, np.exp(0.5 * np.asarray(log_q, dtype=np.float64)), mean, quantities)
    row, low, high = integrand.panels()
    width, (logs, _) = high - low, integrand.over(row, low, high)
    total = np.full((len(log_q), logs.shape[1]), -math.inf)
    infinite, unsettled = np.zeros(total.shape, dtype=bool), np.zeros(total.shape)
    budget = MOST_PANELS[0] + MOST_PANELS[1] * len(log_q)
    for level in range(1, DEEPEST + 1):
        middle = low + CUT * (high - low)
        (left, beyond_left), (right, beyond_right) = integrand.over(row, low, middle), integrand.over(row, middle, high)
        both = np.logaddexp(left, right)
        whole = _added(total, row, both)[row]
        whole = np.where(np.isfinite(whole), whole, 0.0)
        with np.errstate(over="ignore", invalid="ignore"):
            change = np.abs(np.exp(both - whole) - np.exp(logs - whole))
            change += TOLERANCE / HIDDEN * np.exp(np.maximum(beyond_left, beyond_right) - whole)
        budget -= len(row)
        cut = change.max(axis=1) > TOLERANCE
        deep = cut & ((level == DEEPEST) | integrand.narrow(row, low, high))
        if deep.any():
            grows = integrand.growth(row[deep], middle[deep], width[deep]) >= DIVERGES
            np.logical_or.at(infinite, row[deep], grows & (change[deep] > TOLERANCE))
            cut &= ~deep
        if budget < 0:
            np.add.at(unsettled, row[cut], change[cut])
            cut[:] = False
        total = _added(total, row[~cut], both[~cut])
        if not cut.any():
            break
        logs = np.concatenate([left[cut], right[cut]])
        low, middle, high = low[cut], middle[cut], high[cut]
        low, high = np.append(low, middle), np.append(middle, high)
        row, width = np.tile(row[cut], 2), np.tile(width[cut], 2)
    undefined = np.minimum(np.exp(total[:, 0]), 1.0)
    total = np.where((unsettled > SETTLED) | (undefined > 1.0 - UNDEFINED)[:, None], math.nan, total)
    infinite |= integrand.lasting(total) | (total > LARGEST / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(infinite, math.inf, total - np.log1p(-undefined)[:, None])[:, 1:], undefined


@dataclass(frozen=True, eq=False)
class _Integrand:
    """ln of a density of N(0, 1), times 1 where φ or φ' is not a number, else times each g; over z for the distributions in `row`."""

    function: Function
    std: Array  # (k,)
    mean: float
    quantities: Callable[[Tensor, Tensor], Sequence[Tensor]]

    def at(self, row: Rows, z: Array) -> Array:
        """At z (p, n) of the distributions `row` (p,): (p, n, 1 + m)."""
        value, slope = value_and_slope(self.function, torch.from_numpy(self.mean + self.std[row][:, None] * z))
        undefined = value.isnan() | slope.isnan()
        logs = [log.where(~undefined, -math.inf) for log in self.quantities(value, slope)]
        stacked: Array = torch.stack([undefined.double().log(), *logs], dim=2).clamp(max=LARGEST).numpy()
        return stacked - (0.5 * z * z + 0.5 * math.log(2 * math.pi))[:, :, None]

    def over(self, row: Rows, low: Array, high: Array) -> tuple[Array, Array]:
        """Integrated over panels (p,), and what beyond their outermost nodes a jump may hide: (p, 1 + m) each."""
        half = (high - low)[:, None] / 2
        logs = self.at(row, low[:, None] + half * (1 + np.append(NODES, ENDS)))
        largest = logs.max(axis=1)
        offset = np.where(np.isfinite(largest), largest, 0.0)
        values = np.exp(logs - offset[:, None])
        inner, ends = values[:, :-2], values[:, -2:]
        hidden = np.abs(ends - np.einsum("en,pnm->pem", AT_ENDS, inner)).max(axis=1)
        with np.errstate(divide="ignore"):
            offset = offset + np.log(half)
            return offset + np.log(np.einsum("n,pnm->pm", WEIGHTS, inner)), offset + np.log(BEYOND * hidden)

    def panels(self) -> tuple[Rows, Array, Array]:
        """The panels to begin with: `row`, and from where to where."""
        places, ends = np.array([0.0, *PLACES, *(-place for place in PLACES)]), []
        for std in self.std:
            with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
                more = (places - self.mean) / std
            ends.append(np.unique([*STEPS, *(-step for step in STEPS), *more[np.abs(more) < REACH]]))
        row = np.repeat(np.arange(len(ends)), [len(one) - 1 for one in ends])
        return row, np.concatenate([one[:-1] for one in ends]), np.concatenate([one[1:] for one in ends])

    def narrow(self, row: Rows, low: Array, high: Array) -> NDArray[np.bool_]:
        """Whether a panel has hardly any different x in it."""
        x = np.maximum(np.abs(self.mean + self.std[row] * low), np.abs(self.mean + self.std[row] * high))
        narrow: NDArray[np.bool_] = self.std[row] * (high - low) < NARROWEST * np.maximum(x, abs(self.mean))
        return narrow

    def growth(self, row: Rows, z: Array, width: Array) -> Array:
        """p of an integrand that grows like distance^-p towards z (p,): (p, 1 + m), of the side where it grows more."""
        sides = [self.at(row, z[:, None] + sign * width[:, None] * [FROM, TO]) for sign in (-1, 1)]
        with np.errstate(invalid="ignore"):
            powers = [(logs[:, 1] - logs[:, 0]) / math.log(FROM / TO) for logs in sides]
        grown: Array = np.fmax(*powers)
        return grown

    def lasting(self, total: Array) -> NDArray[np.bool_]:
        """Which integrands, of integrals `total` (k, 1 + m), have not died away at `REACH`."""
        ends = self.at(np.arange(len(total)), np.tile([-REACH, REACH], (len(total), 1))).max(axis=1)
        lasting: NDArray[np.bool_] = ends > np.maximum(total + TAIL, FAINT)
        return lasting


def _added(total: Array, row: Rows, logs: Array) -> Array:
    """`total` (k, m) with panels (p, m) of those rows added, all as logarithms."""
    largest = total.copy()
    np.maximum.at(largest, row, logs)
    offset = np.where(np.isfinite(largest), largest, 0.0)
    sums = np.exp(total - offset)
    np.add.at(sums, row, np.exp(logs - offset[row]))
    with np.errstate(divide="ignore"):
        added: Array = offset + np.log(sums)
    return added
