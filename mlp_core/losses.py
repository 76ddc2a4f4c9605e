"""What the last layer means: its loss, its number of outputs and what they say of a label. Knows no network and no page.

Linear, logistic and softmax regression and the multilayer perceptrons above them are one machine with different ends.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor


def two_scores(logits: Tensor) -> Tensor:
    """One logit (n, 1) as the scores (n, 2) of two classes, the first of them fixed at 0: softmax then gives σ(o)."""
    return F.pad(logits, (1, 0))


@dataclass(frozen=True, slots=True)
class End:
    """One kind of last layer.

    Args:
        name: in `ENDS`.
        label: for a person: the output's function and the loss.
        loss: a name in `mlp_core.network.concise.LOSSES`.
        scores: outputs (n, out) -> the score of every class (n, classes); None where outputs are numbers and not classes.
        single: whether there is one output, however many classes.
    """

    name: str
    label: str
    loss: str
    scores: Callable[[Tensor], Tensor] | None
    single: bool = True

    def outputs(self, *labels: Tensor) -> int:
        """How many outputs such labels need."""
        return 1 if self.single else max(int(part.max()) for part in labels) + 1

    def hits(self, outputs: Tensor, labels: Tensor) -> float:
        """How many labels (n,) the outputs get right; NaN where there is no right and wrong."""
        return math.nan if self.scores is None else int((self.scores(outputs).argmax(dim=1) == labels).sum().item())


SOFTMAX = End("softmax", "softmax, cross-entropy", "cross_entropy", lambda logits: logits, single=False)
ENDS: dict[str, End] = {
    end.name: end
    for end in (
        SOFTMAX,
        End("logistic", "sigmoid, cross-entropy", "logistic", two_scores),
        End("regression", "identity, squared loss", "squared", None),
    )
}
