"""The network of an exported program: activation, initial weights, dropout, forward pass; from scratch or with nn.Sequential. Runs nothing.

What is written here computes what `mlp_core.network` computes, operation by operation: rounding is the same too.
"""

from __future__ import annotations

from mlp_core.activations import Code, substituted
from mlp_core.expression import resolve
from mlp_core.initializers import INITIALIZERS
from mlp_core.reports.export.script.sections import Recipe, Section, bracketed, joined, rendered
from mlp_core.spec import RunSpec

_SCRATCH_DROPOUT = '''def dropout(H, p):
    """mask · h / (1 − p): on average what went in."""
    mask = torch.rand(H.shape, generator=mask_numbers{device}) >= p
    return mask * H / (1 - p)'''

_CONCISE_DROPOUT = '''class Dropout(nn.Module):
    """mask · h / (1 − p): on average what went in. nn.Dropout with its own numbers."""

    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, X):
        if not self.training:
            return X'''
_DROP_ALL = """
        if self.p == 1:
            return 0.0 * X"""
_DROP_SOME = """
        mask = torch.rand(X.shape, generator=mask_numbers{device}) >= self.p
        return X * mask * (1.0 / (1.0 - self.p))"""


def initial_weights(recipe: Recipe) -> Section:
    """How the weights are drawn: (n_out, n_in), as nn.Linear keeps them, in both styles, so that both start alike."""
    initializer = INITIALIZERS[recipe.spec.init]
    text = f"{initializer.label} ({initializer.reference}):\n\n$${initializer.latex}$$"
    return Section("Initial weights", text, _scratch_layer(recipe) if recipe.scratch else _concise_layer(recipe))


def draws_weights(spec: RunSpec) -> bool:
    """Whether initial weights are random."""
    return any("init_numbers" in line for line in _fill(spec, "W", "b"))


def network(recipe: Recipe) -> Section:
    """The layers and the forward pass."""
    pieces = _definitions(recipe) + (_scratch_net(recipe) if recipe.scratch else _concise_net(recipe))
    text = _FORWARD
    if recipe.spec.hidden:
        text += f"\n\n$$\\varphi(x) = {resolve(recipe.spec.activation).latex}$$"
    return Section("The network", text if recipe.spec.hidden else _LINEAR, joined(pieces))


_FORWARD = "$$\\mathbf{H}_l = \\varphi(\\mathbf{H}_{l-1} \\mathbf{W}_l + \\mathbf{b}_l), \\quad \\mathbf{H}_0 = \\mathbf{X}$$"
_LINEAR = "Softmax regression: $\\mathbf{O} = \\mathbf{X} \\mathbf{W} + \\mathbf{b}$"


def _fill(spec: RunSpec, weight: str, bias: str) -> list[str]:
    """Lines that fill a weight, and a bias that stands at 0, knowing n_in and n_out."""
    return rendered(INITIALIZERS[spec.init].code, spec, W=weight, b=bias)


def _scratch_layer(recipe: Recipe) -> str:
    to = ".to(device)" if recipe.elsewhere else ""
    lines = [
        "def init_layer(n_in, n_out):",
        '    """Weight (n_in, n_out) and bias (n_out,), to be learned."""',
        "    W, b = torch.empty(n_out, n_in), torch.zeros(n_out)",
        *(f"    {line}" for line in _fill(recipe.spec, "W", "b")),
        f"    return W.T.contiguous(){to}.requires_grad_(), b{to}.requires_grad_()",
    ]
    return "\n".join(lines)


def _concise_layer(recipe: Recipe) -> str:
    fill = _fill(recipe.spec, "layer.weight", "layer.bias")
    widths = [("n_in", "in_features"), ("n_out", "out_features")]
    shape = [f"{name} = layer.{width}" for name, width in widths if any(name in line for line in fill)]
    lines = [
        "@torch.no_grad()",
        "def init_weights(layer):",
        '    """Fill one layer of the network, weight (n_out, n_in) and bias (n_out,)."""',
        "    if isinstance(layer, nn.Linear):",
        *(f"        {line}" for line in [*shape, "layer.bias.zero_()", *fill]),
    ]
    return "\n".join(lines)


def _definitions(recipe: Recipe) -> list[str]:
    """The functions or classes that the network's layers call: those that it has."""
    spec = recipe.spec
    device = ", device=device" if recipe.elsewhere else ""
    pieces = []
    activation = _activation(recipe)
    own = _own_activation(spec, activation)
    if own and recipe.scratch:
        pieces.append(f"def phi(x):\n{_indented(own, 4)}")
    elif own:
        pieces.append(f"class Activation(nn.Module):\n    def forward(self, x):\n{_indented(own, 8)}")
    if activation.definition and spec.hidden:
        pieces.append(activation.definition)
    partly = any(0 < p < 1 for p in spec.dropout)
    if recipe.scratch and partly:
        pieces.append(_SCRATCH_DROPOUT.format(device=device))
    elif recipe.drops and not recipe.scratch:
        pieces.append(_CONCISE_DROPOUT + _DROP_ALL * (1.0 in spec.dropout) + _DROP_SOME.format(device=device) * partly)
    return pieces


def _own_activation(spec: RunSpec, code: Code) -> str:
    """The body of the activation's function where torch has none for it."""
    return f"return {code.expression}" if code.module is None and not code.definition and spec.hidden else ""


def _activation(recipe: Recipe) -> Code:
    return resolve(recipe.spec.activation).written(recipe.spec.activation_parameter, from_scratch=recipe.scratch)


def _scratch_net(recipe: Recipe) -> list[str]:
    spec = recipe.spec
    parameter = resolve(spec.activation).parameter
    learned = parameter is not None and parameter.learnable
    slope = parameter.default if parameter is not None and spec.activation_parameter is None else spec.activation_parameter
    device = ", device=device" if recipe.elsewhere else ""
    made, params = [], []
    for layer, (n_in, n_out) in enumerate(recipe.layers, start=1):
        made.append(f"W{layer}, b{layer} = init_layer({n_in}, {n_out})")
        params += [f"W{layer}", f"b{layer}"]
        if learned and layer <= len(spec.hidden):
            made.append(f"a{layer} = torch.tensor([{slope}], requires_grad=True{device})  # a learned slope")
            params.append(f"a{layer}")
    return ["\n".join([*made, bracketed("params = [", params, "]")]), _forward(recipe)]


def _forward(recipe: Recipe) -> str:
    spec, activation = recipe.spec, _activation(recipe)
    parameter = resolve(spec.activation).parameter
    expression = "phi(x)" if activation.module is None and not activation.definition else activation.expression
    if parameter is not None and parameter.learnable:
        expression = parameter.learned_code
    lines = ["def net(X, training=False):" if recipe.drops else "def net(X):"]
    below = "X"
    for layer in range(1, len(spec.hidden) + 1):
        value = substituted(expression, x=f"{below} @ W{layer} + b{layer}", a=f"a{layer}")
        lines.append(f"    H{layer} = {value}")
        below, p = f"H{layer}", spec.dropout[layer - 1] if spec.dropout else 0.0
        if p:
            dropped = f"dropout({below}, {p})" if p < 1 else f"0.0 * {below}"
            lines += ["    if training:", f"        {below} = {dropped}"]
    return "\n".join([*lines, f"    return {below} @ W{len(recipe.layers)} + b{len(recipe.layers)}"])


def _concise_net(recipe: Recipe) -> list[str]:
    spec = recipe.spec
    activation = _activation(recipe).module
    modules = []
    for index, (n_in, n_out) in enumerate(recipe.layers):
        modules.append(f"nn.Linear({n_in}, {n_out})")
        if index < len(spec.hidden):
            dropout = f"Dropout({spec.dropout[index]})" if spec.dropout and spec.dropout[index] else ""
            modules += [module for module in ("Activation()" if activation is None else activation, dropout) if module]
    net = "\n".join(["net = nn.Sequential(", *(f"    {module}," for module in modules), ")"])
    return ["\n".join([net, "net.apply(init_weights)", *(["net.to(device)"] if recipe.elsewhere else [])])]


def _indented(code: str, spaces: int) -> str:
    return "\n".join(" " * spaces + line for line in code.splitlines())
