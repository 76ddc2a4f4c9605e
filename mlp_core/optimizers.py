"""The registry of optimizers: update rules over lists of tensors, in place. Knows no network, no data and no epoch.

They are written here, with the same numbers as torch.optim's, because the first `torch.optim` object imports torch._dynamo and sympy:
1.3 s and 71 to 149 MB that a visitor would wait for and every server would keep.

Every rule runs over all tensors of a network in a few fused calls (torch._foreach_*). In the formulas w is a parameter, g its gradient
(with weight decay: g + lambda w), eta the learning rate, t the number of the step from 1. Both penalties act on every parameter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from mlp_core.spec import RunSpec

Tensors = list[Tensor]


@dataclass(frozen=True, slots=True)
class OptimizerState:
    """All that an optimizer remembers, copied."""

    t: int
    lr: float
    averages: tuple[tuple[Tensor, ...], ...]


class Optimizer:
    """One update rule at work on the parameters of one network.

    Args:
        parameters: leaf tensors; `step` reads their `.grad` and changes them in place.
        update: the rule to apply; the registry's own for `spec.optimizer` unless told.

    Attributes:
        lr: learning rate of the next step; may be set at any time.
        t: steps taken.
        averages: one list of tensors, shaped like the parameters, for every name in the rule's `averages`.
    """

    def __init__(self, spec: RunSpec, parameters: Sequence[Tensor], update: Callable[[Optimizer, Tensors], None] | None = None) -> None:
        rule = OPTIMIZERS[spec.optimizer]
        self.spec, self.lr, self.t = spec, spec.lr, 0
        self.parameters = list(parameters)
        self.averages = [[torch.zeros_like(w) for w in self.parameters] for _ in rule.averages(spec)]
        self._update = update or rule.update

    @property
    def rate(self) -> float:
        """The learning rate in effect: `lr`, divided by the batch size if the spec says so."""
        return self.lr / self.spec.batch_size if self.spec.divide_by_batch else self.lr

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter once and let go of the gradients. A parameter without a gradient counts as having gradient 0."""
        gradients = [torch.zeros_like(w) if w.grad is None else w.grad for w in self.parameters]
        if self.spec.l1:
            torch._foreach_add_(gradients, torch._foreach_sign(self.parameters), alpha=self.spec.l1)
        self.t += 1
        self._update(self, gradients)
        for w in self.parameters:
            w.grad = None  # cheaper than zeroing: the next backward pass hands over its own tensor instead of adding to this one

    def state(self) -> OptimizerState:
        return OptimizerState(self.t, self.lr, tuple(tuple(a.clone() for a in average) for average in self.averages))

    def load_state(self, state: OptimizerState) -> None:
        self.t, self.lr = state.t, state.lr
        for average, saved in zip(self.averages, state.averages, strict=True):
            torch._foreach_copy_(average, saved)


def make_optimizer(spec: RunSpec, parameters: Sequence[Tensor]) -> Optimizer:
    """The optimizer that `spec` asks for, at work on `parameters`."""
    return Optimizer(spec, parameters)


@dataclass(frozen=True, slots=True)
class Rule:
    """One optimizer of the registry.

    Args:
        name: as in `RunSpec.optimizer`.
        label: for a person.
        latex: one update.
        reference: author, year, section.
        averages: spec -> names of what it keeps, each as large as the parameters.
        update: (optimizer, gradients): change the optimizer's parameters in place; may spoil the gradients.
    """

    name: str
    label: str
    latex: str
    reference: str
    averages: Callable[[RunSpec], tuple[str, ...]]
    update: Callable[[Optimizer, Tensors], None]


def _decay_gradient(optimizer: Optimizer, g: Tensors) -> None:
    if optimizer.spec.weight_decay:
        torch._foreach_add_(g, optimizer.parameters, alpha=optimizer.spec.weight_decay)


def _sgd(optimizer: Optimizer, g: Tensors) -> None:
    """v = mu v + g; w -= eta v, or with Nesterov w -= eta (g + mu v). Sutskever et al. 2013, section 2, in torch's arrangement."""
    _decay_gradient(optimizer, g)
    mu = optimizer.spec.momentum
    if mu:
        (v,) = optimizer.averages
        torch._foreach_mul_(v, mu)
        torch._foreach_add_(v, g)
        if optimizer.spec.nesterov:
            torch._foreach_add_(g, v, alpha=mu)
        else:
            g = v
    torch._foreach_add_(optimizer.parameters, g, alpha=-optimizer.rate)


def _adam(optimizer: Optimizer, g: Tensors) -> None:
    """m = b1 m + (1-b1) g; s = b2 s + (1-b2) g²; w -= eta m̂ / (sqrt(ŝ) + eps), m̂ = m/(1-b1^t), ŝ = s/(1-b2^t). Kingma and Ba 2015."""
    _decay_gradient(optimizer, g)
    _adam_step(optimizer, g)


def _adamw(optimizer: Optimizer, g: Tensors) -> None:
    """Adam with w -= eta lambda w first, which leaves the gradient alone. Loshchilov and Hutter 2019, alg. 2."""
    torch._foreach_mul_(optimizer.parameters, 1.0 - optimizer.rate * optimizer.spec.weight_decay)
    _adam_step(optimizer, g)


def _adam_step(optimizer: Optimizer, g: Tensors) -> None:
    spec, t = optimizer.spec, optimizer.t
    m, s = optimizer.averages
    torch._foreach_lerp_(m, g, 1.0 - spec.beta1)
    torch._foreach_mul_(s, spec.beta2)
    torch._foreach_addcmul_(s, g, g, 1.0 - spec.beta2)
    denominator = torch._foreach_sqrt(s)
    torch._foreach_div_(denominator, math.sqrt(1.0 - spec.beta2**t))
    torch._foreach_add_(denominator, spec.eps)
    torch._foreach_addcdiv_(optimizer.parameters, m, denominator, -optimizer.rate / (1.0 - spec.beta1**t))


def _rmsprop(optimizer: Optimizer, g: Tensors) -> None:
    """s = rho s + (1-rho) g²; u = g / (sqrt(s) + eps); v = mu v + u; w -= eta v. Tieleman and Hinton 2012, lecture 6.5."""
    _decay_gradient(optimizer, g)
    spec = optimizer.spec
    s = optimizer.averages[0]
    torch._foreach_mul_(s, spec.rho)
    torch._foreach_addcmul_(s, g, g, 1.0 - spec.rho)
    denominator = torch._foreach_sqrt(s)
    torch._foreach_add_(denominator, spec.eps)
    if spec.momentum:
        v = optimizer.averages[1]
        torch._foreach_mul_(v, spec.momentum)
        torch._foreach_addcdiv_(v, g, denominator)
        torch._foreach_add_(optimizer.parameters, v, alpha=-optimizer.rate)
    else:
        torch._foreach_addcdiv_(optimizer.parameters, g, denominator, -optimizer.rate)


def _adagrad(optimizer: Optimizer, g: Tensors) -> None:
    """s = s + g²; w -= eta g / (sqrt(s) + eps). Duchi, Hazan and Singer 2011, section 1.1."""
    _decay_gradient(optimizer, g)
    (s,) = optimizer.averages
    torch._foreach_addcmul_(s, g, g, 1.0)
    denominator = torch._foreach_sqrt(s)
    torch._foreach_add_(denominator, optimizer.spec.eps)
    torch._foreach_addcdiv_(optimizer.parameters, g, denominator, -optimizer.rate)


_ADAM = (
    r"\mathbf{m} \leftarrow \beta_1 \mathbf{m} + (1-\beta_1)\,\mathbf{g},\quad"
    r"\mathbf{s} \leftarrow \beta_2 \mathbf{s} + (1-\beta_2)\,\mathbf{g}^2,\quad"
)
_ADAM_STEP = r"\eta\,\frac{\mathbf{m}/(1-\beta_1^t)}{\sqrt{\mathbf{s}/(1-\beta_2^t)} + \epsilon}"

OPTIMIZERS: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule(
            "sgd",
            "SGD",
            r"\mathbf{v} \leftarrow \mu\mathbf{v} + \mathbf{g},\quad \mathbf{w} \leftarrow \mathbf{w} - \eta\,\mathbf{v}",
            "Robbins and Monro 1951; momentum: Sutskever et al. 2013, section 2",
            lambda spec: ("v",) if spec.momentum else (),
            _sgd,
        ),
        Rule(
            "adam",
            "Adam",
            _ADAM + r"\mathbf{w} \leftarrow \mathbf{w} - " + _ADAM_STEP,
            "Kingma and Ba 2015, algorithm 1",
            lambda spec: ("m", "s"),
            _adam,
        ),
        Rule(
            "adamw",
            "AdamW",
            _ADAM + r"\mathbf{w} \leftarrow (1 - \eta\lambda)\,\mathbf{w} - " + _ADAM_STEP,
            "Loshchilov and Hutter 2019, algorithm 2",
            lambda spec: ("m", "s"),
            _adamw,
        ),
        Rule(
            "rmsprop",
            "RMSprop",
            r"\mathbf{s} \leftarrow \rho\,\mathbf{s} + (1-\rho)\,\mathbf{g}^2,\quad"
            r"\mathbf{v} \leftarrow \mu\mathbf{v} + \frac{\mathbf{g}}{\sqrt{\mathbf{s}} + \epsilon},\quad"
            r"\mathbf{w} \leftarrow \mathbf{w} - \eta\,\mathbf{v}",
            "Tieleman and Hinton 2012, lecture 6.5",
            lambda spec: ("s", "v") if spec.momentum else ("s",),
            _rmsprop,
        ),
        Rule(
            "adagrad",
            "AdaGrad",
            r"\mathbf{s} \leftarrow \mathbf{s} + \mathbf{g}^2,\quad"
            r"\mathbf{w} \leftarrow \mathbf{w} - \frac{\eta\,\mathbf{g}}{\sqrt{\mathbf{s}} + \epsilon}",
            "Duchi, Hazan and Singer 2011, section 1.1",
            lambda spec: ("s",),
            _adagrad,
        ),
    )
}
