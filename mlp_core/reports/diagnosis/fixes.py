"""The change that a sick run deserves, as an experiment of its own from the same seed. Knows specs, not what was measured of a run.

Each function changes one thing, or as few as help: what helps was found by training, and its test trains it again.
"""

from dataclasses import dataclass, replace
from typing import Any

from mlp_core.expression import resolve
from mlp_core.initializers import INITIALIZERS
from mlp_core.optimizers import OPTIMIZERS
from mlp_core.spec import BOUNDS, RunSpec

NEAR_USUAL = 3.0  # a factor; an lr this near to the usual one is not what holds a run back
SMALL_SLOPE = 0.5  # of an activation, at most: what the sigmoids take away in every layer, no initialization makes up for
# 32 units a layer, He, lr 0.1, 192 steps on the bundled sample, eight seeds: of the last epoch's training images, ten layers get 40 to 56 %
# right, seven 50 to 67 %, five 67 to 73 %. Ten layers of tanh with Xavier need no such help.
MANY_RECTIFIERS, FEWER_RECTIFIERS = 7, 5
HEAVY_DROPOUT = 0.8  # 64 units still learn with 0.95, but ten times slower
HEAVY_DECAY, HEAVY_L1 = 0.3, 0.01  # the bundled sample, 64 units, lr 0.1: 50 % at 0.3 and 10 % at 1; 61 % at 0.003 and 10 % at 0.01
DROPOUT = 0.5  # Srivastava et al. 2014, appendix A.4
NARROW = 32  # units; half of fewer are too few to learn with
WEIGHT_DECAY = 0.01


@dataclass(frozen=True, slots=True)
class Fix:
    """`spec` is the experiment with the change, from the same seed. `label` names the change in the imperative, `why` is what it does."""

    label: str
    spec: RunSpec
    why: str


def usual_lr(spec: RunSpec) -> float:
    """The lr at which this optimizer usually learns, with this momentum and batch size; within the bounds of an lr."""
    rule = OPTIMIZERS[spec.optimizer]
    lr = rule.usual_lr
    if "momentum" in rule.settings:
        lr *= 1 - spec.momentum  # a step is in the long run 1 / (1 - momentum) times as long
    return _within_bounds(lr * (spec.batch_size if spec.divide_by_batch else 1))


def smaller_lr(spec: RunSpec, lr: float | None = None) -> Fix | None:
    """A tenth of the lr, or the usual one where that is smaller still; None at the lower bound.

    Args:
        lr: the lr in force, where it was changed under way.
    """
    now = spec.lr if lr is None else lr
    smaller = _within_bounds(min(usual_lr(spec), now / 10))
    if smaller == spec.lr != now:  # back to where the change began is no new experiment
        smaller = _within_bounds(smaller / 3)
    return _changed(spec, f"Try lr {smaller:g}", f"The steps become {_times(now / smaller)} shorter.", lr=smaller)


def larger_lr(spec: RunSpec, lr: float | None = None) -> Fix | None:
    """Ten times the lr, or the usual one where that is larger still; None at the upper bound."""
    now = spec.lr if lr is None else lr
    larger = _within_bounds(max(usual_lr(spec), 10 * now))
    return _changed(spec, f"Try lr {larger:g}", f"The steps become {_times(larger / now)} longer.", lr=larger)


def random_start(spec: RunSpec) -> Fix | None:
    """The initialization made for the activation, and only as many rectifier layers as soon learn; None where it is of that kind now."""
    rectifier = resolve(spec.activation).rectifier  # so is a visitor's own taken to be
    init = "he_normal" if rectifier else "xavier_normal"
    if INITIALIZERS[spec.init].suits == INITIALIZERS[init].suits:
        return None
    label = f"Try {_name_of(init)} initialization"
    if rectifier and len(spec.hidden) > MANY_RECTIFIERS:
        layers = FEWER_RECTIFIERS
        why = f"{_GOOD_OF[init]} Even so, {layers} such layers learn sooner than {len(spec.hidden)}."
        kept = {"hidden": spec.hidden[:layers], "dropout": spec.dropout[:layers]}
        return _changed(spec, f"{label} and {layers} hidden layers", why, init=init, **kept)
    return _changed(spec, label, _GOOD_OF[init], init=init)


def better_start(spec: RunSpec) -> Fix | None:
    """For a signal or a gradient that vanishes: an activation that passes it on, the initialization made for it, or fewer layers."""
    if resolve(spec.activation).largest_slope < SMALL_SLOPE:
        slope = "The slope of tanh reaches 1, that of the sigmoid 1/4: the gradient is no longer cut down in every layer."
        if INITIALIZERS[spec.init].suits:
            return _changed(spec, "Try tanh", slope, activation="tanh")
        label = "Try tanh with Xavier initialization"
        return _changed(spec, label, f"{slope} {_GOOD_OF['xavier_normal']}", activation="tanh", init="xavier_normal")
    return random_start(spec) or fewer_layers(spec)


def fewer_layers(spec: RunSpec) -> Fix | None:
    """Half the hidden layers, the first ones; None where there are not two."""
    kept = len(spec.hidden) // 2
    if not kept:
        return None
    why = "The fewer layers, the less is lost on the way."
    return _changed(spec, f"Try {kept} hidden layer{'s' if kept > 1 else ''}", why, hidden=spec.hidden[:kept], dropout=spec.dropout[:kept])


def living_units(spec: RunSpec, lr: float | None = None) -> Fix | None:
    """For units that have died: shorter steps, if theirs were long; else an activation whose units cannot die."""
    now = spec.lr if lr is None else lr
    if now > usual_lr(spec) or spec.activation == "leaky_relu":
        return smaller_lr(spec, lr)
    why = "Its slope below 0 is 0.01 and not 0, so that a unit that is never active can come back."
    return _changed(spec, "Try leaky ReLU", why, activation="leaky_relu")


def less_overfitting(spec: RunSpec) -> Fix | None:
    """Dropout, where there is none and the layers are wide enough; else (more) weight decay."""
    if spec.hidden and not any(spec.dropout) and min(spec.hidden) >= NARROW:
        why = "Each step trains without a random half of the units, so that none can rely on another to know an image by heart."
        return _changed(spec, f"Try dropout {DROPOUT:g}", why, dropout=(DROPOUT,) * len(spec.hidden))
    decay = min(max(WEIGHT_DECAY, 10 * spec.weight_decay), BOUNDS["weight_decay"].high)
    why = "Each step pulls every weight a little towards 0, so that the network bends less to single images."
    return _changed(spec, f"Try weight decay {decay:g}", why, weight_decay=decay)


def lighter_penalty(spec: RunSpec) -> Fix | None:
    """Without the dropout, weight decay or L1 penalty that lets nothing be learned; None where all three are moderate."""
    if max(spec.dropout, default=0.0) >= HEAVY_DROPOUT:
        why = f"A layer that loses {100 * max(spec.dropout):g} % of its units in every step passes hardly anything on."
        return _changed(spec, "Try without dropout", why, dropout=())
    if spec.weight_decay >= HEAVY_DECAY:
        return _changed(spec, "Try without weight decay", "It pulls the weights to 0 faster than they can learn.", weight_decay=0.0)
    if spec.l1 >= HEAVY_L1:
        return _changed(spec, "Try without the L1 penalty", "It pulls the weights to 0 faster than they can learn.", l1=0.0)
    return None


def any_movement(spec: RunSpec, lr: float | None = None) -> Fix | None:
    """For a run that learns nothing, or hardly, and whose layers do not tell why: what looks least usual about it."""
    now, usual = spec.lr if lr is None else lr, usual_lr(spec)
    if (fix := lighter_penalty(spec)) is not None:
        return fix
    if now * NEAR_USUAL < usual:
        return larger_lr(spec, lr)
    if now > NEAR_USUAL * usual:
        return smaller_lr(spec, lr)
    return random_start(spec) or larger_lr(spec, lr)


_GOOD_OF = {
    "he_normal": "Weights of variance 2/n_in keep the size of the signal from one rectifier layer to the next (He et al. 2015).",
    "xavier_normal": "Weights of variance 2/(n_in + n_out) keep the size of signal and gradient from layer to layer "
    "(Glorot and Bengio 2010).",
}


def _name_of(init: str) -> str:
    return INITIALIZERS[init].label.split()[0]


def _within_bounds(lr: float) -> float:
    """Two digits are enough for an lr."""
    bounds = BOUNDS["lr"]
    return float(f"{min(max(lr, bounds.low), bounds.high):.2g}")


def _times(factor: float) -> str:
    return f"{factor:,.0f} times" if factor >= 9.5 else f"{factor:.2g} times"


def _changed(spec: RunSpec, label: str, why: str, **changes: Any) -> Fix | None:
    if "activation" in changes:
        changes["activation_parameter"] = None  # it was the old activation's
    changed = replace(spec, **changes)
    return None if changed == spec else Fix(label, changed, why)
