"""The rules of the layout, as functions from source text to broken rules.

Imports only ever go down: app -> pages -> pages.ui -> pages.figures and mlp_core; within mlp_core from reports and labs to the engine,
and in the engine from jobs to training, network, expression, the registries, and at last the specification.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class ImportRule:
    """Some modules, and what they may import beside the standard library.

    All are dotted names; a name stands for itself and for everything below it, and "a.*" only for what is directly in a.
    """

    modules: str
    may: tuple[str, ...]
    in_functions: tuple[str, ...] = ()  # where it is imported only once it is needed


def _core(*names: str) -> tuple[str, ...]:
    return tuple(f"mlp_core.{name}" for name in names)


_TENSORS = ("numpy", "torch")
_REGISTRIES = _core("activations", "initializers", "optimizers", "losses")
_PLAIN = _core("spec", "bounds", "records", "words")
_BASIC = (*_TENSORS, *_PLAIN, *_REGISTRIES, *_core("theory", "data", "runtime"))  # below expressions and networks
_NETWORK = (*_BASIC, *_core("expression", "network"))
_TRAINING = (*_NETWORK, *_core("training"))
_JOBS = (*_TRAINING, *_core("jobs"))
_SWEEP = (*_JOBS, *_core("reports.comparison", "sweep"))
_PANEL = ("streamlit", "pages.ui", "pages.figures", "pages.language", "mlp_core", *_TENSORS)
_FIGURE = ("plotly", "numpy", "pages.figures", "pages.language", *_PLAIN)
IMPORT_RULES = (  # the first that fits counts
    ImportRule("app", ("streamlit", "pages.ui")),
    ImportRule(  # on every page, the quick ones too
        "pages.ui.navigation",
        (
            *("streamlit", *_core("runtime.memory", "runtime.threads", "words"), "pages.language"),
            *("pages.ui.disconnected", "pages.ui.unbroken", "pages.ui.visitor_language"),
        ),
    ),
    ImportRule("pages.ui.visitor_language", ("streamlit", "pages.language", "pages.ui.unbroken")),
    ImportRule("pages.language", ("pages.language", *_core("words"))),
    ImportRule("pages.ui.disconnected", ("streamlit", *_core("runtime.memory"))),
    ImportRule("pages.ui.text", ("pages.language", *_core("bounds", "words"))),
    ImportRule("pages.ui.updates", ("streamlit", "starlette")),  # which the server imports before there is any page
    ImportRule("pages.ui.live_chart", (*_PANEL, "pandas")),
    ImportRule("pages.ui.lessons.class_panels", (*_PANEL, "segno")),
    ImportRule("pages.ui", _PANEL),
    ImportRule("pages.figures.standalone", ("plotly", "pandas", "pages.figures", "pages.language")),
    ImportRule("pages.figures.pictures", (*_FIGURE, "PIL")),  # a picture in a figure is a PNG
    ImportRule("pages.figures", _FIGURE),
    ImportRule("pages.*", ("streamlit", "pages.ui", "pages.figures", "pages.language", "mlp_core")),
    ImportRule("mlp_core.words", ()),
    ImportRule("mlp_core.bounds", _core("words")),
    ImportRule("mlp_core.records", _core("words")),
    ImportRule("mlp_core.spec", _core("bounds", "words"), _REGISTRIES),
    ImportRule("mlp_core.runtime.memory", ()),
    ImportRule("mlp_core.runtime.threads", ()),
    ImportRule("mlp_core.runtime", (*_TENSORS, *_PLAIN)),
    *(ImportRule(name, (*_TENSORS, *_PLAIN)) for name in _REGISTRIES),
    ImportRule("mlp_core.theory.expectations", _TENSORS),
    ImportRule("mlp_core.theory", (*_TENSORS, *_core("theory"))),
    ImportRule("mlp_core.data.download", (*_core("data", "words"), "pooch", "requests", "filelock")),
    ImportRule("mlp_core.data", (*_TENSORS, *_core("data", "words"))),
    ImportRule("mlp_core.expression", (*_BASIC, *_core("expression"))),
    ImportRule("mlp_core.network", _NETWORK),
    ImportRule("mlp_core.stability", (*_NETWORK, *_core("stability"))),
    ImportRule("mlp_core.training", _TRAINING),
    ImportRule("mlp_core.jobs", _JOBS),
    ImportRule("mlp_core.labs.images.file", (*_NETWORK, *_core("labs"), "PIL")),
    ImportRule("mlp_core.labs.lessons", (*_PLAIN, *_core("labs.lessons"))),
    ImportRule("mlp_core.labs.classes.redis_store", _core("labs.classes", "bounds", "words"), ("redis",)),
    ImportRule("mlp_core.labs.classes", _core("labs.classes", "bounds", "words")),  # of numbers only
    ImportRule("mlp_core.labs", (*_NETWORK, *_core("labs", "stability"))),
    ImportRule("mlp_core.reports.export", (*_JOBS, *_core("reports"), "safetensors", "jinja2")),
    ImportRule("mlp_core.reports", (*_JOBS, *_core("reports"))),
    ImportRule("mlp_core.sweep.store", (*_SWEEP, "pandas")),
    ImportRule("mlp_core.sweep.executors", _SWEEP, ("distributed",)),
    ImportRule("mlp_core.sweep", _SWEEP),
    ImportRule("mlp_core", ()),
)
FORBIDDEN_IMPORTS = ("pickle", "dill", "joblib", "marshal", "shelve", "cloudpickle")
FORBIDDEN_CALLS = ("eval", "exec", "compile", "__import__")
FORBIDDEN_KEYWORDS = ("unsafe_allow_html", "allow_pickle")


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name, absolute and dotted ("mlp_core.spec.RunSpec"); with leading dots if the source has them."""

    name: str
    line: int
    in_function: bool = False
    for_types: bool = False  # below `if TYPE_CHECKING:`


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
    return list(_imports(ast.parse(source)))


def _imports(node: ast.AST, in_function: bool = False, for_types: bool = False) -> Iterator[Import]:
    in_function |= isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    for_types |= isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, in_function, for_types) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            start = "." * child.level + (f"{child.module}." if child.module else "")
            yield from (Import(start + alias.name, child.lineno, in_function, for_types) for alias in child.names)
        yield from _imports(child, in_function, for_types)


def broken_import_rules(module: str, source: str) -> list[str]:
    """What `module` imports and must not, by the first of `IMPORT_RULES` that fits."""
    rule = next((rule for rule in IMPORT_RULES if _is_in(module, rule.modules)), None)
    if rule is None:
        return [f"{module} is under no rule"]
    broken = []
    for one in imports(source):
        where = f"{module}:{one.line}"
        if one.name.startswith("."):
            broken.append(f"{where} imports relatively: {one.name}")
        elif not _may(rule, one):
            broken.append(f"{where} must not import {one.name}")
    return broken


def _may(rule: ImportRule, one: Import) -> bool:
    if one.name.partition(".")[0] in sys.stdlib_module_names:
        return not any(_is_in(one.name, forbidden) for forbidden in FORBIDDEN_IMPORTS)
    return any(_is_in(one.name, allowed) for allowed in (*rule.may, *(rule.in_functions if one.in_function else ())))


def _is_in(name: str, place: str) -> bool:
    if place.endswith(".*"):
        return name.rpartition(".")[0] == place[:-2]
    return name == place or name.startswith(f"{place}.")


def import_cycle(sources: Mapping[str, str]) -> list[str]:
    """Modules (name -> source) that import each other in a ring, or nothing. Imports in functions count too, those for types do not."""
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
        if one.for_types:
            continue
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
