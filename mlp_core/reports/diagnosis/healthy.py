"""Where the numbers inside a network usually lie while it learns, with the source of each range.

Measured means: Fashion-MNIST, steps 100 to 700 of d2l's network, of five layers of 64 units (ReLU or GELU with He, tanh with Xavier), of
d2l's dropout network, of one sigmoid layer, and of d2l's network under Adam; rounded outward.
"""

from __future__ import annotations

Range = tuple[float, float]  # both ends included

MEAN: Range = (-0.5, 2.0)  # of a hidden layer's outputs; measured: -0.03 to 1.6
STD: Range = (0.1, 2.0)  # of a hidden layer's outputs; measured: 0.12 to 1.7. In front of a sigmoid that saturates it is larger
FLAT: Range = (0.0, 0.2)  # share of a hidden layer's units that are dead, or of its outputs that are saturated; measured: up to 0.18
GRADIENT: Range = (1e-2, 10.0)  # norm |dL/dW| of any layer; measured: 0.11 to 2.5. Once a loss is nearly 0, so are its gradients
# |W_after - W_before| / |W_before| of a step. Karpathy (makemore, part 3): about 10^-3, and far below it the lr is too low. Measured:
# 1.2e-3 to 0.11, while networks that stand still with an lr of 0.001 take 1e-4 to 2e-4.
UPDATE: Range = (10**-3.5, 0.1)
UPDATE_RULE = 1e-3  # Karpathy's rule of thumb
