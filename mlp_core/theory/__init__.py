"""What is predicted: growth of matrix products, variance of signal and gradient through depth, expectations over a normal variate."""

from mlp_core.theory.expectations import Array
from mlp_core.theory.lyapunov import critical_scale, lyapunov_exponents, lyapunov_variances
from mlp_core.theory.mean_field import DepthPrediction, RandomLayer, mean_field, softmax_residual

__all__ = [
    "Array", "DepthPrediction", "RandomLayer", "critical_scale", "lyapunov_exponents", "lyapunov_variances", "mean_field",
    "softmax_residual",
]  # fmt: skip
