"""The house rules as functions from source text to broken rules. Knows where files lie, but nothing of what they do.

Imports only ever go down: app -> pages -> pages.ui -> mlp_core; and within mlp_core, figures know plain data and nothing of tensors.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAX_LINES = 300


@dataclass(frozen=True, slots=True)
class Room:
    """Some modules, and what they may import beside the standard library.

    `modules` and `may` are dotted names; a name stands for itself and for everything below it, and "a.*" only for what is directly in a.
    """

    modules: str
    may: tuple[str, ...]
    but_not: tuple[str, ...] = ()


_CORE = ("mlp_core", "numpy", "torch")
_PANEL = ("streamlit", "pages.ui", "mlp_core", "numpy", "torch", "plotly")
ROOMS = (  # the first that fits counts
    Room("app", ("streamlit", "pages.ui")),
    Room("pages.ui.shell", ("streamlit", "mlp_core.memory")),  # stands around every page, the quick ones too
    Room("pages.ui.text", ()),
    Room("pages.ui.live_chart", (*_PANEL, "pandas")),
    Room("pages.ui", _PANEL),
    Room("pages.*", ("streamlit", "pages.ui", "mlp_core")),
    Room("mlp_core.bounds", ()),
    Room("mlp_core.spec", ("mlp_core.bounds",)),
    Room("mlp_core.records", ()),
    Room("mlp_core.memory", ()),
    Room("mlp_core.figures", ("plotly", "numpy", "mlp_core.figures", "mlp_core.spec", "mlp_core.bounds", "mlp_core.records")),
    Room("mlp_core.files.download", (*_CORE, "filelock", "torchvision"), ("mlp_core.figures",)),
    Room("mlp_core.pictures.file", ("mlp_core", "numpy", "PIL"), ("mlp_core.figures",)),
    Room("mlp_core.export", (*_CORE, "safetensors"), ("mlp_core.figures",)),
    Room("mlp_core", _CORE, ("mlp_core.figures",)),
)
ONLY_IN_FUNCTIONS = ("torchvision",)  # 3 s and 160 MB: for those who download, and nobody else
FORBIDDEN_IMPORTS = ("pickle", "dill", "joblib", "marshal", "shelve", "cloudpickle")
FORBIDDEN_CALLS = ("eval", "exec", "compile", "__import__")
FORBIDDEN_KEYWORDS = ("unsafe_allow_html", "allow_pickle")


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name, absolute and dotted ("mlp_core.spec.RunSpec"); with leading dots if the source has them."""

    name: str
    line: int
    in_function: bool


def source_files(*folders: str) -> dict[str, Path]:
    """Module name -> file, for the files and folders named, relative to the repository."""
    paths: list[Path] = []
    for folder in folders:
        path = ROOT / folder
        paths += [path] if path.is_file() else sorted(path.rglob("*.py"))
    return {_module_name(path.relative_to(ROOT)): path for path in paths}


def _module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source: str) -> list[Import]:
    """Every name that is imported anywhere in `source`."""
    return list(_imports(ast.parse(source), in_function=False))


def _imports(node: ast.AST, in_function: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, in_function) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            start = "." * child.level + (f"{child.module}." if child.module else "")
            yield from (Import(start + alias.name, child.lineno, in_function) for alias in child.names)
        yield from _imports(child, in_function or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda))


def broken_import_rules(module: str, source: str) -> list[str]:
    """What `module` imports and must not, by the first of `ROOMS` it is in."""
    room = next((room for room in ROOMS if _is_in(module, room.modules)), None)
    if room is None:
        return [f"{module} is in no room"]
    broken = []
    for one in imports(source):
        where = f"{module}:{one.line}"
        if one.name.startswith("."):
            broken.append(f"{where} imports relatively: {one.name}")
        elif not _may(room, one.name):
            broken.append(f"{where} must not import {one.name}")
        elif not one.in_function and any(_is_in(one.name, heavy) for heavy in ONLY_IN_FUNCTIONS):
            broken.append(f"{where} may import {one.name} only inside a function")
    return broken


def _may(room: Room, name: str) -> bool:
    if name.partition(".")[0] in sys.stdlib_module_names:
        return not any(_is_in(name, forbidden) for forbidden in FORBIDDEN_IMPORTS)
    return any(_is_in(name, allowed) for allowed in room.may) and not any(_is_in(name, other) for other in room.but_not)


def _is_in(name: str, place: str) -> bool:
    if place.endswith(".*"):
        return name.rpartition(".")[0] == place[:-2]
    return name == place or name.startswith(f"{place}.")


def import_cycle(sources: Mapping[str, str]) -> list[str]:
    """Modules (name -> source) that import each other in a ring, or nothing. An import inside a function counts too."""
    graph = {module: _imported_modules(module, source, sources) for module, source in sources.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        ring: list[str] = error.args[1]
        return ring
    return []


def _imported_modules(module: str, source: str, known: Iterable[str]) -> set[str]:
    found = set()
    for one in imports(source):
        parts = one.name.split(".")
        prefixes = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
        found.update([prefix for prefix in prefixes if prefix in known][:1])
    return found - {module}


def unsafe_code(source: str) -> list[str]:
    """What could run or render what a visitor typed or a file holds."""
    return [f"line {line}: {what}" for line, what in sorted(_unsafe(ast.parse(source)))]


def _unsafe(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called, keywords = ast.unparse(node.func), {keyword.arg: keyword.value for keyword in node.keywords}
            if called.removeprefix("builtins.") in FORBIDDEN_CALLS:
                yield node.lineno, f"{called}()"
            if called == "torch.load" and not _is_true(keywords.get("weights_only")):
                yield node.lineno, "torch.load() without weights_only=True"
            yield from ((node.lineno, f"{name}=") for name in FORBIDDEN_KEYWORDS if name in keywords)
        elif isinstance(node, ast.Attribute) and node.attr == "read_pickle":
            yield node.lineno, "read_pickle"
    for one in imports(ast.unparse(tree)):
        if any(_is_in(one.name, forbidden) for forbidden in FORBIDDEN_IMPORTS):
            yield one.line, f"import {one.name}"


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def touches_session_state(source: str) -> bool:
    """Whether the code reads or writes Streamlit's session state; a comment that speaks of it does not."""
    return any(
        (isinstance(node, ast.Attribute) and node.attr == "session_state") or (isinstance(node, ast.alias) and "session_state" in node.name)
        for node in ast.walk(ast.parse(source))
    )


def missing_docstring(source: str) -> bool:
    """Whether the module does not begin with a docstring whose first line says something."""
    docstring = ast.get_docstring(ast.parse(source), clean=False) or ""
    return not docstring.partition("\n")[0].strip()


def is_too_long(source: str) -> bool:
    return len(source.splitlines()) > MAX_LINES
