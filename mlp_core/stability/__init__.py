"""Products of random matrices, and signal and gradient through depth: measured."""

from mlp_core.stability.depth import gradient_norms_by_depth
from mlp_core.stability.products import matrix_product_growth

__all__ = ["gradient_norms_by_depth", "matrix_product_growth"]
