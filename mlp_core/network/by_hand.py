"""Backpropagation written out, beside the chapter: d2l section 5.3. Autograd is asked for the slope of an activation at the most."""

import torch
from torch import Tensor

from mlp_core.network.scratch import Scratch, dropout


class ByHand(Scratch):
    """The network from bare tensors, with its gradients by the chain rule, from the output back to the first layer.

    In every layer Z = H W + b, and what goes into the next one is D ∘ φ(Z) with a dropout mask D (0 or 1 / (1 − p)). Backwards, from
    ∂J/∂O of the loss J, a mean over the batch:

        ∂J/∂W = Hᵀ ∂J/∂Z,   ∂J/∂b = 1ᵀ ∂J/∂Z,   ∂J/∂H = ∂J/∂Z Wᵀ,   and one layer below ∂J/∂Z = ∂J/∂H ∘ D ∘ φ'(Z).
    """

    @torch.no_grad()
    def loss(self, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        self._kept: list[tuple[Tensor, Tensor, Tensor | None]] = []  # H, Z and D of every layer, for the way back
        H = x
        for index, (W, b) in enumerate(zip(self.W, self.b, strict=True)):
            Z, D = H @ W + b, None
            if index < len(self.dropout) and self.dropout[index] > 0:
                D = dropout(torch.ones_like(Z), self.dropout[index], self._generator)
            self._kept.append((H, Z, D))
            if index < len(self.alpha):
                H = self.phi(Z, index) if D is None else self.phi(Z, index) * D
        self._labels = labels
        return self.loss_of(Z, labels), Z

    @torch.no_grad()
    def backward(self, loss: Tensor) -> None:
        _, logits, _ = self._kept[-1]
        dJ_dZ = self._loss.gradient(logits, self._labels)
        while self._kept:
            H, _, _ = self._kept.pop()
            layer = len(self._kept)
            W, b = self.W[layer], self.b[layer]
            W.grad, b.grad = (H.T @ dJ_dZ).to(W.dtype), dJ_dZ.sum(dim=0)  # the product may be of a lower precision
            if layer > 0:
                _, Z, D = self._kept[-1]
                dJ_dH = dJ_dZ @ W.T
                dJ_dZ = self._through_phi(dJ_dH if D is None else dJ_dH * D, Z, layer - 1)

    def _through_phi(self, dJ_dH: Tensor, Z: Tensor, index: int) -> Tensor:
        """∂J/∂H ∘ φ'(Z). Where the registry has no φ', autograd of φ alone finds it, and ∂J/∂α of a learned α with it."""
        alpha, written = self.alpha[index], self.activation.derivative
        if written is not None:
            fixed = [] if self.activation.parameter is None else [self.activation.parameter.default if alpha is None else alpha]
            return dJ_dH * written[0](Z, *fixed)
        learned = [alpha] if isinstance(alpha, Tensor) else []
        with torch.enable_grad():
            Z.requires_grad_()
            dJ_dZ, *dJ_dalpha = torch.autograd.grad(self.phi(Z, index), [Z, *learned], dJ_dH)
        for parameter, gradient in zip(learned, dJ_dalpha, strict=True):
            parameter.grad = gradient
        return dJ_dZ
