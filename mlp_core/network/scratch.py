"""The network from bare tensors, beside the chapter: d2l section 5.2, without `nn.Module`.

It starts from the weights of the concise implementation and draws the same dropout masks: both print the same numbers, rounding apart.
"""

from collections import deque
from collections.abc import Iterator, Sequence

import torch
from torch import Generator, Tensor

from mlp_core.network.network import Layer, Network


def dropout(H: Tensor, p: float, generator: Generator) -> Tensor:
    """mask · h / (1 − p): on average what went in."""
    if p == 1:
        return 0.0 * H
    mask = torch.rand(H.shape, generator=generator, device=H.device) >= p
    return mask * H / (1 - p)


class Scratch(Network):
    """A `Network`: H = φ(XW₁ + b₁), O = HW₂ + b₂, for any number of hidden layers. Weights W are (n_in, n_out), as in the book."""

    def _assemble(self, layers: Sequence[tuple[Tensor, Tensor]]) -> None:
        self.W = [weight.T.contiguous().requires_grad_() for weight, _ in layers]
        self.b = [bias.requires_grad_() for _, bias in layers]
        self.alpha = [self._alpha(weight) for weight, _ in layers[:-1]]
        for alpha in self.alpha:
            if isinstance(alpha, Tensor):
                alpha.requires_grad_()

    def set_dropout(self, dropout: Sequence[float]) -> None:
        self.dropout = dropout or (0.0,) * len(self.alpha)

    def forward(self, X: Tensor, *, training: bool) -> Iterator[Layer]:
        H = X
        for index, (W, b) in enumerate(zip(self.W, self.b, strict=True)):
            Z = H @ W + b
            H = self.phi(Z, index) if index < len(self.alpha) else Z
            yield Layer(W, Z, H)
            if training and index < len(self.dropout) and self.dropout[index] > 0:
                H = dropout(H, self.dropout[index], self._generator)

    def phi(self, Z: Tensor, index: int) -> Tensor:
        return self.activation.scratch[0](Z) if self.activation.scratch else self.activation(Z, self.alpha[index])

    def logits(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            return self._output(x, training=False)

    def loss(self, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        logits = self._output(x, training=True)
        return self.loss_of(logits, labels), logits.detach()

    def _output(self, x: Tensor, *, training: bool) -> Tensor:
        return deque(self.forward(x, training=training), maxlen=1)[0].activation  # lets go of every layer as soon as the next is there

    def loss_of(self, logits: Tensor, labels: Tensor) -> Tensor:
        return self._loss.scratch(logits, labels)

    def layers(self, x: Tensor) -> list[Layer]:
        return list(self.forward(x, training=False))

    def parameters(self) -> list[Tensor]:
        learned = [a if isinstance(a, Tensor) else None for a in self.alpha] + [None]
        triples = zip(self.W, self.b, learned, strict=True)
        return [parameter for triple in triples for parameter in triple if parameter is not None]

    def weights(self) -> list[tuple[Tensor, Tensor]]:
        return [(W.detach().T, b.detach()) for W, b in zip(self.W, self.b, strict=True)]
