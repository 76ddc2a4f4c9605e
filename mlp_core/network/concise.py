"""The "concise" implementation of a network: `nn.Sequential`, as in d2l section 5.2."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from mlp_core.activations import Activation
from mlp_core.network.network import Layer, Network


class Concise(Network):
    """A `Network` that is an `nn.Sequential` of linear layers, activations and dropout.

    Evaluation runs through a second `nn.Sequential` of the same modules without dropout, rather than switch a mode that a training
    thread would see.
    """

    def _assemble(self, layers: Sequence[tuple[Tensor, Tensor]]) -> None:
        modules: list[nn.Module] = []
        for index, (weight, bias) in enumerate(layers):
            linear = nn.Linear(weight.shape[1], weight.shape[0], device="meta")  # where it draws no numbers of its own
            linear.weight, linear.bias = nn.Parameter(weight), nn.Parameter(bias)
            modules.append(linear)
            if index < len(layers) - 1:
                modules.append(Elementwise(self.activation, self._alpha(weight)))
        self._without_dropout = nn.Sequential(*modules)

    def set_dropout(self, dropout: Sequence[float]) -> None:
        modules, rest = list[nn.Module](), iter(dropout)
        for module in self._without_dropout:
            modules.append(module)
            if isinstance(module, Elementwise) and (p := next(rest, 0.0)) > 0:
                modules.append(Dropout(p, self._generator))
        self.net = nn.Sequential(*modules)

    def parameters(self) -> list[Tensor]:
        return list(self.net.parameters())

    @torch.no_grad()
    def logits(self, x: Tensor) -> Tensor:
        output: Tensor = self._without_dropout(x)
        return output

    def loss(self, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.net(x)
        return self.loss_of(logits, labels), logits.detach()

    def layers(self, x: Tensor) -> list[Layer]:
        layers: list[Layer] = []
        for module in self._without_dropout:
            x = module(x)
            if isinstance(module, nn.Linear):
                layers.append(Layer(module.weight, x, x))
            else:
                layers[-1] = Layer(layers[-1].weight, layers[-1].pre_activation, x)
        return layers

    def weights(self) -> list[tuple[Tensor, Tensor]]:
        return [(module.weight.detach(), module.bias.detach()) for module in self.net if isinstance(module, nn.Linear)]


class Elementwise(nn.Module):
    """An activation of the registry as a module; its parameter is learned where it comes as a tensor (prelu), else it is fixed."""

    def __init__(self, activation: Activation, alpha: float | Tensor | None) -> None:
        super().__init__()
        self.activation = activation
        self.alpha = nn.Parameter(alpha) if isinstance(alpha, Tensor) else alpha

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(x, self.alpha)


class Dropout(nn.Module):
    """h' = mask · h / (1 − p), so that E[h'] = h; the identity in evaluation. Srivastava et al. 2014; d2l section 5.6.

    Draws from its run's own generator: torch's global one is shared by every run of the process.
    """

    def __init__(self, p: float, generator: Generator) -> None:
        super().__init__()
        self.p, self.generator = p, generator

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0.0:
            return x
        if self.p == 1.0:
            return x * 0.0
        kept = torch.rand(x.shape, generator=self.generator, device=x.device) >= self.p
        return x * kept * (1.0 / (1.0 - self.p))
