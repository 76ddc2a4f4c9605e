"""From a run to a plain PyTorch program that prints the run's own numbers, as a script or a notebook, and needs nothing of this project.

The program draws the same random numbers and does the same operations in the same order. In the style that the run was trained in, its
losses are the run's, bit for bit on the same machine; in another style, or one of several seeds that were trained at once, they begin as
the run's and part from them as training amplifies the rounding. It is written by `templates/program.py.jinja` with the code that the
registries hold; what a visitor typed stands in it only as code made anew from a checked syntax tree, and a link only with everything
encoded that could end a string.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import reduce
from itertools import accumulate, groupby
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from mlp_core.activations import substituted
from mlp_core.bounds import check_choice
from mlp_core.data.fashion_mnist import DEBIAN_FOLDER
from mlp_core.expression import resolve
from mlp_core.initializers import INITIALIZERS
from mlp_core.network.network import images_per_piece
from mlp_core.optimizers import OPTIMIZERS
from mlp_core.records import CHANGEABLE, SettingChange
from mlp_core.spec import IMPLEMENTATIONS, RunSpec
from mlp_core.words import Message, counted, joined, listed

STYLES = IMPLEMENTATIONS  # "concise", "scratch", "by_hand"
TITLES = {
    "concise": Message("{sizes} on Fashion-MNIST, with nn.Sequential"),
    "scratch": Message("{sizes} on Fashion-MNIST, from scratch"),
    "by_hand": Message("{sizes} on Fashion-MNIST, with backpropagation by hand"),
}
# Two runs that differ in their rounding alone, d2l's network, three seeds, two implementations or five seeds at once.
AMPLIFIED = Message(
    "Training amplifies rounding: in the first epoch of d2l's network losses of a step differ by less than 0.001 with lr 0.1, and by up to "
    "0.4 with lr 0.5."
)
WIDTH = 88  # columns a line, as black and ruff count by default
FLAGS = ("nesterov", "divide_by_batch")  # settings that no program knows by name
OFF_AT_ZERO = ("momentum", "weight_decay", "l1")  # settings that have no say at 0
# What may stand at a line's end: a word, a Chinese letter, each with the punctuation and the blanks behind it.
_PIECE = re.compile(r"[（“《]*(?:[\u4e00-\u9fff]|[^\s\u4e00-\u9fff（“《]+)?[，。、；：？！）”》]*\s*")

Say = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where and how a run took place, as far as it decides the last digits of its numbers.

    Args:
        device: type of the device, as torch names it.
        onednn: whether matrix products went through oneDNN (`mlp_core.runtime.devices`).
        sample: whether the images were the sample that is bundled with the playground.
        seeds: how many networks were trained at once, from the spec's seed on.
        link: address of the experiment on its page; "" for none.
    """

    device: str = "cpu"
    onednn: bool = False
    sample: bool = False
    seeds: int = 1
    link: str = ""

    @property
    def safe_link(self) -> str:
        """The link with everything encoded that could end a string, a docstring or a markdown link."""
        return quote(self.link, safe="%/:=&?~#+,;@._-")


def script_of(
    spec: RunSpec,
    style: str | None = None,
    changes: Sequence[SettingChange] = (),
    *,
    origin: Origin = Origin(),
    say: Say = str,
) -> str:
    """A Python script that repeats a run: `python script.py [--data FOLDER] [--seed N] [--steps]`.

    It prints a line an epoch with the means that the page shows, to 4 decimals, and with `--steps` every step's loss in full.

    Args:
        style: "concise" (nn.Sequential), "scratch" (bare tensors) or "by_hand" (no autograd either); the spec's
            implementation if absent.
        changes: in mid-run, in order; of several of one setting at one step the last counts.
        origin: where the run took place.
        say: says a message of a comment in the reader's language; the program is the same in all.

    Raises:
        SpecError: another style.
        ExpressionError: the run's own activation is no expression.
    """
    lines = _program(spec, style, changes, origin, say, in_notebook=False)
    return spaced([line for line in lines if not line.startswith("#|")]) + "\n"


def notebook_of(
    spec: RunSpec,
    style: str | None = None,
    changes: Sequence[SettingChange] = (),
    *,
    origin: Origin = Origin(),
    say: Say = str,
) -> str:
    """The same program as a Jupyter notebook (.ipynb), in cells with words and formulas between them; arguments as of `script_of`.

    Written as JSON by hand: the format is small, and nothing more of Jupyter is needed. Reference: nbformat 4.5.
    """
    lines = _program(spec, style, changes, origin, say, in_notebook=True)
    cells = []
    for number, (words, part) in enumerate(groupby(lines, key=lambda line: line.startswith("#|"))):
        source = "\n\n".join(line.removeprefix("#| ") for line in part) if words else spaced(list(part))
        cell: dict[str, Any] = {"cell_type": "markdown" if words else "code", "id": f"cell-{number}", "metadata": {}}
        cell |= {"source": source.splitlines(keepends=True)}
        cells.append(cell if words else cell | {"execution_count": None, "outputs": []})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, indent=1, ensure_ascii=False) + "\n"


def file_name(style: str, ending: str = "py") -> str:
    """What to call the file of a program."""
    return f"mlp_{style}.{ending}"


def linear_places(spec: RunSpec, changes: Sequence[SettingChange] = ()) -> tuple[int, ...]:
    """Where the linear layers stand in the concise program's `nn.Sequential`: behind each an activation and a dropout, if it has them."""
    follows = resolve(spec.activation).written(spec.activation_parameter).module != ""
    drops = bool(_steps_of(spec, "dropout", changes))
    lengths = [1 + follows + (drops or rate > 0) for rate in spec.dropout or (0.0,) * len(spec.hidden)]
    return tuple(accumulate(lengths, initial=0))


def spaced(lines: Sequence[str]) -> str:
    """Lines of code with two blank lines around functions and classes and never more than one elsewhere."""
    text, inside, blank = list[str](), False, 0
    for line in lines:
        if not line:
            blank += 1
            continue
        defines = line.startswith(("def ", "class ", "@"))
        if text and not text[-1].startswith("@"):
            text += [""] * (2 if defines or (inside and not line.startswith(" ")) else min(blank, 1))
        text.append(line)
        inside, blank = defines or (inside and line.startswith(" ")), 0
    return "\n".join(text)


def bracketed(start: str, items: Sequence[object], end: str) -> str:
    """`start`, items with commas, `end`: in one line where it fits, else an item a line, as code formatters lay it out."""
    line = f"{start}{', '.join(map(str, items))}{end}"
    return line if len(line) <= WIDTH else "\n".join([start, *(f"    {item}," for item in items), end])


def columns(text: str) -> int:
    """How wide a text is where all letters are equally wide: a Chinese one takes two columns."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def wrapped(paragraph: str, before: str = "") -> str:
    """A paragraph in lines of at most `WIDTH` columns, `before` in front of each; Chinese may break behind any of its letters."""
    lines, line = list[str](), ""
    for piece in _PIECE.findall(paragraph):
        if line and columns(f"{before}{line}{piece.rstrip()}") > WIDTH:
            lines, line = [*lines, line], ""
        line += piece if line else piece.lstrip()
    return "\n".join(f"{before}{one.rstrip()}" for one in [*lines, line])


def docstring(text: str, indent: int = 4) -> str:
    """A text as the docstring of what is indented so far, behind its first indent; in several lines where one is too short."""
    line = f'"""{text}"""'
    if indent + columns(line) <= WIDTH:
        return line
    return f'"""\n{wrapped(text, " " * indent)}\n{" " * indent}"""'


def beside(code: str, text: str, indent: int = 0) -> str:
    """A line of code with a comment behind it, or in front of it where that is too long; behind its first indent."""
    line = f"{code}  # {text}"
    if indent + columns(line) <= WIDTH:
        return line
    return f"{wrapped(text, ' ' * indent + '# ').lstrip()}\n{' ' * indent}{code}"


def _comment(text: str) -> str:
    return wrapped(text, "# ")


@pass_context
def _said(context: Context, text: str, /, **values: Any) -> str:
    """What `_` is in a template: a message, in the language of the program's reader."""
    said: str = context["say"](text if isinstance(text, Message) else Message(text, **values))
    return said


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    autoescape=False,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_TEMPLATES.globals |= {"bracketed": bracketed, "wrapped": wrapped, "docstring": docstring, "beside": beside, "comment": _comment}
_TEMPLATES.globals |= {"substituted": substituted, "_": _said}


def _program(
    spec: RunSpec, style: str | None, changes: Sequence[SettingChange], origin: Origin, say: Say, *, in_notebook: bool
) -> list[str]:
    """The program's lines, with the notebook's words between them."""
    style = spec.implementation if style is None else style
    check_choice("style", style, STYLES)
    scratch = style != "concise"
    changed = {name: _steps_of(spec, name, changes) for name in CHANGEABLE}
    probabilities = {p for values in (spec.dropout, *changed["dropout"].values()) for p in values}
    if not any(probabilities):
        changed["dropout"].clear()
    probability = spec.dropout or (0.0,) * len(spec.hidden)
    masked = [p > 0 or bool(changed["dropout"]) for p in probability]
    context = {
        "in_notebook": in_notebook,
        "spec": spec,
        "scratch": scratch,
        "by_hand": style == "by_hand",
        "rounds": spec.precision == "bfloat16",
        "origin": origin,
        "say": say,
        "title": Message(TITLES[style], sizes="-".join(map(str, spec.sizes))),
        "design": [*map(say, _design(spec, [CHANGEABLE[name] for name, steps in changed.items() if steps], origin))],
        "file_name": file_name(style),
        "debian_folder": DEBIAN_FOLDER,
        "changed": {name: [f"{step}: {value}" for step, value in steps.items()] for name, steps in changed.items()},
        "layers": list(zip(spec.sizes, spec.sizes[1:], (*probability, 0.0), strict=False)),
        "masked": masked,
        "places": linear_places(spec, changes),
        "kept": [f"{letter}{layer}" for layer, mask in enumerate(masked, start=1) for letter in ("ZHD" if mask else "ZH")] + ["logits"],
        "drops": any(probabilities),
        "masks": any(0 < p < 1 for p in probabilities),
        "drops_all": 1.0 in probabilities,
        "elsewhere": origin.device != "cpu",
        "on_device": ", device=device" if origin.device != "cpu" else "",
        "to_device": ".to(device)" if origin.device != "cpu" else "",
        "test_piece": images_per_piece(spec.sizes, resolve(spec.activation)),
    }
    context |= _of_activation(spec, style) | _of_initializer(spec, scratch) | _of_optimizer(spec, scratch, bool(changed["weight_decay"]))
    context["rate_moves"] = spec.divide_by_batch and bool(changed["batch_size"])
    return _TEMPLATES.get_template("program.py.jinja").render(context).splitlines()


def _of_activation(spec: RunSpec, style: str) -> dict[str, Any]:
    entry, scratch = resolve(spec.activation), style != "concise"
    code, parameter = entry.written(spec.activation_parameter, from_scratch=scratch), entry.parameter
    expression = code.expression if code.definition or code.module is not None else "phi(x)"
    value = parameter.default if parameter is not None and spec.activation_parameter is None else spec.activation_parameter
    learned = parameter is not None and parameter.learnable
    letters = [("W", "b", "a") if learned and layer <= len(spec.hidden) else ("W", "b") for layer in range(1, len(spec.sizes))]
    slope = entry.derivative[1] if entry.derivative is not None else ""
    uses_functional = "F." in (parameter.learned_code if parameter is not None and learned else code.expression)
    return {
        "activation": code,
        "needs_functional": style != "scratch" or uses_functional,
        "slope": substituted(slope, a=repr(value)) if parameter is not None and slope else slope,
        "latex": entry.latex,
        "derivative_latex": entry.derivative_latex,
        "hidden_expression": parameter.learned_code if parameter is not None and learned else expression,
        "learned_value": value if learned else None,
        "params": [f"{letter}{layer}" for layer, of_layer in enumerate(letters, start=1) for letter in of_layer],
    }


def _of_initializer(spec: RunSpec, scratch: bool) -> dict[str, Any]:
    entry = INITIALIZERS[spec.init]
    names = {"W": "W", "b": "b"} if scratch else {"W": "layer.weight", "b": "layer.bias"}
    return {"initializer": entry, "fill": _registry_code(entry.code, spec, names)}


def _of_optimizer(spec: RunSpec, scratch: bool, decay_changes: bool) -> dict[str, Any]:
    rule, decays = OPTIMIZERS[spec.optimizer], spec.weight_decay > 0 or decay_changes
    used = [name for name in (*rule.settings, "l1") if name not in FLAGS and (getattr(spec, name) or name not in OFF_AT_ZERO)]
    settings = [*used, *(["weight_decay"] if decays else [])]
    arguments = [rule.settings[name] for name in rule.settings if name in settings or (name == "nesterov" and spec.nesterov)]
    if decays or rule.decoupled:
        arguments.append("weight_decay=weight_decay" if decays else "weight_decay=0.0")
    per_batch = " / batch_size" if spec.divide_by_batch else ""
    gradient = "w.grad" + " + weight_decay * w" * (decays and not rule.decoupled)
    move = _registry_code(rule.code, spec, {"lr": f"lr{per_batch}", "gradient": gradient, "weight_decay": decays})
    return {
        "rule": rule,
        "settings": settings,
        "arguments": [argument for argument in arguments if argument],
        "written_rule": scratch or not rule.torch_class,
        "per_batch": per_batch,
        "buffers": rule.buffers(spec),
        "gradient": gradient,
        "move": move,
        "reads_gradient": re.search(r"\bg\b", move) is not None,
        "counts_steps": re.search(r"\bt\b", move) is not None,
    }


def _registry_code(code: str, spec: RunSpec, names: dict[str, Any]) -> str:
    """The lines of a registry's entry for a run of `spec`."""
    return _TEMPLATES.from_string(code).render(asdict(spec) | names).rstrip("\n")


def _steps_of(spec: RunSpec, name: str, changes: Sequence[SettingChange]) -> dict[int, Any]:
    """After how many steps a setting was changed -> to what; of dropout to one probability a hidden layer."""
    steps: dict[int, Any] = {change.step: change.value for change in changes if change.field == name}
    return {step: value or (0.0,) * len(spec.hidden) for step, value in steps.items()} if name == "dropout" else steps


def _design(spec: RunSpec, changed: Sequence[str], origin: Origin) -> list[str]:
    """The experiment in words, and what must be known to get its numbers."""
    activation = Message("own activation") if spec.expression is not None else resolve(spec.activation).label
    parts: list[str] = [activation if spec.hidden else Message("no hidden layer: softmax regression")]
    parts.append(Message("initial weights: {weights}", weights=INITIALIZERS[spec.init].described(spec)))
    if any(spec.dropout):
        parts.append(Message("dropout {value}", value=listed([*map(str, spec.dropout)])))
    parts.append(Message("{optimizer}, lr {lr}", optimizer=OPTIMIZERS[spec.optimizer].label, lr=spec.lr))
    parts.append(
        counted(
            spec.epochs,
            "batches of {batch_size}, {n} epoch, seed {seed}",
            "batches of {batch_size}, {n} epochs, seed {seed}",
            batch_size=spec.batch_size,
            seed=spec.seed,
        )
    )
    if spec.precision == "bfloat16":
        parts.append(Message("products rounded to bfloat16"))
    design = reduce(lambda before, part: Message("{statement}; {another}", statement=before, another=part), parts)
    lines: list[str] = [Message("{statement}.", statement=design)]
    if changed:
        lines.append(
            Message("Changed in mid-run: {settings}; a link cannot carry that, this program does.", settings=listed(list(changed)))
        )
    if origin.seeds > 1:
        several = Message(
            "The run trained {n} networks at once, of the seeds {first} to {last}. This is the first; set seed for the others. Alone a "
            "network is rounded differently, so this repeats it only approximately.",
            n=origin.seeds, first=spec.seed, last=spec.seed + origin.seeds - 1,
        )  # fmt: skip
        lines.append(joined(several, AMPLIFIED))
    if origin.sample:
        lines.append(
            Message(
                "The run saw the sample that comes with the playground (its folder mlp_core/data/sample), not the whole of Fashion-MNIST."
            )
        )
    if origin.link:
        lines.append(Message("Its page: {address}", address=origin.safe_link))
    return lines
