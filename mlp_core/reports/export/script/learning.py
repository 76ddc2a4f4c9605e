"""How an exported program learns: settings, loss, test and training loop. Knows no optimizer's rule and runs nothing.

What is written here computes what `mlp_core.network.scratch` and `mlp_core.training` compute, operation by operation.
"""

from __future__ import annotations

from mlp_core.reports.export.script.network import draws_weights
from mlp_core.reports.export.script.optimizer import named_settings, rate, update
from mlp_core.reports.export.script.sections import Recipe, Section, bracketed
from mlp_core.training.state import images_per_piece

_ONEDNN = '''# The page's computer multiplied matrices with oneDNN, in float32. Delete this line on a
# processor with bfloat16 units (recent server processors), where it would round more.
torch.backends.mkldnn.matmul.fp32_precision = "bf16"'''

_LOSS = '''def cross_entropy(logits, y):
    """−log softmax(o)_y = log Σ exp(o_k) − o_y, averaged over the batch."""
    largest = logits.detach().amax(dim=1, keepdim=True)  # exp overflows from 89 on
    log_sum_exp = largest + (logits - largest).exp().sum(dim=1, keepdim=True).log()
    return (log_sum_exp - logits.gather(1, y[:, None])).mean()'''
_LOSS_TEXT = "$$-\\log \\operatorname{softmax}(\\mathbf{o})_y = \\log \\sum_k \\exp(o_k) - o_y$$\n\naveraged over the batch."

_TEST = '''@torch.no_grad()
def test():
    """Loss and accuracy on the test images, a part at a time."""
    loss_sum, hits = 0.0, 0
{evaluation}    for part in torch.arange(len(test_labels){device}).split({piece}):
        X, y = test_images[part].float() * (1 / 255), test_labels[part]
        logits = net(X)
        log_p = logits.log_softmax(dim=1).gather(1, y[:, None])
        loss_sum -= log_p.double().sum().item()
        hits += (logits.argmax(dim=1) == y).sum().item()
    return loss_sum / len(test_labels), hits / len(test_labels)'''

_TRAIN = '''def train():
    """One line an epoch: means over its images as they were met, then the test."""
    step{start} = 0{initial}
    for epoch in range(1, epochs + 1):
        loss_sum, hits = 0.0, 0
{training}        order = torch.randperm(len(train_labels), generator=order_numbers)
        for batch in order{to}.split(batch_size):
            X, y = train_images[batch].float() * (1 / 255), train_labels[batch]
            logits = net({arguments})
            loss = {loss}(logits, y)
            value = loss.item()
{change}            step += 1
            if print_steps:
                print(f"step {{step}}: loss {{value}}")
            if not math.isfinite(value):
                print(f"Diverged at step {{step}}: the loss is {{value}}.")
                return
            loss_sum += value * len(y)
            hits += (logits.argmax(dim=1) == y).sum().item()
            loss.backward()
{update}
        test_loss, test_accuracy = test()
        print(
            f"epoch {{epoch}}: train loss {{loss_sum / len(train_labels):.4f}}, "
            f"train accuracy {{hits / len(train_labels):.4f}}, "
            f"test loss {{test_loss:.4f}}, test accuracy {{test_accuracy:.4f}}"
        )
        if not math.isfinite(test_loss):
            print(f"Diverged at step {{step}}: the test loss is {{test_loss}}.")
            return'''


def settings(recipe: Recipe) -> Section:
    """The run's numbers by name, and a generator for each purpose."""
    spec = recipe.spec
    lines = [f"batch_size, epochs, lr = {spec.batch_size}, {spec.epochs}, {spec.lr}"]
    changes = {change.step: change.lr for change in recipe.lr_changes}
    if changes:
        items = [f"{step}: {lr}" for step, lr in changes.items()]
        lines.append(f"# The learning rate was changed in mid-run: after this many steps -> to\n{bracketed('lr_changes = {', items, '}')}")
    lines += [f"{name} = {getattr(spec, name)}" for name in named_settings(spec)]
    lines.append("\n# Every purpose draws from a generator of its own: dropout does not change the order.")
    if draws_weights(spec):
        lines.append("init_numbers = torch.Generator().manual_seed(3 * seed)")
    lines.append("order_numbers = torch.Generator().manual_seed(3 * seed + 1)")
    on_device = "device" if recipe.elsewhere else ""
    if any(0 < p < 1 for p in spec.dropout):
        lines.append(f"mask_numbers = torch.Generator({on_device}).manual_seed(3 * seed + 2)")
    if recipe.elsewhere:
        start = [f'device = torch.device("{recipe.origin.device}")']
    else:
        start = ["torch.set_num_threads(1)  # as on the page; sums over threads round otherwise"]
        start += [_ONEDNN] if recipe.origin.onednn else []
    text = "The numbers of the run, and a random generator for each purpose."
    return Section("Settings", text, "\n".join([*start, "", *lines]))


def loss(recipe: Recipe) -> Section | None:
    """The loss; the concise style finds it in torch."""
    return Section("The loss", _LOSS_TEXT, _LOSS) if recipe.scratch else None


def training(recipe: Recipe) -> Section:
    """The test and the training loop."""
    text = "Each epoch meets the images in a new order. Its training loss and accuracy are means over the images as they were met."
    return Section("Training", text, f"{_test(recipe)}\n\n\n{_train(recipe)}")


def _test(recipe: Recipe) -> str:
    piece = images_per_piece(recipe.spec.sizes)
    evaluation = "    net.eval()\n" if recipe.drops and not recipe.scratch else ""
    return _TEST.format(piece=piece, evaluation=evaluation, device=", device=device" if recipe.elsewhere else "")


def _train(recipe: Recipe) -> str:
    spec, changes = recipe.spec, bool(recipe.lr_changes)
    change: list[str] = []
    if changes and recipe.scratch:
        change = ["lr_now = lr_changes.get(step, lr_now)"]
    elif changes:
        change = ["if step in lr_changes:", f'    optimizer.param_groups[0]["lr"] = {rate(spec, "lr_changes[step]")}']
    return _TRAIN.format(
        start=", lr_now" if changes and recipe.scratch else "",
        initial=", lr" if changes and recipe.scratch else "",
        training="        net.train()\n" if recipe.drops and not recipe.scratch else "",
        to=".to(device)" if recipe.elsewhere else "",
        arguments="X, training=True" if recipe.drops and recipe.scratch else "X",
        loss="cross_entropy" if recipe.scratch else "F.cross_entropy",
        change="".join(f"            {line}\n" for line in change),
        update="\n".join(f"            {line}" for line in update(recipe, "lr_now" if changes else "lr")),
    )
