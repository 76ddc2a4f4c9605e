"""The optimizer of an exported program: its rule written out, or torch's own with the same numbers. Runs nothing.

What is written here computes what `mlp_core.network.scratch` and `mlp_core.optimizers` compute, operation by operation.
"""

from __future__ import annotations

from mlp_core.optimizers import OPTIMIZERS
from mlp_core.reports.export.script.sections import Recipe, Section, bracketed, joined
from mlp_core.spec import RunSpec

_SETTINGS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # the fields it always uses, and those it uses unless they are 0
    "sgd": ((), ("momentum",)),
    "adam": (("beta1", "beta2", "eps"), ()),
    "adamw": (("beta1", "beta2", "eps"), ()),
    "rmsprop": (("rho", "eps"), ("momentum",)),
    "adagrad": (("eps",), ()),
}
_COUNTS_STEPS = ("adam", "adamw")
_IN_TORCH = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop", "adagrad": "Adagrad"}
_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "momentum": ("momentum=momentum",),
    "beta1": ("betas=(beta1, beta2)",),
    "rho": ("alpha=rho",),
    "eps": ("eps=eps",),
    "weight_decay": ("weight_decay=weight_decay",),
}
_AVERAGES = {"v": "velocities", "m": "means", "s": "squares"}

_SUMMARIES = {
    "sgd": "One step down the gradient g for every parameter w.",
    "adam": "m and s are averages of g and g²; the hats correct them for having begun at 0.",
    "adamw": "Adam, with the weight decay beside the averages and not in them.",
    "rmsprop": "s is the moving average of g².",
    "adagrad": "s is the sum of all g² so far.",
}


def optimizer(recipe: Recipe) -> Section:
    """The rule that turns gradients into steps."""
    rule = OPTIMIZERS[recipe.spec.optimizer]
    latex = rule.latex
    if recipe.spec.optimizer == "sgd" and not recipe.spec.momentum:
        latex = r"\mathbf{w} \leftarrow \mathbf{w} - \eta\,\mathbf{g}"
    code = _scratch_optimizer(recipe.spec) if recipe.scratch else _concise_optimizer(recipe.spec)
    return Section("The optimizer", f"{rule.label} ({rule.reference}), with $\\mathbf{{g}}$ the gradient:\n\n$${latex}$$", code)


def named_settings(spec: RunSpec) -> list[str]:
    """The fields of the optimizer, but its lr, that have a say in this run: its code knows them by name."""
    always, unless_zero = _SETTINGS[spec.optimizer]
    return [*always, *(name for name in (*unless_zero, "weight_decay", "l1") if getattr(spec, name))]


def update(recipe: Recipe, lr: str) -> list[str]:
    """Lines of the training loop that move the parameters; `step` counts from 1, `lr` is a name."""
    spec = recipe.spec
    if recipe.scratch:
        return [f"{spec.optimizer}({lr}{', step' if spec.optimizer in _COUNTS_STEPS else ''})"]
    penalty = ["for w in net.parameters():", "    w.grad += l1 * w.detach().sign()"] if spec.l1 else []
    return [*penalty, "optimizer.step()", "optimizer.zero_grad()"]


def rate(spec: RunSpec, lr: str) -> str:
    return f"{lr} / batch_size" if spec.divide_by_batch else lr


def _concise_optimizer(spec: RunSpec) -> str:
    settings = _ARGUMENTS | ({"momentum": ("momentum=momentum", "nesterov=True")} if spec.nesterov else {})
    arguments = ["net.parameters()", f"lr={rate(spec, 'lr')}"]
    arguments += [argument for name in named_settings(spec) for argument in settings.get(name, ())]
    if spec.optimizer == "adamw" and not spec.weight_decay:
        arguments.append("weight_decay=0.0")
    return bracketed(f"optimizer = torch.optim.{_IN_TORCH[spec.optimizer]}(", arguments, ")")


def _scratch_optimizer(spec: RunSpec) -> str:
    kept = OPTIMIZERS[spec.optimizer].averages(spec)
    lists = [f"{_AVERAGES[symbol]} = [torch.zeros_like(w) for w in params]" for symbol in kept]
    if kept:
        zipped = ", ".join(["params", *(_AVERAGES[symbol] for symbol in kept)])
        loop = f"for {', '.join(['w', *kept])} in zip({zipped}, strict=True):"
    else:
        loop = "for w in params:"
    gradient = "w.grad"
    if spec.l1:
        gradient += " + l1 * w.sign()"
    if spec.weight_decay and spec.optimizer != "adamw":
        gradient += " + weight_decay * w"
    lines = [
        "@torch.no_grad()",
        f"def {spec.optimizer}(lr{', t' if spec.optimizer in _COUNTS_STEPS else ''}):",
        f'    """{_SUMMARIES[spec.optimizer]}"""',
        f"    {loop}",
        *(f"        {line}" for line in [*_rule(spec, gradient), "w.grad = None"]),
    ]
    return joined([*(["\n".join(lists)] if lists else []), "\n".join(lines)])


def _rule(spec: RunSpec, gradient: str) -> list[str]:
    """Lines that move one parameter w by its gradient."""
    if spec.optimizer == "sgd" and not spec.momentum and gradient == "w.grad":
        return [f"w -= {rate(spec, 'lr')} * w.grad"]
    return [f"g = {gradient}", *_move(spec)]


def _move(spec: RunSpec) -> list[str]:
    lr = rate(spec, "lr")
    if spec.optimizer == "sgd" and not spec.momentum:
        return [f"w -= {lr} * g"]
    if spec.optimizer == "sgd":
        return ["v[...] = momentum * v + g", f"w -= {lr} * {'(g + momentum * v)' if spec.nesterov else 'v'}"]
    if spec.optimizer in ("adam", "adamw"):
        direction = "m_hat / (s_hat.sqrt() + eps)"
        if spec.optimizer == "adamw" and spec.weight_decay:
            direction += " + weight_decay * w"
        return [
            "m[...] = beta1 * m + (1 - beta1) * g",
            "s[...] = beta2 * s + (1 - beta2) * g**2",
            "m_hat, s_hat = m / (1 - beta1**t), s / (1 - beta2**t)",
            f"w -= lr * ({direction})",
        ]
    if spec.optimizer == "adagrad":
        return ["s += g**2", "w -= lr * g / (s.sqrt() + eps)"]
    average = "s[...] = rho * s + (1 - rho) * g**2"
    if spec.momentum:
        return [average, "v[...] = momentum * v + g / (s.sqrt() + eps)", "w -= lr * v"]
    return [average, "w -= lr * (g / (s.sqrt() + eps))"]
