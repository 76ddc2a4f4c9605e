"""From a `RunSpec` to a network: with `nn.Sequential` ("concise"), from bare tensors ("scratch"), or several seeds in one (`batched`)."""

from mlp_core.network.concise import Concise
from mlp_core.network.network import Counts, Layer, Network, count, generator_for
from mlp_core.network.scratch import Scratch

__all__ = ["NETWORKS", "Concise", "Counts", "Layer", "Network", "Scratch", "count", "generator_for"]

NETWORKS: dict[str, type[Network]] = {"concise": Concise, "scratch": Scratch}  # by `RunSpec.implementation`
