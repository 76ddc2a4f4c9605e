"""From a `RunSpec` to a network: with `nn.Sequential` ("concise"), from bare tensors ("scratch"), without autograd ("by_hand").

`batched` trains several seeds as one.
"""

from mlp_core.network.by_hand import ByHand
from mlp_core.network.concise import Concise
from mlp_core.network.network import Counts, Layer, Network, count, generator_for
from mlp_core.network.scratch import Scratch

__all__ = ["NETWORKS", "ByHand", "Concise", "Counts", "Layer", "Network", "Scratch", "count", "generator_for"]

NETWORKS: dict[str, type[Network]] = {"concise": Concise, "scratch": Scratch, "by_hand": ByHand}  # by `RunSpec.implementation`
