"""The registry of optimizers: update rules over lists of tensors, in place.

They are written here, with the same numbers as torch.optim's, because the first `torch.optim` object imports torch._dynamo and sympy:
1.3 s and 71 to 149 MB that a visitor would wait for and every server would keep.

In the formulas w is a parameter, g its gradient (with weight decay: g + λw), η the learning rate, t the number of the step from 1. Both
penalties act on every parameter. A new optimizer is one entry of `OPTIMIZERS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mlp_core.words import Message

if TYPE_CHECKING:
    from mlp_core.spec import RunSpec

Tensors = list[Tensor]


@dataclass(frozen=True, slots=True)
class UpdateRule:
    """One optimizer of the registry.

    Args:
        name: as in `RunSpec.optimizer`.
        label: for a person.
        latex: one update; `plain_latex` the same without momentum.
        reference: author, year, section.
        usual_lr: the learning rate that the book and PyTorch start from; at it the chapter's networks learn.
        settings: the fields of `RunSpec` that it uses besides lr, weight_decay and l1, each as an argument of `torch_class`, or "".
        buffers: spec -> what it keeps, each as large as the parameters: symbol -> name in an exported program.
        update: (optimizer, gradients): change the optimizer's parameters in place, all in a few fused calls (torch._foreach_*); may spoil
            the gradients.
        scratch: (w, g, *buffers, lr, t, spec): the same for one parameter, as in the book.
        torch_class: its name in torch.optim; "" where PyTorch has none.
        summary: one update, in a sentence.
        code: the lines of an exported program that move one parameter w: a Jinja template of the spec's fields, of `gradient` ("w.grad"
            where no penalty is added to it) and `lr`; its names are those of `settings` and `buffers`, and w, g and t.
        decoupled: whether weight decay acts beside the gradient and not through it.
    """

    name: str
    label: str
    latex: str
    reference: str
    usual_lr: float
    settings: Mapping[str, str]
    buffers: Callable[[RunSpec], dict[str, str]]
    update: Callable[[Optimizer, Tensors], None]
    scratch: Callable[..., None]
    torch_class: str
    summary: str
    code: str
    decoupled: bool = False
    plain_latex: str = ""


@dataclass(frozen=True, slots=True)
class OptimizerState:
    """All that an optimizer remembers, copied."""

    t: int
    lr: float
    buffers: tuple[tuple[Tensor, ...], ...]


class Optimizer:
    """The update rule that `spec` asks for, at work on the parameters of one network.

    An L1 penalty is no part of the gradient: after its step a parameter moves by lr · l1 towards 0 and stops there, exactly (the
    proximal step; Parikh and Boyd 2014, section 6.5.2). The gradient of |w| alone would swing around 0 for ever.

    Args:
        spec: its implementation says whether all parameters are moved at once, or one after the other.
        parameters: leaf tensors; `step` reads their `.grad` and changes them in place.

    Attributes:
        lr: learning rate of the next step; may be set at any time.
        t: steps taken.
        buffers: one list of tensors, shaped like the parameters, for each of the rule's `buffers`.
    """

    def __init__(self, spec: RunSpec, parameters: Sequence[Tensor]) -> None:
        self.spec, self.lr, self.t = spec, spec.lr, 0
        self.parameters = list(parameters)
        self._rule = OPTIMIZERS[spec.optimizer]
        self.buffers = [[torch.zeros_like(w) for w in self.parameters] for _ in self._rule.buffers(spec)]

    @property
    def rate(self) -> float:
        """The learning rate in effect: `lr`, divided by the batch size if the spec says so."""
        return self.lr / self.spec.batch_size if self.spec.divide_by_batch else self.lr

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter once and let go of the gradients. A parameter without a gradient counts as having gradient 0."""
        gradients = [torch.zeros_like(w) if w.grad is None else w.grad for w in self.parameters]
        decay = 0.0 if self._rule.decoupled else self.spec.weight_decay
        self.t += 1
        if self.spec.implementation != "concise":
            for w, g, *buffers in zip(self.parameters, gradients, *self.buffers, strict=True):
                self._rule.scratch(w, g + decay * w if decay else g, *buffers, lr=self.rate, t=self.t, spec=self.spec)
        else:
            if decay:
                torch._foreach_add_(gradients, self.parameters, alpha=decay)
            self._rule.update(self, gradients)
        if self.spec.l1:
            reach = self.rate * self.spec.l1
            for w in self.parameters:
                w.sub_(w.clamp(-reach, reach))
        for w in self.parameters:
            w.grad = None  # cheaper than zeroing: the next backward pass hands over its own tensor instead of adding to this one

    def state(self) -> OptimizerState:
        return OptimizerState(self.t, self.lr, tuple(tuple(tensor.clone() for tensor in buffer) for buffer in self.buffers))

    def load_state(self, state: OptimizerState) -> None:
        self.t, self.lr = state.t, state.lr
        for buffer, saved in zip(self.buffers, state.buffers, strict=True):
            torch._foreach_copy_(buffer, saved)


def _sgd(optimizer: Optimizer, g: Tensors) -> None:
    """v = mu v + g; w -= eta v, or with Nesterov w -= eta (g + mu v). Sutskever et al. 2013, section 2, in torch's arrangement."""
    mu = optimizer.spec.momentum
    if mu:
        (v,) = optimizer.buffers
        torch._foreach_mul_(v, mu)
        torch._foreach_add_(v, g)
        if optimizer.spec.nesterov:
            torch._foreach_add_(g, v, alpha=mu)
        else:
            g = v
    torch._foreach_add_(optimizer.parameters, g, alpha=-optimizer.rate)


def _scratch_sgd(w: Tensor, g: Tensor, v: Tensor | None = None, *, lr: float, t: int, spec: RunSpec) -> None:
    if v is not None:
        v[...] = spec.momentum * v + g
        g = g + spec.momentum * v if spec.nesterov else v
    w -= lr * g


def _adam(optimizer: Optimizer, g: Tensors) -> None:
    """m = b1 m + (1-b1) g; s = b2 s + (1-b2) g²; w -= eta m̂ / (sqrt(ŝ) + eps), m̂ = m/(1-b1^t), ŝ = s/(1-b2^t). Kingma and Ba 2015."""
    spec, t = optimizer.spec, optimizer.t
    m, s = optimizer.buffers
    torch._foreach_lerp_(m, g, 1.0 - spec.beta1)
    torch._foreach_mul_(s, spec.beta2)
    torch._foreach_addcmul_(s, g, g, 1.0 - spec.beta2)
    denominator = torch._foreach_sqrt(s)
    torch._foreach_div_(denominator, math.sqrt(1.0 - spec.beta2**t))
    torch._foreach_add_(denominator, spec.eps)
    torch._foreach_addcdiv_(optimizer.parameters, m, denominator, -optimizer.rate / (1.0 - spec.beta1**t))


def _scratch_adam(w: Tensor, g: Tensor, m: Tensor, s: Tensor, *, lr: float, t: int, spec: RunSpec) -> None:
    w -= lr * _adam_direction(g, m, s, t=t, spec=spec)


def _adam_direction(g: Tensor, m: Tensor, s: Tensor, *, t: int, spec: RunSpec) -> Tensor:
    """m̂ / (√ŝ + ε): m and s are moving averages of g and g², the hats correct them for having started at 0."""
    m[...] = spec.beta1 * m + (1 - spec.beta1) * g
    s[...] = spec.beta2 * s + (1 - spec.beta2) * g**2
    m_hat, s_hat = m / (1 - spec.beta1**t), s / (1 - spec.beta2**t)
    return m_hat / (s_hat.sqrt() + spec.eps)


def _adamw(optimizer: Optimizer, g: Tensors) -> None:
    """Adam with w -= eta lambda w first, which leaves the gradient alone. Loshchilov and Hutter 2019, alg. 2."""
    torch._foreach_mul_(optimizer.parameters, 1.0 - optimizer.rate * optimizer.spec.weight_decay)
    _adam(optimizer, g)


def _scratch_adamw(w: Tensor, g: Tensor, m: Tensor, s: Tensor, *, lr: float, t: int, spec: RunSpec) -> None:
    w -= lr * (_adam_direction(g, m, s, t=t, spec=spec) + spec.weight_decay * w)


def _rmsprop(optimizer: Optimizer, g: Tensors) -> None:
    """s = rho s + (1-rho) g²; u = g / (sqrt(s) + eps); v = mu v + u; w -= eta v. Tieleman and Hinton 2012, lecture 6.5."""
    spec = optimizer.spec
    s = optimizer.buffers[0]
    torch._foreach_mul_(s, spec.rho)
    torch._foreach_addcmul_(s, g, g, 1.0 - spec.rho)
    denominator = torch._foreach_sqrt(s)
    torch._foreach_add_(denominator, spec.eps)
    if spec.momentum:
        v = optimizer.buffers[1]
        torch._foreach_mul_(v, spec.momentum)
        torch._foreach_addcdiv_(v, g, denominator)
        torch._foreach_add_(optimizer.parameters, v, alpha=-optimizer.rate)
    else:
        torch._foreach_addcdiv_(optimizer.parameters, g, denominator, -optimizer.rate)


def _scratch_rmsprop(w: Tensor, g: Tensor, s: Tensor, v: Tensor | None = None, *, lr: float, t: int, spec: RunSpec) -> None:
    s[...] = spec.rho * s + (1 - spec.rho) * g**2
    u = g / (s.sqrt() + spec.eps)
    if v is not None:
        u = v[...] = spec.momentum * v + u
    w -= lr * u


def _adagrad(optimizer: Optimizer, g: Tensors) -> None:
    """s = s + g²; w -= eta g / (sqrt(s) + eps). Duchi, Hazan and Singer 2011, section 1.1."""
    (s,) = optimizer.buffers
    torch._foreach_addcmul_(s, g, g, 1.0)
    denominator = torch._foreach_sqrt(s)
    torch._foreach_add_(denominator, optimizer.spec.eps)
    torch._foreach_addcdiv_(optimizer.parameters, g, denominator, -optimizer.rate)


def _scratch_adagrad(w: Tensor, g: Tensor, s: Tensor, *, lr: float, t: int, spec: RunSpec) -> None:
    s += g**2
    w -= lr * g / (s.sqrt() + spec.eps)


_ADAM = (
    r"\mathbf{m} \leftarrow \beta_1 \mathbf{m} + (1-\beta_1)\,\mathbf{g},\quad"
    r"\mathbf{s} \leftarrow \beta_2 \mathbf{s} + (1-\beta_2)\,\mathbf{g}^2,\quad"
)
_ADAM_STEP = r"\eta\,\frac{\mathbf{m}/(1-\beta_1^t)}{\sqrt{\mathbf{s}/(1-\beta_2^t)} + \epsilon}"
_ADAM_CODE = """\
m[...] = beta1 * m + (1 - beta1) * g
s[...] = beta2 * s + (1 - beta2) * g**2
m_hat, s_hat = m / (1 - beta1**t), s / (1 - beta2**t)
w -= {{ lr }} * (m_hat / (s_hat.sqrt() + eps)"""
_ADAM_SETTINGS = {"beta1": "betas=(beta1, beta2)", "beta2": "", "eps": "eps=eps"}

_SGD_CODE = """\
{% if momentum %}
v[...] = momentum * v + g
w -= {{ lr }} * {{ "(g + momentum * v)" if nesterov else "v" }}
{% else %}
w -= {{ lr }} * {{ "w.grad" if gradient == "w.grad" else "g" }}
{% endif %}"""
_RMSPROP_CODE = """\
s[...] = rho * s + (1 - rho) * g**2
{% if momentum %}
v[...] = momentum * v + g / (s.sqrt() + eps)
w -= {{ lr }} * v
{% else %}
w -= {{ lr }} * (g / (s.sqrt() + eps))
{% endif %}"""

OPTIMIZERS: dict[str, UpdateRule] = {rule.name: rule for rule in (
    UpdateRule(
        "sgd", "SGD", r"\mathbf{v} \leftarrow \mu\mathbf{v} + \mathbf{g},\quad \mathbf{w} \leftarrow \mathbf{w} - \eta\,\mathbf{v}",
        Message("Robbins and Monro 1951; momentum: Sutskever et al. 2013, section 2"), 0.1,
        {"momentum": "momentum=momentum", "nesterov": "nesterov=True", "divide_by_batch": ""},
        lambda spec: {"v": "velocities"} if spec.momentum else {}, _sgd, _scratch_sgd,
        "SGD", Message("One step down the gradient g for every parameter w."), _SGD_CODE,
        plain_latex=r"\mathbf{w} \leftarrow \mathbf{w} - \eta\,\mathbf{g}",
    ),
    UpdateRule(
        "adam", "Adam", _ADAM + r"\mathbf{w} \leftarrow \mathbf{w} - " + _ADAM_STEP, Message("Kingma and Ba 2015, algorithm 1"), 0.001,
        _ADAM_SETTINGS, lambda spec: {"m": "means", "s": "squares"}, _adam, _scratch_adam,
        "Adam", Message("m and s are averages of g and g²; the hats correct them for having begun at 0."), _ADAM_CODE + ")",
    ),
    UpdateRule(
        "adamw", "AdamW", _ADAM + r"\mathbf{w} \leftarrow (1 - \eta\lambda)\,\mathbf{w} - " + _ADAM_STEP,
        Message("Loshchilov and Hutter 2019, algorithm 2"), 0.001,
        _ADAM_SETTINGS, lambda spec: {"m": "means", "s": "squares"}, _adamw, _scratch_adamw,
        "AdamW", Message("Adam, with the weight decay beside the averages and not in them."),
        _ADAM_CODE + '{{ " + weight_decay * w" if weight_decay else "" }})', decoupled=True,
    ),
    UpdateRule(
        "rmsprop", "RMSprop",
        r"\mathbf{s} \leftarrow \rho\,\mathbf{s} + (1-\rho)\,\mathbf{g}^2,\quad"
        r"\mathbf{v} \leftarrow \mu\mathbf{v} + \frac{\mathbf{g}}{\sqrt{\mathbf{s}} + \epsilon},\quad"
        r"\mathbf{w} \leftarrow \mathbf{w} - \eta\,\mathbf{v}",
        Message("Tieleman and Hinton 2012, lecture 6.5"), 0.001,
        {"rho": "alpha=rho", "eps": "eps=eps", "momentum": "momentum=momentum"},
        lambda spec: {"s": "squares", "v": "velocities"} if spec.momentum else {"s": "squares"}, _rmsprop, _scratch_rmsprop,
        "RMSprop", Message("s is the moving average of g²."), _RMSPROP_CODE,
    ),
    UpdateRule(
        "adagrad", "AdaGrad",
        r"\mathbf{s} \leftarrow \mathbf{s} + \mathbf{g}^2,\quad"
        r"\mathbf{w} \leftarrow \mathbf{w} - \frac{\eta\,\mathbf{g}}{\sqrt{\mathbf{s}} + \epsilon}",
        Message("Duchi, Hazan and Singer 2011, section 1.1"), 0.01,
        {"eps": "eps=eps"}, lambda spec: {"s": "squares"}, _adagrad, _scratch_adagrad,
        "Adagrad", Message("s is the sum of all g² so far."), "s += g**2\nw -= {{ lr }} * g / (s.sqrt() + eps)",
    ),
)}  # fmt: skip
