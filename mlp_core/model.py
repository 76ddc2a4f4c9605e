"""From a `RunSpec` to a network: the interface `Network`, its "concise" implementation with `nn.Sequential`, and what it costs.

Knows no data, no training step and no epoch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from mlp_core.activations import Activation
from mlp_core.expression import resolve
from mlp_core.initializers import initial_parameters
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


class Network(Protocol):
    """What training, probes and pictures need of a network, however it is written. Inputs x are (n, d), labels (n,) or targets (n, out)."""

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


def squared(outputs: Tensor, targets: Tensor) -> Tensor:
    """½‖o − y‖², averaged over the batch, as in d2l section 3.4."""
    return (outputs - targets).square().sum(dim=1).mean() / 2


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"cross_entropy": F.cross_entropy, "squared": squared}


def build(
    spec: RunSpec, sizes: tuple[int, ...], device: torch.device = CPU, *, loss: str = "cross_entropy", dtype: torch.dtype = torch.float32
) -> Concise:
    """The network of `spec` from PyTorch's own modules.

    Args:
        sizes: width of every layer, input and output included.
        loss: a name in `LOSSES`.
        dtype: float64 for a laboratory where float32 would underflow; the initial weights are the float32 ones either way.
    """
    activation, generator = resolve(spec.activation), generator_for(spec, "dropout", device)
    drawn = initial_parameters(spec, sizes, generator_for(spec, "init"))
    modules: list[nn.Module] = []
    for index, (weight, bias) in enumerate(drawn):
        modules.append(_linear(weight.to(device, dtype), bias.to(device, dtype)))
        if index < len(spec.hidden):
            modules.append(Elementwise(activation, spec.activation_parameter, device, dtype))
            if spec.dropout and spec.dropout[index] > 0:
                modules.append(Dropout(spec.dropout[index], generator))
    return Concise(nn.Sequential(*modules), generator, LOSSES[loss])


class Concise:
    """A `Network` that is an `nn.Sequential` of linear layers, activations and dropout.

    Evaluation runs through a second `nn.Sequential` of the same modules without dropout, rather than switch a mode that a training
    thread would see.
    """

    def __init__(self, net: nn.Sequential, generator: Generator, loss: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.net = net
        self.loss_of = loss
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
        return copied_state(self.parameters(), self._generator)

    def load_state(self, state: NetworkState) -> None:
        restore_state(state, self.parameters(), self._generator)


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


def copied_state(parameters: list[Tensor], generator: Generator) -> NetworkState:
    return NetworkState(tuple(parameter.detach().clone() for parameter in parameters), generator.get_state())


@torch.no_grad()
def restore_state(state: NetworkState, parameters: list[Tensor], generator: Generator) -> None:
    for parameter, saved in zip(parameters, state.parameters, strict=True):
        parameter.copy_(saved)
    generator.set_state(state.dropout)


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    """An `nn.Linear` that holds these tensors; on the meta device it draws no numbers of its own first."""
    linear = nn.Linear(weight.shape[1], weight.shape[0], device="meta")
    linear.weight, linear.bias = nn.Parameter(weight), nn.Parameter(bias)
    return linear


@dataclass(frozen=True, slots=True)
class LayerCount:
    """One layer: weight of `shape` (n_in, n_out) and outputs (batch_size, n_out)."""

    name: str
    shape: tuple[int, int]
    parameters: int
    activation_shape: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Counts:
    """What a network holds and costs. The bytes are those of float32 tensors; the library around them is not counted."""

    layers: tuple[LayerCount, ...]
    parameters: int
    flops_per_image: int
    weight_bytes: int
    gradient_bytes: int
    optimizer_bytes: int
    activation_bytes: int


def count(spec: RunSpec, sizes: tuple[int, ...]) -> Counts:
    """Count parameters, operations and memory of `spec`'s network.

    An output of a layer costs n_in multiplications and n_in additions (the bias is the last), an activation one operation more a unit;
    dropout is not counted. Memory for activations is what a backward pass over one batch keeps: the inputs, of a hidden layer
    pre-activation and activation (with dropout also mask and output), and the logits.
    """
    batch, hidden = spec.batch_size, len(spec.hidden)
    activation = resolve(spec.activation)
    alphas = 1 if activation.parameter is not None and activation.parameter.learnable else 0
    layers, flops, kept = [], 0, sizes[0]
    for index, (n_in, n_out) in enumerate(pairwise(sizes)):
        is_hidden = index < hidden
        name = f"hidden {index + 1}" if is_hidden else "output"
        layers.append(LayerCount(name, (n_in, n_out), (n_in + 1) * n_out + alphas * is_hidden, (batch, n_out)))
        flops += 2 * n_in * n_out + n_out * is_hidden
        dropped = is_hidden and bool(spec.dropout) and spec.dropout[index] > 0
        kept += n_out * (1 + is_hidden + 2 * dropped)
    parameters = sum(layer.parameters for layer in layers)
    averages = len(OPTIMIZERS[spec.optimizer].averages(spec))
    return Counts(
        layers=tuple(layers),
        parameters=parameters,
        flops_per_image=flops,
        weight_bytes=FLOAT32_BYTES * parameters,
        gradient_bytes=FLOAT32_BYTES * parameters,
        optimizer_bytes=FLOAT32_BYTES * parameters * averages,
        activation_bytes=FLOAT32_BYTES * kept * batch,
    )
