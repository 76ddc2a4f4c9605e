"""Fashion-MNIST: find it, download it, verify it, read it; and the sample that is bundled with this package."""

from mlp_core.data.fashion_mnist import CLASS_NAMES, FULL_SET_HINT, Dataset, forget, load_fashion_mnist, load_sample
from mlp_core.data.files import DataError

__all__ = ["CLASS_NAMES", "FULL_SET_HINT", "DataError", "Dataset", "forget", "load_fashion_mnist", "load_sample"]
