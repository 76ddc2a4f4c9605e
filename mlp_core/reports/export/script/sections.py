"""What an exported program is told of its run, and the pieces it is put together from. Knows no page, and none of the pieces' content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from urllib.parse import quote

from jinja2 import Environment, StrictUndefined

from mlp_core.bounds import check_choice
from mlp_core.records import LrChange
from mlp_core.spec import IMPLEMENTATIONS, RunSpec

WIDTH = 88  # characters a line, as black and ruff count by default


@dataclass(frozen=True, slots=True)
class Origin:
    """Where and how a run took place, as far as it decides the last digits of its numbers.

    Args:
        device: type of the device, as torch names it.
        onednn: whether matrix products went through oneDNN (`mlp_core.runtime.matmul`).
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


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides what a program computes and how it is written.

    Args:
        style: "scratch" (bare tensors) or "concise" (nn.Sequential).
        lr_changes: the learning rate's changes in mid-run, in order; of several at one step the last counts.

    Raises:
        SpecError: another style.
    """

    spec: RunSpec
    style: str
    lr_changes: tuple[LrChange, ...] = ()
    origin: Origin = Origin()

    def __post_init__(self) -> None:
        check_choice("style", self.style, IMPLEMENTATIONS)

    @property
    def scratch(self) -> bool:
        return self.style == "scratch"

    @property
    def drops(self) -> bool:
        return any(self.spec.dropout)

    @property
    def elsewhere(self) -> bool:
        """Whether the run did not take place on the processor."""
        return self.origin.device != "cpu"

    @property
    def layers(self) -> list[tuple[int, int]]:
        """(n_in, n_out) of every layer."""
        return list(pairwise(self.spec.sizes))


@dataclass(frozen=True, slots=True)
class Section:
    """One step of a program: a heading and words for a notebook, and code that stands on the sections before it."""

    title: str
    text: str
    code: str


_CODE = Environment(trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined, autoescape=False)


def rendered(code: str, spec: RunSpec, **names: str) -> list[str]:
    """The lines of a registry's code for a run of `spec`."""
    return _CODE.from_string(code).render(asdict(spec) | names).splitlines()


def bracketed(start: str, items: list[str], end: str) -> str:
    """`start`, items with commas, `end`: in one line where it fits, else an item a line, as code formatters lay it out."""
    line = f"{start}{', '.join(items)}{end}"
    return line if len(line) <= WIDTH else "\n".join([start, *(f"    {item}," for item in items), end])


def joined(code: Sequence[str]) -> str:
    """Pieces of code one below the other, with two blank lines around functions and classes."""
    text = code[0]
    for piece in code[1:]:
        defines = piece.startswith(("def ", "class ", "@")) or text.rpartition("\n")[2].startswith(" ")
        text += ("\n\n\n" if defines else "\n\n") + piece
    return text
