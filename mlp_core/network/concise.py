"""From a `RunSpec` to a network: the interface `Network`, its "concise" implementation with `nn.Sequential`, and what it costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import torch
from torch import Generator, Tensor, nn

from mlp_core.activations import Activation
from mlp_core.expression import resolve
from mlp_core.initializers import initial_parameters
from mlp_core.losses import CROSS_ENTROPY, Loss
from mlp_core.optimizers import OPTIMIZERS
from mlp_core.spec import RunSpec

CPU = torch.device("cpu")
FLOAT32_BYTES = 4
PURPOSES = ("init", "order", "dropout")  # what a run draws random numbers for, each from its own generator


def generator_for(spec: RunSpec, purpose: str, device: torch.device = CPU) -> Generator:
    """A fresh generator for one of `PURPOSES`, so that dropout does not change the order of the images, nor the order the weights."""
    return Generator(device).manual_seed(len(PURPOSES) * spec.seed + PURPOSES.index(purpose))


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer in a forward pass without dropout; the output layer's `activation` is its `pre_activation`, the logits.

    `weight` is the parameter itself, (n_out, n_in) or (n_in, n_out) as its implementation keeps it; the others are (n, n_out).
    """

    weight: Tensor
    pre_activation: Tensor
    activation: Tensor


@dataclass(frozen=True, slots=True)
class NetworkState:
    """All that a network remembers, copied: its parameters, and where the generator of its dropout masks stands."""

    parameters: tuple[Tensor, ...]
    dropout: Tensor

    @classmethod
    def of(cls, parameters: list[Tensor], generator: Generator) -> NetworkState:
        return cls(tuple(parameter.detach().clone() for parameter in parameters), generator.get_state())

    @torch.no_grad()
    def restore(self, parameters: list[Tensor], generator: Generator) -> None:
        for parameter, saved in zip(parameters, self.parameters, strict=True):
            parameter.copy_(saved)
        generator.set_state(self.dropout)


class Network(Protocol):
    """What training, probes and pictures need of a network, however it is written. Inputs x are (n, d), labels (n,) or targets (n, out).

    Attributes:
        activation: that of the hidden layers; `activation_parameter` is its own at the start of training, None for its default.
    """

    activation: Activation
    activation_parameter: float | None

    def parameters(self) -> list[Tensor]:
        """The leaf tensors that are learned, from input to output: weight, bias and, of a prelu, alpha, for every layer."""

    def logits(self, x: Tensor) -> Tensor:
        """Outputs (n, out) without dropout and without a graph."""

    def loss(self, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """One forward pass with dropout: the loss averaged over the batch, with its graph, and the logits (n, out), detached."""

    def loss_of(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss of these logits, averaged over the batch."""

    def layers(self, x: Tensor) -> list[Layer]:
        """A forward pass without dropout, with its graph, layer by layer; the output layer is the last."""

    def weights(self) -> list[tuple[Tensor, Tensor]]:
        """Views of weight (n_out, n_in) and bias (n_out,) of every layer, detached; they change as the network learns."""

    def state(self) -> NetworkState: ...

    def load_state(self, state: NetworkState) -> None: ...


def build(
    spec: RunSpec,
    sizes: tuple[int, ...],
    device: torch.device = CPU,
    *,
    loss: Loss = CROSS_ENTROPY,
    activation: Activation | None = None,
    dtype: torch.dtype = torch.float32,
) -> Network:
    """The network of `spec` from PyTorch's own modules.

    Args:
        sizes: width of every layer, input and output included.
        loss: what the outputs mean.
        activation: that of `spec`; looked up there if absent.
        dtype: float64 for a laboratory where float32 would underflow; the initial weights are the float32 ones either way.
    """
    activation, generator = activation or resolve(spec.activation), generator_for(spec, "dropout", device)
    drawn = initial_parameters(spec, sizes, generator_for(spec, "init"))
    modules: list[nn.Module] = []
    for index, (weight, bias) in enumerate(drawn):
        linear = nn.Linear(weight.shape[1], weight.shape[0], device="meta")  # where it draws no numbers of its own
        linear.weight, linear.bias = nn.Parameter(weight.to(device, dtype)), nn.Parameter(bias.to(device, dtype))
        modules.append(linear)
        if index < len(spec.hidden):
            modules.append(Elementwise(activation, spec.activation_parameter, device, dtype))
            if spec.dropout and spec.dropout[index] > 0:
                modules.append(Dropout(spec.dropout[index], generator))
    return Concise(nn.Sequential(*modules), generator, loss.function, activation, spec.activation_parameter)


class Concise:
    """A `Network` that is an `nn.Sequential` of linear layers, activations and dropout.

    Evaluation runs through a second `nn.Sequential` of the same modules without dropout, rather than switch a mode that a training
    thread would see.
    """

    def __init__(
        self,
        net: nn.Sequential,
        generator: Generator,
        loss: Callable[[Tensor, Tensor], Tensor],
        activation: Activation,
        alpha: float | None,
    ) -> None:
        self.net, self.loss_of = net, loss
        self.activation, self.activation_parameter = activation, alpha
        self._generator = generator
        self._without_dropout = nn.Sequential(*(module for module in net if not isinstance(module, Dropout)))

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

    def state(self) -> NetworkState:
        return NetworkState.of(self.parameters(), self._generator)

    def load_state(self, state: NetworkState) -> None:
        state.restore(self.parameters(), self._generator)


class Elementwise(nn.Module):
    """An activation of the registry as a module; its parameter is learned where the activation says so (prelu), else it is fixed."""

    def __init__(self, activation: Activation, value: float | None, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__()
        self.activation = activation
        self.value: float | Tensor | None = value
        if activation.parameter is not None and activation.parameter.learnable:
            initial = activation.parameter.default if value is None else value
            self.value = nn.Parameter(torch.tensor(initial, device=device, dtype=dtype))

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(x, self.value)


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


@dataclass(frozen=True, slots=True)
class LayerCount:
    """One layer: weight of `shape` (n_in, n_out), outputs of `activation_shape` (batch_size, n_out)."""

    name: str
    shape: tuple[int, int]
    parameters: int
    activation_shape: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Counts:
    """What a network holds and costs in float32; the library around it is not counted."""

    layers: tuple[LayerCount, ...]
    parameters: int
    flops_per_image: int
    weight_bytes: int
    gradient_bytes: int
    optimizer_bytes: int
    activation_bytes: int

    @property
    def training_bytes(self) -> int:
        """Everything that training keeps."""
        return self.weight_bytes + self.gradient_bytes + self.optimizer_bytes + self.activation_bytes


def count(spec: RunSpec, sizes: tuple[int, ...], activation: Activation | None = None) -> Counts:
    """Count the parameters, operations and bytes of `spec`'s network; `activation` is that of `spec`, looked up there if absent.

    A forward pass takes n_in multiplications and n_in additions an output (the last adds the bias), and one operation more for an
    activation; dropout is not counted. `activation_bytes` is what the backward pass of one batch may need: inputs, pre-activations,
    activations, and with dropout its masks and outputs.
    """
    parameter = (activation or resolve(spec.activation)).parameter
    alphas = int(parameter is not None and parameter.learnable)
    layers, flops, units = [], 0, sizes[0]
    for index, (n_in, n_out) in enumerate(pairwise(sizes)):
        hidden = index < len(spec.hidden)
        dropped = hidden and any(spec.dropout[index : index + 1])
        name = f"hidden {index + 1}" if hidden else "output"
        layers.append(LayerCount(name, (n_in, n_out), (n_in + 1) * n_out + alphas * hidden, (spec.batch_size, n_out)))
        flops += 2 * n_in * n_out + n_out * hidden
        units += n_out * (1 + hidden + 2 * dropped)
    parameters = sum(layer.parameters for layer in layers)
    return Counts(
        layers=tuple(layers),
        parameters=parameters,
        flops_per_image=flops,
        weight_bytes=FLOAT32_BYTES * parameters,
        gradient_bytes=FLOAT32_BYTES * parameters,
        optimizer_bytes=FLOAT32_BYTES * parameters * len(OPTIMIZERS[spec.optimizer].averages(spec)),
        activation_bytes=FLOAT32_BYTES * units * spec.batch_size,
    )
