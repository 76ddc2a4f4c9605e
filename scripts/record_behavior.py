"""Record what a change of the code's form must leave as it is, down to the last bit, and compare two such records.

    python scripts/record_behavior.py record OUT.json
    python scripts/record_behavior.py compare BEFORE.json AFTER.json     # every difference; status 1 if one is not in INTENDED

It trains small networks on the bundled sample, runs exported programs, follows links to every page and computes some plain numbers.
Both records have to come from the same machine and the same packages.
"""

from __future__ import annotations

import argparse
import base64
import difflib
import hashlib
import importlib
import json
import logging
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from fnmatch import fnmatchcase
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import numpy as np
import streamlit
import torch
from streamlit.runtime.caching.cache_resource_api import clear_session_cache
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import AlertBase, Button, Dataframe, Element, Metric, Widget

sys.path.insert(0, str(Path(__file__).parents[1]))

from mlp_core.activations import ACTIVATIONS, evaluate
from mlp_core.data import load_fashion_mnist, load_sample
from mlp_core.expression import compile_expression
from mlp_core.jobs import TrainingJob
from mlp_core.reports.export.results import Results
from mlp_core.spec import RunSpec
from mlp_core.stability import gradient_norms_by_depth, matrix_product_growth
from mlp_core.theory import critical_scale, lyapunov_exponents
from mlp_core.training import Run

ROOT = Path(__file__).parents[1]

# Differences that are meant: pattern (as of fnmatch) of a name, as `compare` prints it -> the reason.
INTENDED: dict[str, str] = {
    "histories / several seeds * / ends": "no page read the sentences of single seeds; a history says where its seed broke",
    "planes / several seeds / ends": "the same",
    "programs / * / text": "weights in the comparison's words; no helper for expressions of slope 0; the sample has moved",
    "programs / * / sha": "the same; what the programs print is the same to the last digit",
    "programs / notebook *": "the same",
    "links / * / figures / * / sha": "figures are plain dicts: defaults are said where plotly's Python side left them out, or not",
    "links / * / figures / * / layout / *": "the same: showlegend, dragmode, hovermode, empty lists, xref",
    "links / * / figures / * / trace * / showlegend*": "the same",
    "links / * / figures / * / trace * / hoverinfo*": "the same",
    "links / * / figures / * / trace * / legendgroup*": "the same",
    "links / * / figures / network / *": "the labels of a drawn network that have one size are one trace",
    "links / app / figures / card_train / *": "the same",
    "links / * / colorscale / *": "colors are spread by numpy: the last digit of their places",
    "links / * / widgets / * is only in the record *": "keys of widgets are named after what they set; downloads have keys",
    "links / * / figures / fates_*": "the figures of the designs are called so",
    "links / * / figures / designs_*": "the same",
    "links / generalization* / figures / sweep_*": "a chart of what has ended has no empty traces before anything has",
    "surroundings / products": "the library of products is said by its name alone",
    "links / generalization* / words": "sections of a page are called sections",
    "links / * at generalization* / words": "the same",
    "links / train* / words": "shapes, formulas and limits are drawn when they are opened",
    "links / * at train* / words": "the same",
}

# What has no fixed place: the places where it may be; the first that is there counts.
PLACES = {
    "choose_matmul": ["mlp_core.matmul.choose_matmul", "mlp_core.runtime.devices.choose_matmul"],
    "keep_few_kernels": ["mlp_core.memory.keep_few_kernels", "mlp_core.runtime.memory.keep_few_kernels"],
    "Replicates": ["mlp_core.seeds.replicates.Replicates", "mlp_core.training.replicates.Replicates"],
    "Scheduler": ["mlp_core.scheduler.Scheduler", "mlp_core.jobs.Scheduler"],
    "ENDS": ["mlp_core.ends.ENDS", "mlp_core.losses.LOSSES"],
    "points_of": ["mlp_core.nonlinearity.plane.points_of", "mlp_core.labs.nonlinearity.plane.points_of"],
    "split": ["mlp_core.nonlinearity.plane.split", "mlp_core.labs.nonlinearity.plane.split"],
    "dataset": ["mlp_core.nonlinearity.plane.dataset", "mlp_core.labs.nonlinearity.plane.dataset"],
    "points_text": ["mlp_core.nonlinearity.plane_points.to_text", "mlp_core.labs.nonlinearity.plane_points.to_text"],
    "Experiment": ["mlp_core.experiment.Experiment", "mlp_core.reports.export.Experiment"],
    "script": ["mlp_core.script.program.script", "mlp_core.reports.export.script_of"],
    "notebook": ["mlp_core.script.notebook.notebook", "mlp_core.reports.export.notebook_of"],
    "Origin": ["mlp_core.script.sections.Origin", "mlp_core.reports.export.Origin"],
}
PAGE_FILES = ["pages/{}.py"]  # of the page with this name, from the repository's root

SMALL = "hidden=16&init=he_normal&batch_size=64&epochs=2&train_size=500&device=cpu"  # 16 steps, the last of an epoch with 52 images
OWN = "activation=%3Dx*sigmoid(1.702*x)"  # d2l's approximation of GELU, typed in
TRAINABLE = [
    "identity", "relu", "leaky_relu", "prelu", "sigmoid", "tanh", "elu", "selu", "gelu", "silu", "softplus", "mish", "hard_sigmoid",
    "hard_tanh",
]  # fmt: skip
INITIALIZERS = [
    "normal", "xavier_uniform", "xavier_normal", "he_uniform", "he_normal", "torch_default", "zeros", "constant", "orthogonal",
]  # fmt: skip
DESIGNS = [  # fields in which a design differs from SMALL
    "hidden=256&init=normal&batch_size=256&epochs=1&train_size=1000", "implementation=scratch", "hidden=none&init=normal&init_std=0.0",
    *(f"activation={name}" for name in TRAINABLE), *(f"init={name}" for name in INITIALIZERS), "init=constant&init_noise=0.01",
    *(f"activation={one}&implementation=scratch" for one in ("prelu&activation_parameter=0.1", "leaky_relu&activation_parameter=0.3")),
    OWN, f"{OWN}&implementation=scratch", "activation=%3Dwhere(x>0,x,0.1*x)", "activation=%3Dexp(x*x)&lr=10", "train_size=7&batch_size=1",
    "momentum=0.9&lr=0.03", "momentum=0.8&nesterov=true&weight_decay=0.01&l1=0.001&lr=0.03", "divide_by_batch=true&lr=10&l1=0.01",
    "weight_decay=0.1&implementation=scratch", "optimizer=adam&lr=0.003&beta1=0.8&beta2=0.95&eps=1e-06&weight_decay=0.01&l1=0.001",
    "optimizer=adam&lr=0.003&implementation=scratch", "optimizer=adamw&lr=0.003&weight_decay=1.0&l1=0.001", "optimizer=rmsprop&lr=0.002",
    "optimizer=rmsprop&lr=0.001&rho=0.9&momentum=0.7&weight_decay=0.01", "optimizer=adagrad&lr=0.01&weight_decay=0.01",
    *(f"hidden=20,9,8&dropout=0.2,0.0,0.5&seed=11&momentum=0.5&implementation={one}" for one in ("concise", "scratch")),
    "hidden=8,8,8,8,8,8,8,8&activation=prelu&optimizer=adam&lr=0.01", "hidden=12,30&init=orthogonal&activation=tanh&seed=2147483647",
]  # fmt: skip
SEVERAL = [
    "",
    "hidden=9,8&dropout=0.3,0.5&activation=prelu",
    f"{OWN}&implementation=scratch&optimizer=adam",
    "activation=%3Dexp(x)&lr=0.5&init=normal&init_std=0.1&seed=3",
]
PLANE_DESIGN = "hidden=8,4&activation=tanh&optimizer=adam&lr=0.03&batch_size=10&epochs=10&train_size=default"
PLANES = [  # shape, end, inputs, and fields in which the design differs from PLANE_DESIGN
    ("xor", "logistic", "x,y", ""), ("xor", "softmax", "x,y", "activation=relu"), ("circle", "logistic", "x2,y2", "hidden=none"),
    ("spiral", "logistic", "x,y,sinx,siny", "l1=0.001"), ("moons", "logistic", "x,y", "optimizer=sgd&momentum=0.9&nesterov=true"),
    ("checkerboard", "logistic", "x,y,xy", "dropout=0.1,0.0"), ("three", "softmax", "x,y", "implementation=scratch"),
    ("arms", "softmax", "x,y", OWN), ("plane", "regression", "x,y", "hidden=none"), ("bumps", "regression", "x,y", "weight_decay=0.001"),
]  # fmt: skip
PROGRAMS = [  # style, fields in which the design differs from SMALL, changes of the learning rate
    ("concise", "", {}), ("scratch", "implementation=scratch", {5: 0.02, 9: 0.3}), ("scratch", f"{OWN}&optimizer=adam&lr=0.003", {}),
    ("concise", "hidden=20,9,8&dropout=0.2,0.0,0.5&momentum=0.5&nesterov=true", {}), ("concise", "activation=prelu&optimizer=rmsprop", {}),
    ("scratch", "optimizer=adamw&weight_decay=0.1&l1=0.001&activation=gelu", {}), ("scratch", "init=orthogonal&activation=selu", {}),
    ("concise", "hidden=none&init=constant&init_noise=0.01&divide_by_batch=true&lr=10", {3: 5.0}),
]  # fmt: skip
LINKS = [
    "app",
    "train",
    "train?hidden=none&epochs=5",
    "train?hidden=64,32,1&dropout=0.0,0.5,0.25&activation=prelu&activation_parameter=-0.5",
    "train?activation=%3Dx*sigmoid(1.702*x)%2B0.1&init=constant&init_value=0.02",
    "train?init_std=0.5&momentum=0.9&nesterov=true&divide_by_batch=true&lr=0.0123",
    "train?optimizer=adam&lr=0.001&beta1=0.8&beta2=0.99&eps=1e-06&weight_decay=0.01&l1=0.001",
    "train?optimizer=rmsprop&momentum=0.5&rho=0.9&lr=1e-05&theme=dark",
    "train?batch_size=4096&epochs=100&seed=2147483647&train_size=1&implementation=scratch&device=cpu",
    "train?hidden=256,256&dropout=0.2,0.5&lr=0.5",
    "train?lr=fast&epochs=2.5&seed=-1&momentum=7",
    "train?hidden=256,wide&dropout=0.1,0.2&nesterov=true",
    "train?optimizer=newton&init=[here](http://example.org)&device=<script>&weight_decay=0.125",
    "train?activation=step&activation_parameter=2&batch_size=nan",
    "train?hidden=4,4,4,4,4,4,4,4,4&train_size=60001&epochs=2000",
    "train?activation=%3D[a](http://example.org)&seed=5",
    "train?lr=0.5&lr=0.25&init=zeros&init_std=0.5",
    "activations",
    "activations?show=gelu,silu,elu&silu_beta=2&elu_alpha=0.5&closer=elu&x=-2&range=-4,6&step=0.05",
    "activations?show=none&own=x*sigmoid(1.702*x)&closer=own&x=3",
    "activations?show=softplus,prelu,leaky_relu,mish,step&softplus_beta=3&prelu_alpha=-0.5&mean=1.5&std=0.3&weight_variance=2&depth=40",
    "activations?show=none",
    "activations?range=5,-5&x=99&step=0.3&silu_beta=-1",
    "activations?show=relu,relu&closer=nobody&own=x%2Bfoo(x)&mean=nan",
    "stability",
    "stability?activation=tanh&init=normal&std=0.5&activation2=none&activation4=selu&depth=30&width=32&input=gaussian&show=dh&seed=3",
    "stability?activation=%3Dx*sigmoid(x)&show=ridges&depth=8&plane=sigma_b&map=2",
    "stability?show=dead&depth=5&width=16&batch=32&sigma_b=0.3",
    "stability?act=chain&x=0,1,-2",
    "stability?act=matrices",
    "stability?act=matrices&law=uniform&n=8&sigma=0.5&factors=200&trials=50&precision=float16&view=literal&k=20&draw=4",
    "stability?act=training&layers=3&epochs=1&lr=0.2&activation3=none",
    "stability?act=symmetry&units=16&symmetry_epochs=2",
    "stability?act=nowhere&depth=0&width=65&init=best&std=-1&activation=%3Dy",
    "stability?act=chain&x=1,9",
    "stability?act=matrices&law=none&n=1000&precision=int8&k=0",
    "nonlinearity",
    "nonlinearity?layers=5&width=8&narrow=2&slope=0.3&stack_seed=4",
    "nonlinearity?act=perceptron&points=circle&gap=0.5&count=60&points_seed=2&speed=25",
    "nonlinearity?act=playground",
    "nonlinearity?act=playground&data=spiral&features=x,y,sinx,siny&deep=2&units1=6&units2=4&activation=tanh&optimizer=momentum&momentum=0.8",
    "nonlinearity?act=playground&data=bumps&deep=0&penalty=l2&rate=0.003&batch=20&noise=10&size=200&test=30&discrete=yes&tests=no&lr=0.01",
    "nonlinearity?act=playground&data=three&units1=3&regions=yes&shown=0.1&across=2&up=3&end=softmax&epochs=50&seed=7&data_seed=8",
    "nonlinearity?act=playground&data=own&drawn=DRAWN",
    "nonlinearity?act=playground&features=none",
    "nonlinearity?act=ends",
    "nonlinearity?act=playground&features=x,x&noise=51&drawn=abc&units1=9&discrete=maybe",
    "nonlinearity?act=playground&data=own&shown=9.9&lr=0.5",
    "generalization",
    "generalization?degree=3&samples=100&noise=0.3&spread=1.5&seed=2",
    "generalization?solver=descent&degree=3&samples=50&lr=0.05&epochs=100",
    "generalization?part=images&question=units",
    "generalization?part=labels&wrong=20&wide=64&label_epochs=10",
    "generalization?act=decay&decay=0.01&decay_lr=0.01&decay_epochs=10&decay_std=0.01&decay_count=40&decay_seed=3",
    "generalization?act=dropout&p=0.3&masks=100&mask_seed=1&recipe=chinese&p1=0.2&p2=0.4&image=5",
    "generalization?degree=99&samples=1&part=none&solver=guess",
    "generalization?act=decay&decay=4&decay_lr=9&decay_epochs=20",
    "tensors",
    "tensors?op=sum&a=1+2+3;+4+5+6|7+8+9;+0+1+2&axes=0,2&keepdim=yes&cell=1",
    "tensors?op=reshape&a=1+2+3;+4+5+6&shape=2+-1",
    "tensors?op=add&a=1+2+3;&b=1;+2&cell=4",
    "tensors?act=contour&f=banana&x=1&y=-2",
    "tensors?op=mm&a=1+2;+3+four&b=1+2+3",
    "tensors?op=sum&axes=0,0&keepdim=maybe&cell=-1&axis=3",
    "tensors?act=contour&f=mountain&x=99&y=-99",
]
# Keys of widgets that have another name than once: recorded under the name on the right.
RENAMED = {"fates_start": "designs_start", "fates_stop": "designs_stop"}
TRAINED = [  # a link, the button that is pressed there, and the button that cannot be pressed when all has come to its end
    ("train?hidden=16&init=he_normal&train_size=512&batch_size=64&epochs=2&device=cpu&pace=full", "run_play", "run_stop"),
    ("train?hidden=16&dropout=0.2&train_size=512&batch_size=64&epochs=2&device=cpu&pace=full", "run_seeds", "run_stop"),
    ("nonlinearity?act=playground&data=spiral&deep=2&epochs=4&regions=yes", "plane_play", "plane_play"),
    ("generalization?part=labels&wrong=40&wide=32&label_epochs=2", "wrong_labels_start", "wrong_labels_stop"),
    ("generalization?solver=descent&degree=3&samples=50&epochs=20", "polynomial_start", "polynomial_stop"),
    ("stability?act=training&layers=2&epochs=1", "designs_start", "designs_stop"),
    ("stability?act=symmetry&units=4&symmetry_epochs=1", "symmetry_start", "symmetry_stop"),
]
EXPRESSIONS = [
    "x*sigmoid(1.702*x)", "where(x > 0, x, 0.1*x)", "max(x, 0)^2", "-(x + 1)*-2/(3 + x^2)", "(x > 0) + floor(x)", "gelu(x) + step(x)",
    "", "2", "y", "x +", "x^x", "__import__('os')", "x.real", "sin(x, x)", "1e999*x", "(" * 300,
]  # fmt: skip
BAD_SPECS: list[dict[str, Any]] = [
    {"hidden": (0,)}, {"hidden": (4,), "dropout": (0.1, 0.2)}, {"lr": 1000}, {"epochs": 2.5}, {"seed": True}, {"init": "best"},
    {"activation": "step"}, {"activation_parameter": 2}, {"nesterov": True}, {"hidden": (2048,) * 9},
    {"optimizer": "adam", "divide_by_batch": True},
]  # fmt: skip
BAD_FILES = [
    "", "[]", "{}", '{"version": 2}', '{"version": 1, "spec": {"lr": "fast"}}', '{"version": 1, "spec": {}, "more": 1}',
    '{"version": 1, "spec": {}, "lr_changes": [{"step": 5, "lr": 0.1}, {"step": 4, "lr": 0.1}]}',
    '{"version": 1, "spec": {"activation": "=y"}}', "not JSON",
]  # fmt: skip

MOST_LINES = 12  # shown of a difference

Record = dict[str, Any]


def find(*places: str) -> Any:
    """What is at the first of these dotted places that is there."""
    problem: Exception | None = None
    for module, _, name in (place.rpartition(".") for place in places):
        try:
            return getattr(importlib.import_module(module), name)
        except (ModuleNotFoundError, AttributeError) as error:
            problem = error
    raise ImportError(f"Name in PLACES where this is now: {', '.join(places)}") from problem


def the(name: str) -> Any:
    """What has this name in `PLACES`."""
    return find(*PLACES[name])


def digest(content: bytes | str) -> str:
    """A short name of a long content."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()[:16]


def exact(value: Any) -> Any:
    """A value as JSON keeps it to the last bit: fractions in hexadecimal, of a long array the digest."""
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, torch.Tensor | np.ndarray):
        array = np.ascontiguousarray(value)
        return exact(array.tolist()) if array.size <= 64 else f"{array.dtype} {array.shape} {digest(array.tobytes())}"
    return [exact(one) for one in value] if isinstance(value, list | tuple) else value


def answer(action: Callable[[Any], object], given: Any) -> str:
    """What comes of it, or what is said where it is refused."""
    try:
        return repr(action(given))
    except ValueError as error:
        return f"{type(error).__name__}: {error}"


def design(query: str, base: str = SMALL) -> RunSpec:
    """The design that differs from `base` in these fields."""
    spec, errors = RunSpec.from_query({**dict(parse_qsl(base)), **dict(parse_qsl(query))})
    if errors:
        raise errors[0]
    return spec


def advanced(run: Any) -> Any:
    """A run moved on to its end, by slices of odd sizes and by single pieces of work."""
    for steps in cycle((1, 0, 7, 0, 3)):
        if run.stop_reason is not None:
            break
        if steps:
            run.advance(steps=steps)
        else:
            run.advance(seconds=0.0)
    return run


def changed(spec: RunSpec, changes: Mapping[int, float]) -> Run:
    """A run whose learning rate was set in its course: step -> learning rate."""
    run = Run(spec, load_sample())
    for step, lr in changes.items():
        run.advance(steps=step - run.step)
        run.change(lr=lr)
    advanced(run)
    return run


def history(snapshot: Any) -> Record:
    """All that a run wrote down."""
    record = {name: exact(list(getattr(snapshot, name))) for name in ("steps", "losses", "accuracies")}
    tables = {name: exact([astuple(one) for one in getattr(snapshot, name)]) for name in ("epochs", "probes", "changes")}
    return record | tables | {"probes": digest(json.dumps(tables["probes"]))}


def outcome(run: Any) -> Record:
    """What came of a run, and of each of its seeds where it has several."""
    seeds = {f"seed {index}": history(member) for index, member in enumerate(getattr(run, "members", ()))}
    ends = [str(reason) for reason in getattr(run, "stop_reasons", ())]
    return history(run.history.snapshot()) | {"end": str(run.stop_reason), "ends": ends} | seeds


def histories() -> Record:
    """Runs of every kind."""
    data, record = load_sample(), {f"design {query}": outcome(advanced(Run(design(query), load_sample()))) for query in DESIGNS}
    record |= {f"several seeds {query}": outcome(advanced(the("Replicates")(design(query), data, seeds=3))) for query in SEVERAL}
    whole = advanced(Run(design("hidden=9,8&dropout=0.3,0.0&optimizer=adam&lr=0.01"), data))
    record |= {f"branch at step {step}": outcome(advanced(whole.branch(step, lr=0.02))) for step in (0, 5, 8)}
    scheduler = the("Scheduler")()
    job = TrainingJob(Run(design("momentum=0.5"), data), scheduler)
    job.play()
    while not job.ended:
        time.sleep(0.01)
    scheduler.close()
    return record | {"job": outcome(job.run), "lr changes": outcome(changed(design(""), {3: 0.5, 9: 0.01}))}


def loss_of(end: str) -> Any:
    """The loss of this name, under its older or newer one."""
    losses = the("ENDS")
    return losses[end] if end in losses else losses[{"softmax": "cross_entropy", "regression": "squared"}[end]]


def planes() -> Record:
    """Runs on points in the plane, and the points."""
    record = {}
    for shape, end, inputs, query in PLANES:
        points = the("points_of")(shape, 90, 0.1, 3)
        data = the("dataset")(*the("split")(points, 0.3, 4), inputs.split(","))
        spec, known = design(query, PLANE_DESIGN), {"points": exact(points.xy), "labels": exact(points.labels)}
        record[f"{shape} {end} {query}"] = known | outcome(advanced(Run(spec, data, loss_of(end))))
        if shape == "spiral":
            record["several seeds"] = outcome(advanced(the("Replicates")(spec, data, loss_of(end), seeds=3)))
    return record


def program(name: str, style: str, spec: RunSpec, changes: Mapping[int, float]) -> str:
    """The text of a `script` or `notebook` that repeats a run."""
    origin = the("Origin")(onednn=the("choose_matmul")().name == "oneDNN", sample=True, link="https://example.org/train?seed=1")
    return str(the(name)(spec, style, changed(spec, changes).history.snapshot().changes, origin=origin))


def programs(folder: Path) -> Record:
    """Exported programs and what they print."""

    def printed(number: int, text: str) -> str:
        file = folder / f"program{number}.py"
        file.write_text(text, encoding="utf-8")
        command = [sys.executable, file.name, "--steps"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        return f"{done.stdout}status {done.returncode}\n{done.stderr}"

    texts = [program("script", style, design(query), changes) for style, query, changes in PROGRAMS]
    with ThreadPoolExecutor(2) as pool:
        outputs = list(pool.map(printed, range(len(texts)), texts))
    names = [f"{style} {query} {changes}" for style, query, changes in PROGRAMS]
    scripts = {name: {"text": text, "sha": digest(text), "printed": out} for name, text, out in zip(names, texts, outputs, strict=True)}
    books = {
        f"notebook {name}": program("notebook", one[0], design(one[1]), one[2]) for name, one in zip(names[:2], PROGRAMS, strict=False)
    }
    return scripts | books


def shortened(value: Any) -> Any:
    """A part of a figure, its long texts and arrays as digests."""
    if isinstance(value, Mapping):
        if "bdata" in value:
            return [value["dtype"], value.get("shape"), exact(np.frombuffer(base64.b64decode(value["bdata"]), value["dtype"]))]
        return {name: shortened(part) for name, part in value.items()}
    if isinstance(value, list) and len(value) <= 16:
        return [shortened(one) for one in value]
    text = json.dumps(value, sort_keys=True)
    return value if len(text) <= 300 else f"{len(value)} long, {digest(text)}"


def figure(element: Element) -> Record:
    """A live chart as it was sent."""
    sent = json.loads(element.proto.bytes)
    traces = {f"trace {index}": shortened(trace) for index, trace in enumerate(sent["figure"]["data"])}
    about = {name: value for name, value in sent["about"].items() if name != "script"}
    return {
        "about": about,
        "layout": shortened(sent["figure"]["layout"]),
        "sha": digest(json.dumps(sent["figure"], sort_keys=True)),
    } | traces


def seen(page: AppTest) -> Record:
    """What a page shows and what its address says; how much memory is free is no part of that."""
    record: Record = {"address": dict(page.query_params), "widgets": {}, "figures": {}, "boxes": [], "words": []}
    for element in [*page.main, *page.sidebar]:
        if isinstance(element, Widget):
            value = ("disabled" if element.proto.disabled else "enabled") if isinstance(element, Button) else element.value
            key = (element.key or element.label).partition(".")[0]
            key = RENAMED.get(key, key)
            while key in record["widgets"]:
                key += " again"
            record["widgets"][key] = exact(value)
        elif isinstance(element, AlertBase) or element.type == "exception":
            record["boxes"].append(f"{element.type}: {element.value}")
        elif element.type == "bidi_component" and b'"figure":' in element.proto.bytes:
            record["figures"][element.proto.id.rsplit("-", 1)[-1]] = figure(element)
        elif isinstance(element, Metric | Dataframe):
            shown = element.value.to_csv() if isinstance(element, Dataframe) else f"{element.label}: {element.value} {element.delta}"
            record["words"].append(shown)
        elif element.type in ("markdown", "caption", "latex", "code", "title", "header", "subheader"):
            record["words"].append(re.sub(r"[\d.]+ [GM]B of memory", "… of memory", str(element.value)))
    return record


def visited(link: str, pressed: str = "", ended: str = "") -> Record:
    """A page opened by a link; where a button is `pressed`, as it is when the button `ended` cannot be pressed any more."""
    name, _, query = link.partition("?")
    places = ["app.py"] if name == "app" else [place.format(name) for place in PAGE_FILES]
    page = AppTest.from_file(str(next(ROOT / place for place in places if (ROOT / place).exists())), default_timeout=120)
    page.query_params.update(parse_qs(query))
    page.run()
    if pressed:
        keys = {RENAMED.get(button.key, button.key): button.key for button in page.button if button.key is not None}
        page.button(key=keys[pressed]).click().run()
        while not page.button(key=keys[ended]).disabled:
            time.sleep(0.05)
            page.run()
        page.run()
    clear_session_cache("test session id")  # the name that AppTest gives to every session
    return seen(page)


def links() -> Record:
    """All pages, opened by links, and some of their runs."""
    drawn = the("points_text")(the("points_of")("moons", 40, 0.1, 5))
    record = {link: visited(link.replace("DRAWN", drawn)) for link in LINKS}
    return record | {f"{pressed} at {link}": visited(link, pressed, ended) for link, pressed, ended in TRAINED}


def experiments() -> Record:
    """Experiment files, what is read from them, and what is said of bad ones."""
    make, record = the("Experiment"), {}
    for name, query, changes in (
        ("", "", {}),
        ("Zwei Änderungen", f"{OWN}&dropout=0.5", {3: 0.5, 9: 0.01}),
        ("x" * 100, "epochs=1", {0: 1.0}),
    ):
        run = changed(design(query), changes)
        history = run.history.snapshot()
        came_of_it = Results(run.steps_per_epoch, 0.0, run.stop_reason, history)  # no seconds, which are others every time
        text = make(design(query), history.changes, name).to_json(came_of_it)
        back = make.from_json(text)
        record[query] = {"text": text, "read": [back.spec.to_json(), exact([astuple(one) for one in back.changes]), back.name]}
    return record | {text: answer(make.from_json, text) for text in BAD_FILES}


def specs() -> Record:
    """Designs as JSON and as a query, and what is said of bad ones."""
    good = {
        query: [design(query).to_json(), design(query).to_query(), repr(RunSpec.from_json(design(query).to_json()))] for query in DESIGNS
    }
    return good | {repr(fields): answer(lambda fields: RunSpec(**fields), fields) for fields in BAD_SPECS}


def values(activation: Any, **parameters: float) -> Record:
    """A function and its gradient on a grid."""
    curve = evaluate(activation, np.linspace(-6.0, 6.0, 49), **parameters)
    return {"label": activation.label, "latex": activation.latex, "value": exact(curve.value), "gradient": exact(curve.gradient)}


def numbers() -> Record:
    """Plain numbers."""
    record: Record = {f"lyapunov {n} {scale}": exact(lyapunov_exponents(n, scale)) for n, scale in ((1, 1.0), (4, 1.0), (64, 0.3))}
    record |= {f"critical scale {n}": exact(critical_scale(n)) for n in (1, 2, 4, 64)}
    for activation, init, precision in (
        ("sigmoid", "torch_default", "float64"), ("relu", "he_normal", "float32"),
        ("tanh", "normal", "float32"), ("=x*sigmoid(x)", "orthogonal", "float64"),
    ):  # fmt: skip
        norms = gradient_norms_by_depth(activation, init, 12, 32, batch_size=64, seed=5, precision=precision)
        record[f"gradient norms {activation} {init}"] = exact(norms)
    for name, entry in ACTIVATIONS.items():
        record[f"activation {name}"] = values(entry)
        if entry.parameter is not None:
            record[f"activation {name} with another parameter"] = values(entry, **{entry.parameter.name: 0.75})
    for text in EXPRESSIONS:
        try:
            record[f"expression {text}"] = values(compile_expression(text))
        except ValueError as error:
            record[f"expression {text}"] = f"{type(error).__name__}: {error}"
    return record | {
        f"growth {n} {scale}": exact(matrix_product_growth(n, 50, 20, scale, 7)) for n, scale in ((1, 1.0), (4, 0.5), (16, 2.0))
    }


def surroundings() -> Record:
    """What a record hangs on beside the code."""
    versions = {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "streamlit": streamlit.__version__,
    }
    return versions | {"processor": torch.backends.cpu.get_cpu_capability(), "products": str(the("choose_matmul")())}


def begin(folder: Path) -> None:
    """Set up what the app sets up at its start, and let everybody take the bundled sample for the data."""
    os.chdir(ROOT)  # where Streamlit looks for its settings
    logging.disable(logging.WARNING)  # Streamlit warns of everything that is done outside of a page
    sample = next((ROOT / "mlp_core").rglob("train-images-idx3-ubyte.gz")).parent
    (folder / "data").symlink_to(sample)
    os.environ["MLP_DATA_DIR"] = str(folder / "data")
    the("keep_few_kernels")()
    the("choose_matmul")()
    torch.set_num_threads(1)
    assert load_fashion_mnist().is_sample


def record(file: Path) -> int:
    """Write the record of this tree."""
    file = file.absolute()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begin(folder)
        sections: dict[str, Callable[[], Record]] = {
            "surroundings": surroundings, "specs": specs, "numbers": numbers, "histories": histories, "planes": planes,
            "experiments": experiments, "programs": lambda: programs(folder), "links": links,
        }  # fmt: skip
        whole = {}
        for title, section in sections.items():
            started = time.monotonic()
            whole[title] = section()
            print(f"{title}: {len(whole[title])} entries, {time.monotonic() - started:.0f} s", flush=True)
        text = json.dumps(whole, indent=1, ensure_ascii=False, sort_keys=True)
    file.write_text(text.replace(str(folder), "FOLDER").replace(str(ROOT), "ROOT") + "\n", encoding="utf-8")
    return 0


def as_lines(value: Any) -> list[str]:
    """A value as lines of text."""
    return value.splitlines() if isinstance(value, str) else [str(one) for one in value] if isinstance(value, list) else [repr(value)]


def differences(name: str, before: Any, after: Any) -> Iterator[tuple[str, str]]:
    """Name and words for every place in which two records differ."""
    if before == after:
        return
    if (
        isinstance(before, list)
        and isinstance(after, list)
        and len(before) == len(after)
        and any(isinstance(one, list | dict) for one in before)
    ):
        before, after = ({str(index): one for index, one in enumerate(values)} for values in (before, after))
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {**before, **after}:
            place = f"{name} / {key}" if name else key
            if key in before and key in after:
                yield from differences(place, before[key], after[key])
            else:
                yield f"{place} is only in the record {'before' if key in before else 'after'}", ""
        return
    changes = list(difflib.unified_diff(as_lines(before), as_lines(after), lineterm="", n=0))[2:]
    shown = "\n".join(f"    {line[:300]}" for line in changes[:MOST_LINES])
    yield name, f"\n{shown}" + (f"\n    and {len(changes) - MOST_LINES} lines more" if len(changes) > MOST_LINES else "")


def compare(before: Path, after: Path) -> int:
    """Print every difference of two records; 1 if there is one that is not meant."""
    found = list(differences("", *(json.loads(file.read_text(encoding="utf-8")) for file in (before, after))))
    unmeant = 0
    for name, words in found:
        reason = next((reason for pattern, reason in INTENDED.items() if fnmatchcase(name, pattern)), None)
        unmeant += reason is None
        print(f"{'DIFFERS' if reason is None else f'intended ({reason})'}: {name} {words}")
    print(f"{len(found)} differences, {len(found) - unmeant} of them intended")
    return int(unmeant > 0)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("record", help="write a record of this tree").add_argument("out", type=Path)
    comparing = actions.add_parser("compare", help="print how two records differ")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    chosen = parser.parse_args(arguments)
    return record(chosen.out) if chosen.action == "record" else compare(chosen.before, chosen.after)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
