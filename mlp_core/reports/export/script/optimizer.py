"""The optimizer of an exported program: its rule written out, or torch's own with the same numbers. Runs nothing.

What is written here computes what `mlp_core.network.scratch` and `mlp_core.optimizers` compute, operation by operation.
"""

from __future__ import annotations

import re

from mlp_core.optimizers import OPTIMIZERS
from mlp_core.reports.export.script.sections import Recipe, Section, bracketed, joined, rendered
from mlp_core.spec import RunSpec


def optimizer(recipe: Recipe) -> Section:
    """The rule that turns gradients into steps."""
    rule = OPTIMIZERS[recipe.spec.optimizer]
    latex = rule.plain_latex if rule.plain_latex and not recipe.spec.momentum else rule.latex
    code = _scratch_optimizer(recipe.spec) if recipe.scratch else _concise_optimizer(recipe.spec)
    return Section("The optimizer", f"{rule.label} ({rule.reference}), with $\\mathbf{{g}}$ the gradient:\n\n$${latex}$$", code)


def named_settings(spec: RunSpec) -> list[str]:
    """The fields of the optimizer, but its lr, that have a say in this run: its code knows them by name."""
    flags = ("nesterov", "divide_by_batch")
    names = [name for name in (*OPTIMIZERS[spec.optimizer].settings, "weight_decay", "l1") if name not in flags]
    return [name for name in names if getattr(spec, name) or name not in ("momentum", "weight_decay", "l1")]


def update(recipe: Recipe, lr: str) -> list[str]:
    """Lines of the training loop that move the parameters; `step` counts from 1, `lr` is a name."""
    spec = recipe.spec
    if recipe.scratch:
        return [f"{spec.optimizer}({lr}{', step' if _counts_steps(spec) else ''})"]
    penalty = ["for w in net.parameters():", "    w.grad += l1 * w.detach().sign()"] if spec.l1 else []
    return [*penalty, "optimizer.step()", "optimizer.zero_grad()"]


def rate(spec: RunSpec, lr: str) -> str:
    return f"{lr} / batch_size" if spec.divide_by_batch else lr


def _concise_optimizer(spec: RunSpec) -> str:
    rule = OPTIMIZERS[spec.optimizer]
    used = [name for name in rule.settings if name in named_settings(spec) or (name == "nesterov" and spec.nesterov)]
    arguments = ["net.parameters()", f"lr={rate(spec, 'lr')}", *(rule.settings[name] for name in used if rule.settings[name])]
    if spec.weight_decay or rule.decoupled:
        arguments.append("weight_decay=weight_decay" if spec.weight_decay else "weight_decay=0.0")
    return bracketed(f"optimizer = torch.optim.{rule.torch_class}(", arguments, ")")


def _counts_steps(spec: RunSpec) -> bool:
    return re.search(r"\bt\b", OPTIMIZERS[spec.optimizer].code) is not None


def _scratch_optimizer(spec: RunSpec) -> str:
    rule = OPTIMIZERS[spec.optimizer]
    kept = rule.buffers(spec)
    lists = [f"{name} = [torch.zeros_like(w) for w in params]" for name in kept.values()]
    if kept:
        zipped = ", ".join(["params", *kept.values()])
        loop = f"for {', '.join(['w', *kept])} in zip({zipped}, strict=True):"
    else:
        loop = "for w in params:"
    gradient = "w.grad"
    if spec.l1:
        gradient += " + l1 * w.sign()"
    if spec.weight_decay and not rule.decoupled:
        gradient += " + weight_decay * w"
    lines = [
        "@torch.no_grad()",
        f"def {spec.optimizer}(lr{', t' if _counts_steps(spec) else ''}):",
        f'    """{rule.summary}"""',
        f"    {loop}",
        *(f"        {line}" for line in [*_rule(spec, gradient), "w.grad = None"]),
    ]
    return joined([*(["\n".join(lists)] if lists else []), "\n".join(lines)])


def _rule(spec: RunSpec, gradient: str) -> list[str]:
    """Lines that move one parameter w by its gradient."""
    lines = rendered(OPTIMIZERS[spec.optimizer].code, spec, lr=rate(spec, "lr"), gradient=gradient)
    return lines if lines == [f"w -= {rate(spec, 'lr')} * w.grad"] else [f"g = {gradient}", *lines]
