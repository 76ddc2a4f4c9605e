"""Designs that do not learn, or not well, each in its own way; small, so that many can be trained with several seeds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from mlp_core.spec import RunSpec

SMALL = RunSpec(hidden=(64,), batch_size=64, epochs=6, train_size=2000, device="cpu")  # 192 steps
DEEP = replace(SMALL, hidden=(64,) * 5)
EIGHT = replace(SMALL, hidden=(64,) * 8)
VERY_DEEP = replace(SMALL, hidden=(32,) * 10)
BOOK = RunSpec(device="cpu")  # of the bundled sample's 6,000 images: 240 steps
LONG = replace(SMALL, hidden=(128,), init="he_normal", optimizer="adam", lr=3e-3)


@dataclass(frozen=True, slots=True)
class Design:
    """An experiment, and what is changed on its way: step -> settings."""

    spec: RunSpec
    changes: dict[int, dict[str, Any]] = field(default_factory=dict)


def _small(**settings: Any) -> Design:
    return Design(replace(SMALL, **settings))


def _deep(**settings: Any) -> Design:
    return Design(replace(DEEP, **settings))


def _own(expression: str, **settings: Any) -> Design:
    return Design(replace(SMALL, activation=f"={expression}", **settings))


DESIGNS: dict[str, Design] = {
    # The learning rate
    "lr 2": _small(lr=2.0),
    "lr 3": _small(lr=3.0),
    "lr 5": _small(lr=5.0),
    "lr 100": _small(lr=100.0),
    "book, lr 3": Design(replace(BOOK, lr=3.0)),
    "book, lr 3, 118 steps": Design(replace(BOOK, lr=3.0, epochs=4)),
    "leaky ReLU, lr 5": _small(activation="leaky_relu", lr=5.0),
    "tanh, lr 10": _small(activation="tanh", lr=10.0),
    "sigmoid, lr 100": _small(activation="sigmoid", lr=100.0),
    "five layers of tanh, lr 1": _deep(activation="tanh", init="xavier_normal", lr=1.0),
    "five layers, He, lr 1": _deep(init="he_normal", lr=1.0),
    "GELU, lr 5": _small(activation="gelu", lr=5.0),
    "ELU, lr 5": _small(activation="elu", lr=5.0),
    "Adam, lr 0.1": _small(optimizer="adam", lr=0.1),
    "Adam, lr 1": _small(optimizer="adam", lr=1.0),
    "AdamW, lr 1": _small(optimizer="adamw", lr=1.0),
    "RMSprop, lr 1": _small(optimizer="rmsprop", lr=1.0),
    "AdaGrad, lr 30": _small(optimizer="adagrad", lr=30.0),
    "momentum 0.9, lr 1": _small(momentum=0.9, lr=1.0),
    "momentum 0.99, lr 0.1": _small(momentum=0.99, lr=0.1),
    "momentum 0.999, lr 0.1": _small(momentum=0.999, lr=0.1),
    "softmax regression, lr 100": _small(hidden=(), lr=100.0),
    "lr 0.00001": _small(lr=1e-5),
    "lr 0.001": _small(lr=1e-3),
    "lr 0.01": _small(lr=1e-2),
    "softmax regression, lr 0.00001": _small(hidden=(), lr=1e-5),
    "Adam, lr 0.00001": _small(optimizer="adam", lr=1e-5),
    "gradient divided by the batch size, lr 0.1": _small(divide_by_batch=True),
    # The initial weights and the depth
    "five layers, N(0, 0.01²)": Design(DEEP),
    "five layers of tanh, N(0, 0.01²)": _deep(activation="tanh"),
    "five layers of GELU, N(0, 0.01²)": _deep(activation="gelu"),
    "five layers of SELU, N(0, 0.01²)": _deep(activation="selu"),
    "five layers of Mish, N(0, 0.01²)": _deep(activation="mish"),
    "five layers of sigmoid, Xavier": _deep(activation="sigmoid", init="xavier_uniform"),
    "five layers of hard sigmoid, Xavier": _deep(activation="hard_sigmoid", init="xavier_uniform"),
    "ten layers of sigmoid, PyTorch's": Design(replace(VERY_DEEP, activation="sigmoid", init="torch_default")),
    "ten layers, PyTorch's": Design(replace(VERY_DEEP, init="torch_default")),
    "ten layers of tanh, PyTorch's": Design(replace(VERY_DEEP, activation="tanh", init="torch_default")),
    "ten layers, N(0, 0.01²)": Design(VERY_DEEP),
    "twenty layers, He": Design(replace(SMALL, hidden=(32,) * 20, init="he_normal")),
    "five layers of SELU, Xavier": _deep(activation="selu", init="xavier_normal"),
    "five layers of SELU, He": _deep(activation="selu", init="he_normal"),
    "five layers of SELU, N(0, 1)": _deep(activation="selu", init_std=1.0),
    "five layers of SELU, all zeros": _deep(activation="selu", init="zeros"),
    "ten layers of SELU, N(0, 0.01²)": Design(replace(VERY_DEEP, activation="selu")),
    "eight layers of SELU, He": Design(replace(EIGHT, activation="selu", init="he_normal")),
    "eight layers of SELU, Xavier, lr 1": Design(replace(EIGHT, activation="selu", init="xavier_normal", lr=1.0)),
    "three layers of identity, He, lr 1": _small(hidden=(64,) * 3, activation="identity", init="he_normal", lr=1.0),
    "eight layers of ELU, He, lr 1": Design(replace(EIGHT, activation="elu", init="he_normal", lr=1.0)),
    "eight layers of SiLU, N(0, 0.01²)": Design(replace(EIGHT, activation="silu")),
    "all zeros": _small(init="zeros"),
    "five layers, all zeros": _deep(init="zeros"),
    "all 0.01": _small(init="constant"),
    "sigmoid, all 0.01": _small(activation="sigmoid", init="constant"),
    "all 1": _small(init="constant", init_value=1.0),
    "two layers, all 0.1": _small(hidden=(64, 64), init="constant", init_value=0.1),
    "N(0, 10²)": _small(init_std=10.0),
    "sigmoid, N(0, 10²)": _small(activation="sigmoid", init_std=10.0),
    "tanh, N(0, 1)": _deep(activation="tanh", init_std=1.0),
    "five layers, N(0, 1)": _deep(init_std=1.0),
    "identity, N(0, 1), lr 100": _small(activation="identity", init_std=1.0, lr=100.0),
    "N(0, 0)": _small(init_std=0.0),
    # Penalties
    "dropout 1": _small(dropout=(1.0,)),
    "book, dropout 0.99": Design(replace(BOOK, dropout=(0.99,))),
    "five layers, He, dropout 0.5": _deep(init="he_normal", dropout=(0.5,) * 5),
    "five layers, He, dropout 0.8": _deep(init="he_normal", dropout=(0.8,) * 5),
    "two layers, dropout 0.95": _small(hidden=(64, 64), init="he_normal", dropout=(0.95, 0.95)),
    "weight decay 0.3": _small(weight_decay=0.3),
    "weight decay 1": _small(weight_decay=1.0),
    "weight decay 5": _small(weight_decay=5.0),
    "weight decay 19": _small(weight_decay=19.0),
    "weight decay 25": _small(weight_decay=25.0),
    "weight decay 100": _small(weight_decay=100.0),
    "book, weight decay 25": Design(replace(BOOK, weight_decay=25.0)),
    "He, weight decay 1": _small(init="he_normal", weight_decay=1.0),
    "Adam, weight decay 1": _small(optimizer="adam", lr=1e-3, weight_decay=1.0),
    "AdamW, weight decay 100": _small(optimizer="adamw", lr=1e-3, weight_decay=100.0),
    "L1 0.01": _small(l1=0.01),
    "L1 0.1": _small(l1=0.1),
    "L1 1": _small(l1=1.0),
    "all three penalties": _small(dropout=(0.99,), weight_decay=1.0, l1=0.1),
    "weight decay 25 and lr 3": _small(weight_decay=25.0, lr=3.0),
    # The activation itself
    "own: 0*x": _own("0*x"),
    "own: 0.001*x": _own("0.001*x"),
    "own: relu(x-10)": _own("relu(x-10)"),
    "own: x*x": _own("x*x"),
    "own: x^3, N(0, 1)": _own("x^3", init_std=1.0),
    "own: exp(x), N(0, 1)": _own("exp(x)", init_std=1.0),
    "own: 1/x": _own("1/x"),
    "own: log(x)": _own("log(x)"),
    "own: sqrt(x)": _own("sqrt(x)"),
    "own: 1000*x": _own("1000*x"),
    "own: x+1e6": _own("x+1e6"),
    "own: sin(100*x)": _own("sin(100*x)", init="he_normal"),
    "own, five layers: 0.1*x": _deep(activation="=0.1*x", init="he_normal"),
    "pReLU with alpha -1, five layers, lr 1": _deep(activation="prelu", activation_parameter=-1.0, init="he_normal", lr=1.0),
    # Too little
    "ten images": _small(train_size=10, batch_size=10, epochs=200),
    "100 images": _small(train_size=100, batch_size=50, epochs=100),
    "300 images, Adam": Design(replace(LONG, train_size=300, batch_size=50, epochs=60)),
    "600 images, Adam": Design(replace(LONG, train_size=600, epochs=30)),
    "all images, Adam, 40 epochs": Design(replace(LONG, train_size=None, epochs=40)),
    "all images, tanh, Adam, 40 epochs": Design(replace(LONG, activation="tanh", init="xavier_normal", train_size=None, epochs=40)),
    "ten images, softmax regression": _small(hidden=(), train_size=10, batch_size=10, epochs=200),
    "300 images, tanh": _small(activation="tanh", init="xavier_normal", train_size=300, batch_size=30, epochs=100, lr=0.3),
    "4 steps": _small(batch_size=1000, epochs=2),
    "20 steps": _small(batch_size=1000, epochs=10),
    "book, one epoch of 1,000 images": Design(replace(BOOK, epochs=1, train_size=1000)),
    "sigmoid, one epoch": Design(replace(BOOK, activation="sigmoid", epochs=2)),
    "one batch an epoch": _small(batch_size=2000, epochs=6),
    # Changed on the way
    "lr 0.1, from step 96 on 10": Design(replace(SMALL, epochs=8), {96: {"lr": 10.0}}),
    "lr 0.1, from step 96 on 3": Design(replace(SMALL, epochs=8), {96: {"lr": 3.0}}),
    "book, from step 144 on lr 1 and 5": Design(BOOK, {144: {"lr": 1.0}, 168: {"lr": 5.0}}),
    "Adam, from step 96 on lr 1": Design(replace(SMALL, optimizer="adam", lr=1e-3, epochs=8), {96: {"lr": 1.0}}),
    "from step 96 on dropout 0.99": Design(replace(SMALL, epochs=8), {96: {"dropout": (0.99,)}}),
    "from step 96 on weight decay 10": Design(replace(SMALL, epochs=8), {96: {"weight_decay": 10.0}}),
    "five layers, He, from step 96 on lr 1": Design(replace(DEEP, init="he_normal", epochs=8), {96: {"lr": 1.0}}),
}
