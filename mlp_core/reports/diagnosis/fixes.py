"""The change that a sick run deserves, as an experiment of its own from the same seed. Knows specs, not what was measured of a run.

Whatever is so unusual about a design that it would hold back any network is mended at once, and nothing else is touched. What helps was
found by training: docs/verdicts.md has every design that was tried, with its verdict and what became of it (`make verdicts`).
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from mlp_core.expression import resolve
from mlp_core.initializers import INITIALIZERS
from mlp_core.optimizers import OPTIMIZERS
from mlp_core.spec import BOUNDS, MAX_EPOCHS, MAX_TRAIN_SIZE, RunSpec
from mlp_core.theory.expectations import gaussian_moments
from mlp_core.words import Message, count, counted, exactly, joined, listed, percent, significant

NEAR_USUAL = 3.0  # a factor; an lr this near to the usual one is not what holds a run back
MOST_MOMENTUM, USUAL_MOMENTUM = 0.95, 0.9
SMALL_SLOPE = 0.5  # of an activation, at most: what the sigmoids take away in every layer, no initialization makes up for
DEEP = 3  # hidden layers from which on the size of the initial weights decides; the chapter's N(0, 0.01²) is fine for one or two
# 32 units a layer, He, lr 0.1, 192 steps on the bundled sample, eight seeds: of the last epoch's training images, ten layers get 40 to 56 %
# right, seven 50 to 67 %, five 67 to 73 %. Ten layers of tanh with Xavier need no such help.
MANY_RECTIFIERS, FEWER_RECTIFIERS = 7, 5
MANY_LAYERS = 6  # of any kind; where so many diverge at a usual lr, a tenth of it holds
SCARCE = 0.2  # of the paths through the hidden layers that dropout leaves open; 64 units still learn with 0.05, but ten times slower
HEAVY_DECAY, HEAVY_L1 = 0.3, 0.01  # the bundled sample, 64 units, lr 0.1: 50 % at 0.3 and 10 % at 1; 61 % at 0.003 and 10 % at 0.01
HEAVY_DECOUPLED = 10.0  # of AdamW, whose weights stay near 1 / weight decay
# Mean square of an activation and of its slope over N(0, 1). Those of the registry lie between 0.03 and 1.2; no lr suits what is far out.
GAINS, MOST_OUTPUT = (0.01, 2.0), 10.0
# Mean square of the slope, from which on an activation takes next to nothing away: of SELU 1.07, of a line 1, of ReLU 0.5, of tanh 0.46.
# He's weights are too large for it. At the usual lr five layers of SELU with Xavier diverge from two seeds of three, with LeCun from none,
# eight with either from all.
KEEPS_ALL = 0.75
DROPOUT = 0.5  # Srivastava et al. 2014, appendix A.4
NARROW = 32  # units; half of fewer are too few to learn with
WEIGHT_DECAY = 0.01
MORE_IMAGES, BUNDLED = 10, 6_000  # times as many, while even the bundled sample has so many; else all there are
STEPS_TO_LEARN = 300  # d2l's network leaves chance after about 60 and is near its end after this many


@dataclass(frozen=True, slots=True)
class Fix:
    """An experiment that is worth a try. `label` names the change in the imperative, `why` is what it does.

    Args:
        spec: from the same seed, with the change.
        step: where the run itself can go on with the settings of `spec`, from what it keeps of this step; None starts anew.
    """

    label: str
    spec: RunSpec
    why: str
    step: int | None = None


class Repair(NamedTuple):
    """One thing of a design made usual; `what` stands after "Try"."""

    what: str
    why: str
    settings: Mapping[str, Any]


def usual_lr(spec: RunSpec) -> float:
    """The lr at which this optimizer usually learns, with this momentum and batch size; within the bounds of an lr."""
    rule = OPTIMIZERS[spec.optimizer]
    lr = rule.usual_lr
    if "momentum" in rule.settings:
        lr *= 1 - spec.momentum  # a step is in the long run 1 / (1 - momentum) times as long
    return _within_bounds(lr * (spec.batch_size if spec.divide_by_batch else 1))


def cure(spec: RunSpec, *, loud: bool = False, explodes: bool = False) -> Fix | None:
    """Make usual all that holds back a run which does not learn; None where nothing about its design is unusual.

    Args:
        spec: with the settings in force.
        loud: its loss was far above that of guessing before the first step, so that its initial weights are too large.
        explodes: its loss grew beyond measure, so that its steps are not too short.
    """
    repairs, mended = [], spec
    for repair in (heavy_penalty, hopeless_activation, small_slope):
        repairs += _applied(repair(mended))
        mended = _with(spec, repairs)
    repairs += _applied(fitting_start(mended) if loud or len(mended.hidden) >= DEEP or not _random(mended) else None)
    mended = _with(spec, repairs)
    repairs += _applied(fewer_rectifiers(mended))
    mended = _with(spec, repairs)
    repairs += _applied(usual_step(mended, explodes=explodes))
    return _fix(spec, repairs)


def heavy_penalty(spec: RunSpec) -> Repair | None:
    """Without the dropout, weight decay or L1 penalty that lets nothing be learned."""
    found = list(_heavy(spec))
    if not found:
        return None
    names, whys, settings = zip(*found, strict=True)
    without = Message("without {settings}", settings=listed(names, "and"))
    return Repair(without, joined(*whys), {name: value for one in settings for name, value in one.items()})


def _heavy(spec: RunSpec) -> Iterator[tuple[str, str, dict[str, Any]]]:
    kept = math.prod(1 - rate for rate in spec.dropout)
    if kept <= SCARCE:
        why = Message("Dropout leaves {share} of the paths through the hidden layers open in a step.", share=percent(kept))
        yield Message("dropout"), why, {"dropout": ()}
    decoupled = OPTIMIZERS[spec.optimizer].decoupled
    if spec.weight_decay >= (HEAVY_DECOUPLED if decoupled else HEAVY_DECAY):
        yield Message("weight decay"), _decay_words(spec, decoupled), {"weight_decay": 0.0}
    if spec.l1 >= HEAVY_L1:
        yield Message("the L1 penalty"), Message("It pulls every weight to 0 faster than most can learn."), {"l1": 0.0}


def _decay_words(spec: RunSpec, decoupled: bool) -> str:
    """What weight decay does to a weight that has no other gradient."""
    if not (decoupled or (spec.optimizer == "sgd" and not spec.momentum)):
        return Message("Weight decay {decay} outweighs the gradient of the loss.", decay=exactly(spec.weight_decay))
    factor = 1 - spec.lr * spec.weight_decay / (spec.batch_size if spec.divide_by_batch else 1)
    if abs(factor) > 1:
        return Message(
            "Weight decay alone multiplies a weight by 1 − ηλ = {factor} in every step, which overshoots 0 and makes it larger.",
            factor=significant(factor),
        )
    return Message(
        "Weight decay alone multiplies a weight by 1 − ηλ = {factor} in every step, which leaves no time to learn.",
        factor=significant(factor),
    )


def hopeless_activation(spec: RunSpec) -> Repair | None:
    """ReLU in the place of an own activation that is not a number, flat, or far too steep, where its inputs usually lie."""
    if spec.expression is None or not spec.hidden:
        return None
    fault = fault_of(spec.activation)
    why = joined(fault, Message("ReLU is cheap and learns almost everywhere."))
    return Repair("ReLU", why, {"activation": "relu"}) if fault else None


def fault_of(activation: str) -> str:
    """What no initial weights and no lr make up for, in a sentence; "" where there is nothing."""
    output, slope = _gains(activation)
    if math.isnan(output) or math.isnan(slope):
        return Message("The activation or its slope is not a number at some inputs, or too wild to take a mean of.")
    if slope == 0:
        return Message("The activation is flat everywhere: no gradient passes through it.")
    if slope < GAINS[0]:
        return Message(
            "Over inputs from N(0, 1) the mean square of the activation's slope is {slope}, which a gradient does not survive.",
            slope=significant(slope),
        )
    if slope > GAINS[1]:
        return Message(
            "Over inputs from N(0, 1) the mean square of the activation's slope is {slope}, so that a step leads anywhere.",
            slope=significant(slope),
        )
    if output > MOST_OUTPUT:
        return Message(
            "Over inputs from N(0, 1) the mean square of the activation is {output}: too large to learn from.", output=significant(output)
        )
    return ""


@lru_cache(maxsize=256)
def _gains(activation: str, parameter: float | None = None) -> tuple[float, float]:
    """Mean squares of an activation and of its slope over N(0, 1); infinite where they diverge, NaN where they are not to be had."""
    function = resolve(activation)
    moments = gaussian_moments(lambda x: function(x, parameter), np.zeros(1))
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.exp(moments.log_mean_square[0])), float(np.exp(moments.log_slope_square[0]))


def small_slope(spec: RunSpec) -> Repair | None:
    """Tanh in the place of an activation that cuts the gradient down in each of many layers."""
    if len(spec.hidden) < DEEP or resolve(spec.activation).largest_slope >= SMALL_SLOPE:
        return None
    why = Message("The slope of tanh reaches 1, that of the sigmoid 1/4: the gradient is no longer cut down in every layer.")
    return Repair("tanh", why, {"activation": "tanh"})


def fitting_start(spec: RunSpec) -> Repair | None:
    """The initialization made for the activation; None where it is of that kind now."""
    one_sided = resolve(spec.activation).rectifier
    init = "he_normal" if _stops_half(spec) else "lecun_normal" if _keeps_all(spec) and not one_sided else "xavier_normal"
    if INITIALIZERS[spec.init].suits == INITIALIZERS[init].suits:
        return None
    author, why = _GOOD_OF[init]
    return Repair(Message("{author} initialization", author=author), why, {"init": init})


def _stops_half(spec: RunSpec) -> bool:
    """Whether He's weights suit the activation: it lets one side pass and stops the other, at its parameter's value."""
    return resolve(spec.activation).rectifier and not _keeps_all(spec)


def _keeps_all(spec: RunSpec) -> bool:
    """Whether the activation takes next to nothing away from signal and gradient, as a line does."""
    return _gains(spec.activation, spec.activation_parameter)[1] >= KEEPS_ALL


def _random(spec: RunSpec) -> bool:
    return INITIALIZERS[spec.init].random and (spec.init != "normal" or spec.init_std > 0)


def fewer_rectifiers(spec: RunSpec) -> Repair | None:
    """Only as many rectifier layers as soon learn."""
    if len(spec.hidden) <= MANY_RECTIFIERS or not _stops_half(spec):
        return None
    why = Message("{few} such layers learn sooner than {many}.", few=FEWER_RECTIFIERS, many=len(spec.hidden))
    return Repair(counted(FEWER_RECTIFIERS, "{n} hidden layer", "{n} hidden layers"), why, _first_layers(spec, FEWER_RECTIFIERS))


def usual_step(spec: RunSpec, *, explodes: bool) -> Repair | None:
    """The usual lr, and a usual momentum; for many layers that explode, or that take nothing away, a tenth of it."""
    settings: dict[str, Any] = {}
    if "momentum" in OPTIMIZERS[spec.optimizer].settings and spec.momentum > MOST_MOMENTUM:
        settings["momentum"] = USUAL_MOMENTUM
    usual = usual_lr(replace(spec, **settings))
    keeps = _keeps_all(spec)
    if len(spec.hidden) >= (DEEP if keeps and spec.init != "lecun_normal" else MANY_LAYERS if keeps or explodes else math.inf):
        usual = _within_bounds(usual / 10)
    if spec.lr > NEAR_USUAL * usual or (settings and spec.lr > usual) or (spec.lr * NEAR_USUAL < usual and not explodes):
        settings["lr"] = usual
    if not settings:
        return None
    if "momentum" not in settings:
        return _other_lr(spec, usual)
    changed = [Message("momentum {value}", value=exactly(settings["momentum"]))]
    if "lr" in settings:
        changed.append(_lr(usual))
    why = Message("With less momentum a step follows the gradient of now and not that of long ago.")
    return Repair(listed(changed, "and"), why, settings)


def _other_lr(spec: RunSpec, lr: float) -> Repair:
    if lr > spec.lr:
        why = Message("The steps become {factor} times longer.", factor=significant(lr / spec.lr, 2))
    else:
        why = Message("The steps become {factor} times shorter.", factor=significant(spec.lr / lr, 2))
    return Repair(_lr(lr), why, {"lr": lr})


def _lr(value: float) -> Message:
    return Message("lr {value}", value=exactly(value))


def smaller_lr(spec: RunSpec) -> Fix | None:
    """A tenth of the lr; None at the lower bound."""
    return _fix(spec, [_other_lr(spec, _within_bounds(spec.lr / 10))])


def larger_lr(spec: RunSpec) -> Fix | None:
    """Ten times the lr; None at the upper bound."""
    return _fix(spec, [_other_lr(spec, _within_bounds(10 * spec.lr))])


def random_start(spec: RunSpec) -> Fix | None:
    """The initialization made for the activation; None where it is of that kind now."""
    return _fix(spec, _applied(fitting_start(spec)))


def fewer_layers(spec: RunSpec) -> Fix | None:
    """Half the hidden layers, the first ones; None where there are not two."""
    kept = len(spec.hidden) // 2
    if not kept:
        return None
    why = Message("The fewer layers, the less is lost on the way.")
    return _fix(spec, [Repair(counted(kept, "{n} hidden layer", "{n} hidden layers"), why, _first_layers(spec, kept))])


def living_units(spec: RunSpec) -> Fix | None:
    """Without the L1 penalty that has set their weights to 0; else an activation whose units cannot die, or shorter steps."""
    if spec.l1:
        why = Message("It sets all weights of a unit to 0 that lowers the loss by less than they cost.")
        return _fix(spec, [Repair(Message("without {settings}", settings=Message("the L1 penalty")), why, {"l1": 0.0})])
    if spec.activation == "leaky_relu":
        return smaller_lr(spec)
    why = Message("Its slope below 0 is 0.01 and not 0, so that a unit that is never active can come back.")
    return _fix(spec, [Repair(Message("leaky ReLU"), why, {"activation": "leaky_relu"})])


def more_images(spec: RunSpec) -> Fix | None:
    """Ten times as many training images, or all; None where all are used."""
    if spec.train_size is None or spec.train_size >= MAX_TRAIN_SIZE:
        return None
    more = MORE_IMAGES * spec.train_size
    why = Message("What is right for more images is more often right for those that it has never seen.")
    if more > BUNDLED:
        return _fix(spec, [Repair(Message("all training images"), why, {"train_size": None})])
    return _fix(spec, [Repair(counted(more, "{n} training image", "{n} training images"), why, {"train_size": more})])


def less_overfitting(spec: RunSpec) -> Fix | None:
    """More images where there are any; dropout, where there is none and the layers are wide enough; else (more) weight decay."""
    if (fix := more_images(spec)) is not None:
        return fix
    if spec.hidden and not any(spec.dropout) and min(spec.hidden) >= NARROW:
        why = Message("Each step trains without a random half of the units, so that none can rely on another to know an image by heart.")
        return _fix(spec, [Repair(Message("dropout {value}", value=exactly(DROPOUT)), why, {"dropout": (DROPOUT,) * len(spec.hidden)})])
    decay = min(max(WEIGHT_DECAY, 10 * spec.weight_decay), BOUNDS["weight_decay"].high)
    why = Message("Each step pulls every weight a little towards 0, so that the network bends less to single images.")
    return _fix(spec, [Repair(Message("weight decay {value}", value=exactly(decay)), why, {"weight_decay": decay})])


def more_epochs(spec: RunSpec, steps_per_epoch: int) -> Fix | None:
    """As many epochs as give time to learn, twice as many at least; None at the upper bound."""
    epochs = min(MAX_EPOCHS, max(2 * spec.epochs, math.ceil(STEPS_TO_LEARN / steps_per_epoch)))
    then, now = count(epochs * steps_per_epoch), count(spec.epochs * steps_per_epoch)
    why = Message("{more} steps in place of {fewer}.", more=then, fewer=now)
    return _fix(spec, [Repair(counted(epochs, "{n} epoch", "{n} epochs"), why, {"epochs": epochs})])


_GOOD_OF = {  # initializer -> whose it is, and what is good about it
    "he_normal": (
        "He",
        Message("Weights of variance 2/n_in keep the size of the signal from one rectifier layer to the next (He et al. 2015)."),
    ),
    "xavier_normal": (
        "Xavier",
        Message("Weights of variance 2/(n_in + n_out) keep the size of signal and gradient from layer to layer (Glorot and Bengio 2010)."),
    ),
    "lecun_normal": (
        "LeCun",
        Message(
            "Weights of variance 1/n_in keep the size of the signal where the activation takes nothing of it away; SELU was made "
            "for them (Klambauer et al. 2017)."
        ),
    ),
}


def _first_layers(spec: RunSpec, kept: int) -> dict[str, Any]:
    return {"hidden": spec.hidden[:kept], "dropout": spec.dropout[:kept]}


def _within_bounds(lr: float) -> float:
    """Two digits are enough for an lr."""
    bounds = BOUNDS["lr"]
    return float(f"{min(max(lr, bounds.low), bounds.high):.2g}")


def _applied(repair: Repair | None) -> list[Repair]:
    return [] if repair is None else [repair]


def _with(spec: RunSpec, repairs: list[Repair]) -> RunSpec:
    settings = {name: value for repair in repairs for name, value in repair.settings.items()}
    if "activation" in settings:
        settings["activation_parameter"] = None  # it was the old activation's
    return replace(spec, **settings)


def _fix(spec: RunSpec, repairs: list[Repair]) -> Fix | None:
    """All of the repairs as one experiment; None where they change nothing."""
    changed = _with(spec, repairs)
    if changed == spec:
        return None
    omitted = [repair.what for repair in repairs if repair.what.startswith("without")]
    others = [repair.what for repair in repairs if repair.what not in omitted]
    if omitted and others:
        label = Message("Try {changes} and {omission}", changes=listed(others), omission=listed(omitted, "and"))
    else:
        label = Message("Try {changes}", changes=listed(omitted or others, "and"))
    return Fix(label, changed, joined(*(repair.why for repair in repairs)))
