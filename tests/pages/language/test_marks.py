"""Sentences are marked so that a catalogue can say them: whole, where somebody looks, and nowhere else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.architecture import source_files

SPEAKERS = ("_", "written")  # which say a sentence here and now
MARKS = {"_": (0,), "written": (0,), "Message": (0,), "counted": (1, 2)}  # call -> where a sentence stands in it
CACHES = ("cache", "lru_cache", "cached_property", "cache_data", "cache_resource")
SOURCES = source_files("app.py", "pages", "mlp_core")


def wrongly_marked(source: str) -> Iterator[str]:
    """What no catalogue can say, or what would be said in the language of whoever came first."""
    yield from _wrong(ast.parse(source), inside="the module")


def _wrong(node: ast.AST, *, inside: str) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            cached = any(_name(part) in CACHES for one in child.decorator_list for part in ast.walk(one))
            for default in (*child.args.defaults, *filter(None, child.args.kw_defaults), *child.decorator_list):
                yield from _wrong(ast.Expr(default), inside=inside)
            for part in child.body:
                yield from _wrong(ast.Module([part], []), inside=f"{child.name}, which is cached" if cached else "")
            if _says(child) and any(
                isinstance(one, ast.Name) and one.id == "_" and isinstance(one.ctx, ast.Store) for one in ast.walk(child)
            ):
                yield f"{child.name} says a sentence by _, and binds it"
            continue
        if isinstance(child, ast.Call):
            name = _name(child.func)
            for place in MARKS.get(name, ()):
                if place < len(child.args) and (what := _unsayable(child.args[place])):
                    yield f"{name}: {what} at line {child.lineno}"
            if name in SPEAKERS and inside:
                yield f"{name} in {inside} at line {child.lineno}"
        yield from _wrong(child, inside="" if isinstance(child, ast.Lambda) else inside)


def _says(function: ast.AST) -> bool:
    return any(isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == "_" for one in ast.walk(function))


def _unsayable(sentence: ast.expr) -> str:
    if isinstance(sentence, ast.JoinedStr):
        return "an f-string"
    if isinstance(sentence, ast.BinOp):
        return "glued"
    if isinstance(sentence, ast.IfExp) and any(isinstance(one, ast.Constant) for one in (sentence.body, sentence.orelse)):
        return "one of two"  # of which neither is found
    return "formatted" if isinstance(sentence, ast.Call) and _name(sentence.func) == "format" else ""


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


@pytest.mark.parametrize(
    "source",
    [
        'def f(): _(f"{x} layers")',
        'def f(): written("a" + b)',
        'LABEL = Message("%s layers" % 3)',
        'def f(): _("{} layers".format(3))',
        'def f(): _("one" if x else "two")',
        'def f(): counted(3, "run", f"{x} runs")',
        'LABEL = _("Layers")',
        'class A:\n    label = _("Layers")',
        'def f(label=_("Layers")): pass',
        '@lru_cache(3)\ndef f(): return _("Layers")',
        '@st.cache_data(max_entries=3)\ndef f():\n    if x:\n        return _("Layers")',
        'def f():\n    for _ in range(3):\n        pass\n    return _("Layers")',
        'def f():\n    a, _ = b\n    g(_("Layers"))',
    ],
)
def test_a_wrong_mark_is_found(source: str) -> None:
    assert list(wrongly_marked(source)) != []


@pytest.mark.parametrize(
    "source",
    [
        'def f(): _("{n} layers", n=3)',
        'LABEL = Message("Layers")',
        'def f(): _(error)',
        'def f(): _("one") if x else _("two")',
        'SAY = lambda: _("Layers")',
        'def f():\n    for _ in range(3):\n        pass',
        '@lru_cache(3)\ndef f(): return Message("Layers")',
    ],
)  # fmt: skip
def test_a_right_mark_is_left_alone(source: str) -> None:
    assert list(wrongly_marked(source)) == []


@pytest.mark.parametrize(("module", "path"), SOURCES.items(), ids=SOURCES)
def test_every_sentence_is_marked_so_that_a_catalogue_can_say_it(module: str, path: Path) -> None:
    script = path.parent.name == "pages"  # which Streamlit runs anew for everybody who looks
    assert [wrong for wrong in wrongly_marked(path.read_text("utf-8")) if not (script and "in the module" in wrong)] == []
