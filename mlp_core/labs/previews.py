"""The small computations behind the home page's figures. Numpy alone: the first page does not wait for torch."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def sigmoid_with_gradient(points: int = 121) -> tuple[Array, Array, Array]:
    """x from -8 to 8, σ(x) and σ'(x) = σ(x)(1 − σ(x)), each (points,)."""
    x = np.linspace(-8.0, 8.0, points)
    value = 1.0 / (1.0 + np.exp(-x))
    return x, value, value * (1.0 - value)


def product_sizes(trials: int = 12, factors: int = 60, n: int = 4, seed: int = 0) -> Array:
    """log10 of max|M| for products M of k random n x n N(0, 1) matrices, k = 1..factors: (trials, factors)."""
    generator = np.random.default_rng(seed)
    product = np.broadcast_to(np.eye(n), (trials, n, n))
    sizes = np.empty((trials, factors))
    for k in range(factors):
        product = product @ generator.standard_normal((trials, n, n))
        sizes[:, k] = np.log10(np.abs(product).max(axis=(1, 2)))
    return sizes


def xor_by_hidden_units(points: int = 61) -> tuple[Array, Array]:
    """XOR by four ReLU units: the axis (points,) and the output (points, points) over the plane, y down the rows.

    relu(x − y) + relu(y − x) − relu(x + y) − relu(−x − y) = |x − y| − |x + y| is positive just where x and y differ in sign.
    """
    axis = np.linspace(-1.0, 1.0, points)
    x, y = np.meshgrid(axis, axis)
    relu = np.maximum
    return axis, relu(x - y, 0) + relu(y - x, 0) - relu(x + y, 0) - relu(-x - y, 0)


def fitted_too_well(points: int = 121, degree: int = 14, samples: int = 16, seed: int = 1) -> tuple[Array, Array, Array, Array, Array]:
    """A cubic and the polynomial that least squares fits to few noisy points of it: x, cubic and fit (points,), xs and ys (samples,)."""
    generator = np.random.default_rng(seed)
    xs = np.sort(generator.uniform(-1.0, 1.0, samples))
    x = np.linspace(xs[0], xs[-1], points)

    def cubic(at: Array) -> Array:
        return 1.2 * at - 3.4 * at**2 / 2 + 5.6 * at**3 / 6

    ys = cubic(xs) + generator.normal(0.0, 0.25, samples)
    fit = np.polynomial.Polynomial.fit(xs, ys, degree)
    return x, cubic(x), np.asarray(fit(x), dtype=np.float64), xs, ys


def bowl(points: int = 61, at: tuple[float, float] = (1.8, 0.9)) -> tuple[Array, Array, Array, tuple[float, float], tuple[float, float]]:
    """f = x² + 3y² over a plane twice as wide as high: x and y (points,), values (points, points), y down the rows; a point, ∇f there."""
    x, y = np.linspace(-4.0, 4.0, points), np.linspace(-2.0, 2.0, points)
    return x, y, x**2 + 3 * y[:, None] ** 2, at, (2 * at[0], 6 * at[1])
