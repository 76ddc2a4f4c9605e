"""The registry of losses: what the last layer computes, how many outputs it has, and what they say of a label.

Linear, logistic and softmax regression and the multilayer perceptrons above them are one network with different losses.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from mlp_core.words import Message


@dataclass(frozen=True, slots=True)
class Loss:
    """One loss, averaged over the batch, of outputs (n, out) and labels (n,), or targets (n, out).

    Args:
        name: in `LOSSES`.
        label: for a person: the output's function and the loss.
        output: what the outputs o mean, as a formula in plain text.
        formula: the loss of one image, in plain text.
        function: (outputs, labels) -> the loss, with PyTorch's own functions.
        scratch: the same from bare tensors, as in the book.
        gradient: (outputs, labels) -> ∂J/∂o (n, out), the derivative of the loss written out.
        batched: the same for S networks: outputs (S, out, n) and labels (S, n), or targets (S, n, out) -> (S,).
        scores: outputs (n, out) -> the score of every class (n, classes); None where outputs are numbers and not classes.
        single: whether there is one output, however many classes.
    """

    name: str
    label: str
    output: str
    formula: str
    function: Callable[[Tensor, Tensor], Tensor]
    scratch: Callable[[Tensor, Tensor], Tensor]
    gradient: Callable[[Tensor, Tensor], Tensor]
    batched: Callable[[Tensor, Tensor], Tensor]
    scores: Callable[[Tensor], Tensor] | None
    single: bool = True

    def outputs(self, *labels: Tensor) -> int:
        """How many outputs such labels need."""
        return 1 if self.single else max(int(part.max()) for part in labels) + 1

    def hits(self, outputs: Tensor, labels: Tensor) -> float:
        """How many labels (n,) the outputs get right; NaN where there is no right and wrong."""
        return math.nan if self.scores is None else int((self.scores(outputs).argmax(dim=1) == labels).sum().item())


def two_scores(logits: Tensor) -> Tensor:
    """One logit (n, 1) as the scores (n, 2) of two classes, the first of them fixed at 0: softmax then gives σ(o)."""
    return F.pad(logits, (1, 0))


def _scratch_cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """log Σ exp(o_k) − o_y."""
    largest = logits.max(dim=1, keepdim=True).values.detach()  # taken out before exp, which overflows from 89 on in float32
    log_sum_exp = largest + (logits - largest).exp().sum(dim=1, keepdim=True).log()
    return (log_sum_exp - logits.gather(1, y[:, None])).mean()


def _scratch_logistic(o: Tensor, y: Tensor) -> Tensor:
    """log(1 + e^−s), with s = o where y is 1 and −o where it is 0."""
    s = o[:, 0] * (2 * y - 1)
    return torch.logaddexp(torch.zeros_like(s), -s).mean()


LOSSES: dict[str, Loss] = {entry.name: entry for entry in (
    Loss(
        "cross_entropy", Message("softmax, cross-entropy"), "softmax(o)", "−log softmax(o)[y]",
        function=F.cross_entropy,
        scratch=_scratch_cross_entropy,
        gradient=lambda o, y: (torch.softmax(o, dim=1) - F.one_hot(y, o.shape[1])) / len(y),
        batched=lambda o, y: F.cross_entropy(o, y, reduction="none").mean(dim=1),
        scores=lambda o: o, single=False,
    ),
    Loss(
        "logistic", Message("sigmoid, cross-entropy"), "σ(o)", "−log σ(±o)",
        function=lambda o, y: F.cross_entropy(two_scores(o), y),
        scratch=_scratch_logistic,
        gradient=lambda o, y: (torch.sigmoid(o) - y[:, None]) / len(y),
        batched=lambda o, y: F.binary_cross_entropy_with_logits(o[:, 0], y.to(o.dtype), reduction="none").mean(dim=1),
        scores=two_scores,
    ),
    Loss(  # of several outputs, their sum: d2l section 3.4
        "squared", Message("identity, squared loss"), "o", "½(o − y)²",
        function=lambda o, y: (o - y).square().sum(dim=1).mean() / 2,
        scratch=lambda o, y: ((o - y) ** 2 / 2).sum() / len(y),
        gradient=lambda o, y: (o - y) / len(y),
        batched=lambda o, y: (o - y.mT).square().sum(dim=1).mean(dim=1) / 2,
        scores=None,
    ),
)}  # fmt: skip

CROSS_ENTROPY = LOSSES["cross_entropy"]
