"""The network and its optimizers from bare tensors, beside the chapter: d2l sections 5.2 and 12; neither `nn.Module` nor `torch.optim`.

It starts from the weights of the concise implementation and draws the same dropout masks: both print the same numbers, rounding apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor

from mlp_core.network.network import Layer, Network
from mlp_core.optimizers import Optimizer
from mlp_core.spec import RunSpec


def dropout(H: Tensor, p: float, generator: Generator) -> Tensor:
    """mask · h / (1 − p): on average what went in."""
    if p == 1:
        return 0.0 * H
    mask = torch.rand(H.shape, generator=generator, device=H.device) >= p
    return mask * H / (1 - p)


class Scratch(Network):
    """A `Network`: H = φ(XW₁ + b₁), O = HW₂ + b₂, for any number of hidden layers. Weights W are (n_in, n_out), as in the book."""

    def _assemble(self, layers: Sequence[tuple[Tensor, Tensor]], dropout: Sequence[float]) -> None:
        self.W = [weight.T.contiguous().requires_grad_() for weight, _ in layers]
        self.b = [bias.requires_grad_() for _, bias in layers]
        self.alpha = [self._alpha(weight) for weight, _ in layers[:-1]]
        for alpha in self.alpha:
            if isinstance(alpha, Tensor):
                alpha.requires_grad_()
        self.dropout = dropout

    def forward(self, X: Tensor, *, training: bool) -> list[Layer]:
        layers: list[Layer] = []
        H = X
        for index, (W, b) in enumerate(zip(self.W, self.b, strict=True)):
            Z = H @ W + b
            H = self.phi(Z, index) if index < len(self.alpha) else Z
            layers.append(Layer(W, Z, H))
            if training and index < len(self.dropout) and self.dropout[index] > 0:
                H = dropout(H, self.dropout[index], self._generator)
        return layers

    def phi(self, Z: Tensor, index: int) -> Tensor:
        return self.activation.scratch[0](Z) if self.activation.scratch else self.activation(Z, self.alpha[index])

    def logits(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            return self.forward(x, training=False)[-1].activation

    def loss(self, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.forward(x, training=True)[-1].activation
        return self.loss_of(logits, labels), logits.detach()

    def loss_of(self, logits: Tensor, labels: Tensor) -> Tensor:
        return self._loss.scratch(logits, labels)

    def layers(self, x: Tensor) -> list[Layer]:
        return self.forward(x, training=False)

    def parameters(self) -> list[Tensor]:
        learned = [a if isinstance(a, Tensor) else None for a in self.alpha] + [None]
        triples = zip(self.W, self.b, learned, strict=True)
        return [parameter for triple in triples for parameter in triple if parameter is not None]

    def weights(self) -> list[tuple[Tensor, Tensor]]:
        return [(W.detach().T, b.detach()) for W, b in zip(self.W, self.b, strict=True)]


def decayed(g: Tensor, w: Tensor, spec: RunSpec) -> Tensor:
    """g + λw: the gradient of the loss with the penalty λ/2 ‖w‖²."""
    return g + spec.weight_decay * w if spec.weight_decay else g


def sgd(w: Tensor, g: Tensor, v: Tensor | None = None, *, lr: float, t: int, spec: RunSpec) -> None:
    """w ← w − η g; with momentum v ← μv + g and w ← w − η v, or w ← w − η (g + μv) with Nesterov's."""
    g = decayed(g, w, spec)
    if v is not None:
        v[...] = spec.momentum * v + g
        g = g + spec.momentum * v if spec.nesterov else v
    w -= lr * g


def adam(w: Tensor, g: Tensor, m: Tensor, s: Tensor, *, lr: float, t: int, spec: RunSpec) -> None:
    """w ← w − η m̂ / (√ŝ + ε)."""
    w -= lr * adam_direction(decayed(g, w, spec), m, s, t=t, spec=spec)


def adamw(w: Tensor, g: Tensor, m: Tensor, s: Tensor, *, lr: float, t: int, spec: RunSpec) -> None:
    """w ← w − η (m̂ / (√ŝ + ε) + λw): the decay stays out of the averages."""
    w -= lr * (adam_direction(g, m, s, t=t, spec=spec) + spec.weight_decay * w)


def adam_direction(g: Tensor, m: Tensor, s: Tensor, *, t: int, spec: RunSpec) -> Tensor:
    """m̂ / (√ŝ + ε): m and s are moving averages of g and g², the hats correct them for having started at 0."""
    m[...] = spec.beta1 * m + (1 - spec.beta1) * g
    s[...] = spec.beta2 * s + (1 - spec.beta2) * g**2
    m_hat, s_hat = m / (1 - spec.beta1**t), s / (1 - spec.beta2**t)
    return m_hat / (s_hat.sqrt() + spec.eps)


def rmsprop(w: Tensor, g: Tensor, s: Tensor, v: Tensor | None = None, *, lr: float, t: int, spec: RunSpec) -> None:
    """w ← w − η g / (√s + ε), with s the moving average of g²; momentum as in sgd."""
    g = decayed(g, w, spec)
    s[...] = spec.rho * s + (1 - spec.rho) * g**2
    u = g / (s.sqrt() + spec.eps)
    if v is not None:
        u = v[...] = spec.momentum * v + u
    w -= lr * u


def adagrad(w: Tensor, g: Tensor, s: Tensor, *, lr: float, t: int, spec: RunSpec) -> None:
    """w ← w − η g / (√s + ε), with s the sum of all g² so far."""
    g = decayed(g, w, spec)
    s += g**2
    w -= lr * g / (s.sqrt() + spec.eps)


UPDATES: dict[str, Callable[..., None]] = {"sgd": sgd, "adam": adam, "adamw": adamw, "rmsprop": rmsprop, "adagrad": adagrad}


def make_optimizer(spec: RunSpec, parameters: Sequence[Tensor]) -> Optimizer:
    """The optimizer of `spec`, which updates one tensor after the other with the rules above."""

    def update(optimizer: Optimizer, gradients: list[Tensor]) -> None:
        for w, g, *averages in zip(optimizer.parameters, gradients, *optimizer.averages, strict=True):
            UPDATES[spec.optimizer](w, g, *averages, lr=optimizer.rate, t=optimizer.t, spec=spec)

    return Optimizer(spec, parameters, update)
