"""The registry of weight initializations: what each draws, how wide, and who proposed it. A new one is one entry of `INITIALIZERS`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Generator, Tensor

from mlp_core.words import Message, exactly, squared

if TYPE_CHECKING:
    from mlp_core.spec import RunSpec


@dataclass(frozen=True, slots=True)
class Initializer:
    """One way to fill a weight matrix.

    Args:
        name: as in `RunSpec.init`.
        label: for a person.
        latex: the distribution of one weight.
        reference: author, year, section.
        std: (n_in, n_out, spec) -> standard deviation of one weight; 0 where all weights are equal.
        draw: (weight (n_out, n_in), std, spec, generator): fill the weight in place.
        code: the lines of an exported program that do the same with `init_numbers`, knowing n_in and n_out: a Jinja template of the
            spec's fields and of W and b, the names of the weight and of a bias of zeros.
        random_bias: draw the bias like a weight; otherwise it is 0.
        settings: the fields of `RunSpec` that it uses.
        words: spec -> its settings in a few words; None takes the label.
        random: whether the weights are spread around 0, as mean-field theory supposes.
        suits: the activations that it keeps the signal of: "rectifiers", "others" or none of them.
    """

    name: str
    label: str
    latex: str
    reference: str
    std: Callable[[int, int, RunSpec], float]
    draw: Callable[[Tensor, float, RunSpec, Generator], object]
    code: str
    random_bias: bool = False
    settings: tuple[str, ...] = ()
    words: Callable[[RunSpec], str] | None = None
    random: bool = True
    suits: str = ""

    def described(self, spec: RunSpec) -> str:
        """What it draws, in a few words."""
        return self.label if self.words is None else self.words(spec)

    def bias_std(self, n_in: int, n_out: int, spec: RunSpec) -> float:
        """Standard deviation of one bias."""
        return self.std(n_in, n_out, spec) if self.random_bias else 0.0

    def layer(self, n_in: int, n_out: int, spec: RunSpec, generator: Generator) -> tuple[Tensor, Tensor]:
        """Draw one layer: weight (n_out, n_in), then bias (n_out,)."""
        std = self.std(n_in, n_out, spec)
        weight, bias = torch.empty(n_out, n_in), torch.zeros(n_out)
        self.draw(weight, std, spec, generator)
        if self.random_bias:
            self.draw(bias, std, spec, generator)
        return weight, bias


def initial_parameters(spec: RunSpec, sizes: tuple[int, ...], generator: Generator) -> list[tuple[Tensor, Tensor]]:
    """Draw the weights that a run of `spec` starts from; the same generator state gives the same weights, bit for bit,
    however many threads there are.

    Args:
        sizes: width of every layer, input and output included.
        generator: of the processor, since a GPU's generator draws other numbers.

    Returns:
        Weight (n_out, n_in) and bias (n_out,) of every layer in order, float32 on the processor.
    """
    initializer = INITIALIZERS[spec.init]
    return [initializer.layer(n_in, n_out, spec, generator) for n_in, n_out in pairwise(sizes)]


def _normal(tensor: Tensor, std: float, spec: RunSpec, generator: Generator) -> None:
    tensor.normal_(0.0, std, generator=generator)


def _uniform(tensor: Tensor, std: float, spec: RunSpec, generator: Generator) -> None:
    bound = math.sqrt(3.0) * std  # U(-a, a) has variance a²/3
    tensor.uniform_(-bound, bound, generator=generator)


def _constant(tensor: Tensor, std: float, spec: RunSpec, generator: Generator) -> None:
    tensor.fill_(spec.init_value)
    if std > 0.0:
        tensor.add_(torch.empty_like(tensor).normal_(0.0, std, generator=generator))


def _orthogonal(tensor: Tensor, std: float, spec: RunSpec, generator: Generator) -> None:
    rows, columns = tensor.shape
    normal = torch.empty(max(rows, columns), min(rows, columns)).normal_(generator=generator)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a QR decomposition on several rounds otherwise, and the weights were others
    Q, R = torch.linalg.qr(normal)
    torch.set_num_threads(threads)
    Q *= R.diagonal().sign()  # without it Q is not uniformly distributed: QR fixes the signs of R (Mezzadri 2007, section 5)
    tensor.copy_(Q if rows >= columns else Q.T)


def _xavier_std(n_in: int, n_out: int, spec: RunSpec) -> float:
    return math.sqrt(2.0 / (n_in + n_out))


def _he_std(n_in: int, n_out: int, spec: RunSpec) -> float:
    return math.sqrt(2.0 / n_in)


_XAVIER_CODE = "std = math.sqrt(2.0 / (n_in + n_out))\n"
_HE_CODE = "std = math.sqrt(2.0 / n_in)\n"
_NORMAL_CODE = "{{ W }}.normal_(0.0, std, generator=init_numbers)"
_UNIFORM_CODE = """\
bound = math.sqrt(3.0) * std  # U(-a, a) has variance a²/3
{{ W }}.uniform_(-bound, bound, generator=init_numbers)"""
_CONSTANT_CODE = """\
{{ W }}.fill_({{ init_value }})
{% if init_noise %}
noise = torch.empty_like({{ W }})
{{ W }}.add_(noise.normal_(0.0, {{ init_noise }}, generator=init_numbers))
{% endif %}"""
_ORTHOGONAL_CODE = """\
normal = torch.empty(max(n_in, n_out), min(n_in, n_out))
Q, R = torch.linalg.qr(normal.normal_(generator=init_numbers))
Q *= R.diagonal().sign()  # uniformly distributed only so (Mezzadri 2007)
{{ W }}.copy_(Q if n_out >= n_in else Q.T)"""
_GLOROT = Message("Glorot and Bengio 2010, section 4.2.1")
_HE = Message("He et al. 2015, section 2.2")

INITIALIZERS: dict[str, Initializer] = {entry.name: entry for entry in (
    Initializer(
        "normal", Message("Normal"), r"W_{ij} \sim \mathcal{N}(0, \sigma^2)",
        Message("Zhang et al., Dive into Deep Learning, section 5.2 (σ = 0.01)"),
        lambda n_in, n_out, spec: spec.init_std, _normal, "{{ W }}.normal_(0.0, {{ init_std }}, generator=init_numbers)",
        settings=("init_std",), words=lambda spec: f"N(0, {squared(spec.init_std)})",
    ),
    Initializer(
        "xavier_uniform", Message("Xavier uniform"), r"W_{ij} \sim U(-a, a),\ a = \sqrt{\tfrac{6}{n_\mathrm{in} + n_\mathrm{out}}}",
        _GLOROT, _xavier_std, _uniform, _XAVIER_CODE + _UNIFORM_CODE, suits="others",
    ),
    Initializer(
        "xavier_normal", Message("Xavier normal"), r"W_{ij} \sim \mathcal{N}\left(0, \tfrac{2}{n_\mathrm{in} + n_\mathrm{out}}\right)",
        _GLOROT, _xavier_std, _normal, _XAVIER_CODE + _NORMAL_CODE, suits="others",
    ),
    Initializer(
        "he_uniform", Message("He uniform"), r"W_{ij} \sim U(-a, a),\ a = \sqrt{\tfrac{6}{n_\mathrm{in}}}", _HE,
        _he_std, _uniform, _HE_CODE + _UNIFORM_CODE, suits="rectifiers",
    ),
    Initializer(
        "he_normal", Message("He normal"), r"W_{ij} \sim \mathcal{N}\left(0, \tfrac{2}{n_\mathrm{in}}\right)", _HE,
        _he_std, _normal, _HE_CODE + _NORMAL_CODE, suits="rectifiers",
    ),
    Initializer(
        "lecun_normal", Message("LeCun normal"), r"W_{ij} \sim \mathcal{N}\left(0, \tfrac{1}{n_\mathrm{in}}\right)",
        Message("LeCun et al. 1998, section 4.6; for SELU: Klambauer et al. 2017, section 2"),
        lambda n_in, n_out, spec: math.sqrt(1.0 / n_in), _normal, "std = math.sqrt(1.0 / n_in)\n" + _NORMAL_CODE, suits="others",
    ),
    Initializer(
        "torch_default", Message("PyTorch's default"), r"W_{ij},\ b_i \sim U(-a, a),\ a = \tfrac{1}{\sqrt{n_\mathrm{in}}}",
        Message("torch.nn.Linear.reset_parameters; LeCun et al. 1998, section 4.6"),
        lambda n_in, n_out, spec: math.sqrt(1.0 / (3.0 * n_in)), _uniform,
        "std = math.sqrt(1.0 / (3.0 * n_in))\n" + _UNIFORM_CODE + "\n{{ b }}.uniform_(-bound, bound, generator=init_numbers)",
        random_bias=True,
    ),
    Initializer(
        "zeros", Message("Zeros"), r"W_{ij} = 0", Message("the symmetry that nothing breaks: Dive into Deep Learning, section 5.4.1"),
        lambda n_in, n_out, spec: 0.0, lambda tensor, std, spec, generator: tensor.zero_(), "{{ W }}.zero_()", random=False,
    ),
    Initializer(
        "constant", Message("Constant"), r"W_{ij} \sim \mathcal{N}(c, \sigma^2)",
        Message("Zhang et al., Dive into Deep Learning, section 5.4.1"),
        lambda n_in, n_out, spec: spec.init_noise, _constant, _CONSTANT_CODE,
        settings=("init_value", "init_noise"), random=False,
        words=lambda spec: Message("constant {value} ± {noise}", value=exactly(spec.init_value), noise=exactly(spec.init_noise))
        if spec.init_noise else Message("constant {value}", value=exactly(spec.init_value)),
    ),
    Initializer(
        "orthogonal", Message("Orthogonal"), r"W \sim U\{W : W^\top W = I \lor W W^\top = I\}",
        Message("Saxe, McClelland and Ganguli 2014, section 3"),
        lambda n_in, n_out, spec: math.sqrt(1.0 / max(n_in, n_out)), _orthogonal, _ORTHOGONAL_CODE, suits="others",
    ),
)}  # fmt: skip
