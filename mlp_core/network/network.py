"""`Network`: what training, measuring and drawing need of a network, however it is written; and what one holds and costs."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Generator, Tensor

from mlp_core.activations import Activation
from mlp_core.expression import resolve
from mlp_core.initializers import initial_parameters
from mlp_core.losses import CROSS_ENTROPY, Loss
from mlp_core.optimizers import OPTIMIZERS
from mlp_core.spec import RunSpec, largest_batch, step_flops
from mlp_core.words import Message

CPU = torch.device("cpu")
FLOAT32_BYTES = 4
PROBE_IMAGES = 256  # on which layers are measured
TEST_PIECE_IMAGES = 1000  # of the test set in one go …
TEST_PIECE_FLOPS = 2_000_000_000  # … and what that may cost: about 50 ms on one core
IN_PASSING, PROBED_LAYER, TESTED_LAYER = 2, 8, 3  # of one layer: what a backward pass, statistics in float64, a test have at once
TRACED = 64  # elements
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


class Network(ABC):
    """The network of a `RunSpec`, with its initial weights. Inputs x are (n, d), labels (n,) or targets (n, out).

    Args:
        sizes: width of every layer, input and output included.
        loss: what the outputs mean.
        activation: that of `spec`; looked up there if absent.
        dtype: float64 where float32 would underflow; the initial weights are the float32 ones either way.

    Attributes:
        activation: that of the hidden layers; `activation_parameter` is its own at the start of training, None for its default.
    """

    def __init__(
        self,
        spec: RunSpec,
        sizes: tuple[int, ...],
        device: torch.device = CPU,
        *,
        loss: Loss = CROSS_ENTROPY,
        activation: Activation | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.activation, self.activation_parameter = activation or resolve(spec.activation), spec.activation_parameter
        self._loss, self._generator = loss, generator_for(spec, "dropout", device)
        drawn = initial_parameters(spec, sizes, generator_for(spec, "init"))
        layers = [(weight.to(device, dtype), bias.to(device, dtype)) for weight, bias in drawn]
        self._assemble(layers)
        self.set_dropout(spec.dropout)

    @abstractmethod
    def _assemble(self, layers: Sequence[tuple[Tensor, Tensor]]) -> None:
        """Make these the parameters: weight (n_out, n_in) and bias (n_out,) of every layer."""

    @abstractmethod
    def set_dropout(self, dropout: Sequence[float]) -> None:
        """Drop out with these probabilities from now on, one a hidden layer; () for none."""

    @abstractmethod
    def parameters(self) -> list[Tensor]:
        """The leaf tensors that are learned, from input to output: weight, bias and, of a prelu, alpha, for every layer."""

    @abstractmethod
    def logits(self, x: Tensor) -> Tensor:
        """Outputs (n, out) without dropout and without a graph."""

    @abstractmethod
    def loss(self, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """One forward pass with dropout: the loss averaged over the batch, for `backward`, and the logits (n, out), detached."""

    def backward(self, loss: Tensor) -> None:
        """Leave in every parameter's `.grad` the gradient of the loss that `loss` just returned."""
        loss.backward()  # type: ignore[no-untyped-call]

    def loss_of(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss of these logits, averaged over the batch."""
        return self._loss.function(logits, labels)

    @abstractmethod
    def layers(self, x: Tensor) -> list[Layer]:
        """A forward pass without dropout, with its graph, layer by layer; the output layer is the last."""

    @abstractmethod
    def weights(self) -> list[tuple[Tensor, Tensor]]:
        """Views of weight (n_out, n_in) and bias (n_out,) of every layer, detached; they change as the network learns."""

    @torch.no_grad()
    def state(self) -> NetworkState:
        return NetworkState(tuple(parameter.clone() for parameter in self.parameters()), self._generator.get_state())

    @torch.no_grad()
    def load_state(self, state: NetworkState) -> None:
        for parameter, saved in zip(self.parameters(), state.parameters, strict=True):
            parameter.copy_(saved)
        self._generator.set_state(state.dropout)

    def _alpha(self, weight: Tensor) -> float | Tensor | None:
        """The activation's parameter in one layer: a tensor where it is learned (prelu), else the fixed number, None for the default."""
        parameter = self.activation.parameter
        if parameter is None or not parameter.learnable:
            return self.activation_parameter
        initial = parameter.default if self.activation_parameter is None else self.activation_parameter
        return torch.tensor(initial, device=weight.device, dtype=weight.dtype)


@dataclass(frozen=True, slots=True)
class LayerCount:
    """One layer, with a weight of `shape` (n_in, n_out)."""

    name: str
    shape: tuple[int, int]
    parameters: int


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
    working_bytes: int

    @property
    def state_bytes(self) -> int:
        """What is held from step to step, gradients included."""
        return self.weight_bytes + self.gradient_bytes + self.optimizer_bytes

    @property
    def training_bytes(self) -> int:
        """What training takes at its peak."""
        return self.state_bytes + self.activation_bytes + self.working_bytes


def count(spec: RunSpec, sizes: tuple[int, ...], activation: Activation | None = None) -> Counts:
    """Count the parameters, operations and bytes of `spec`'s network; `activation` is that of `spec`, looked up there if absent.

    A forward pass takes n_in multiplications and n_in additions an output (the last adds the bias), and one operation more for an
    activation, or as many as an expression has; dropout is not counted. `activation_bytes` is what the backward pass of one batch may
    need: inputs, pre-activations, activations, what these keep of an expression's parts, and with dropout its masks and outputs.
    `working_bytes` is what comes and goes beside it: a copy of the weights to see what a step changed and what one layer needs in
    passing, or what a probe or a test takes beyond a batch.
    """
    chosen = activation or resolve(spec.activation)
    alphas = int(chosen.parameter is not None and chosen.parameter.learnable)
    layers, flops, units = [], 0, sizes[0]
    for index, (n_in, n_out) in enumerate(pairwise(sizes)):
        hidden = index < len(spec.hidden)
        dropped = hidden and any(spec.dropout[index : index + 1])
        name = Message("hidden {number}", number=index + 1) if hidden else Message("output")
        layers.append(LayerCount(name, (n_in, n_out), (n_in + 1) * n_out + alphas * hidden))
        flops += 2 * n_in * n_out + n_out * hidden * max(1, chosen.operations)
        units += n_out * (1 + hidden + 2 * dropped)
    parameters = sum(layer.parameters for layer in layers)
    weight_bytes, layer_bytes = FLOAT32_BYTES * parameters, FLOAT32_BYTES * max(sizes[1:])
    image_bytes = round(units * FLOAT32_BYTES + sum(spec.hidden) * kept_bytes(chosen))
    batch_bytes = spec.batch_size * image_bytes
    looks = weight_bytes + IN_PASSING * spec.batch_size * layer_bytes
    probe = probed_images(sizes, chosen) * (image_bytes + PROBED_LAYER * layer_bytes) - batch_bytes
    test = images_per_piece(sizes, chosen) * (FLOAT32_BYTES * sizes[0] + TESTED_LAYER * layer_bytes) - batch_bytes
    return Counts(
        layers=tuple(layers),
        parameters=parameters,
        flops_per_image=flops,
        weight_bytes=weight_bytes,
        gradient_bytes=weight_bytes,
        optimizer_bytes=weight_bytes * len(OPTIMIZERS[spec.optimizer].buffers(spec)),
        activation_bytes=batch_bytes,
        working_bytes=max(looks, probe, test),
    )


def probed_images(sizes: tuple[int, ...], activation: Activation) -> int:
    """On how many images the layers of a network are measured: as many as a step may have, and no more than `PROBE_IMAGES`."""
    return min(PROBE_IMAGES, largest_batch(sizes, operations=activation.operations))


def images_per_piece(sizes: tuple[int, ...], activation: Activation, networks: int = 1) -> int:
    """How many test images are looked at in one go by so many networks of these widths."""
    forward = step_flops(sizes, 1, activation.operations) // 3
    return max(1, min(TEST_PIECE_IMAGES, TEST_PIECE_FLOPS // (networks * forward)))


def kept_bytes(activation: Activation) -> float:
    """What autograd keeps an element of float32 for the gradient of an activation, besides its input and its output."""
    x = torch.zeros(TRACED, requires_grad=True)
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        value = activation(x)
    return sum(part.nbytes for place, part in kept.items() if place not in (x.data_ptr(), value.data_ptr())) / TRACED
