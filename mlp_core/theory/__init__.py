"""What is predicted: growth of matrix products, and expectations over a normal variate."""

from mlp_core.theory.expectations import Array
from mlp_core.theory.lyapunov import critical_scale, lyapunov_exponents, lyapunov_variances

__all__ = ["Array", "critical_scale", "lyapunov_exponents", "lyapunov_variances"]
