"""A script prints the losses of its run: executed for every optimizer, activation and initialization, and compared step by step.

In the style of its run it does the same operations, so nothing but equality will do; in the other style rounding may differ.
"""

from __future__ import annotations

import ast
import io
import json
import re
import subprocess
import sys
import tokenize
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from gettext import GNUTranslations
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from mlp_core.data.fashion_mnist import SAMPLE_FOLDER
from mlp_core.expression import resolve
from mlp_core.records import SettingChange
from mlp_core.reports.export import AMPLIFIED, STYLES, Origin, notebook_of, script_of
from mlp_core.spec import RunSpec, SpecError
from mlp_core.words import Message
from pages.language import Language
from scripts.translations import LOCALE, as_mo
from tests.support.programs import (
    OPTIMIZER_FIELDS,
    SMALL,
    Printed,
    carried_out,
    designs,
    epoch_line,
    executed,
    same_losses,
    sample_arguments,
)

DESIGNS = designs()
ROUNDING = 1e-4  # relative: of 10 steps, some of which divide by tiny averages
CHANGES = (SettingChange(3, "lr", 0.5), SettingChange(5, "lr", 0.02), SettingChange(5, "lr", 0.01))


def all_changes(spec: RunSpec) -> tuple[SettingChange, ...]:
    """Every setting that may change, up and down, of a run of `spec`."""
    layers = len(spec.hidden)
    changes = [
        SettingChange(1, "weight_decay", 0.5),
        SettingChange(2, "dropout", (0.5,) * layers),
        SettingChange(2, "batch_size", 7),
        SettingChange(3, "lr", spec.lr / 2),
        SettingChange(5, "weight_decay", 0.0),
        SettingChange(6, "dropout", ()),
        SettingChange(6, "lr", spec.lr),
        SettingChange(7, "weight_decay", 0.25),
        SettingChange(7, "batch_size", 60),
        SettingChange(7, "dropout", (0.25,) * layers),
    ]
    return tuple(change for change in changes if layers or change.field != "dropout")


in_every_style = pytest.mark.parametrize("style", STYLES)


def printed(folder: Path, spec: RunSpec, style: str, changes: tuple[SettingChange, ...] = (), *arguments: str) -> Printed:
    program = folder / "program.py"
    program.write_text(script_of(spec, style, changes), encoding="utf-8")
    return executed(program, *sample_arguments(), *arguments)


@in_every_style
@pytest.mark.parametrize("name", DESIGNS)
def test_a_script_prints_its_runs_losses_to_the_last_bit(tmp_path: Path, name: str, style: str) -> None:
    spec = replace(DESIGNS[name], implementation=style)
    run, program = carried_out(spec), printed(tmp_path, spec, style)
    assert same_losses(program.losses, run, tolerance=0.0)
    assert list(program.epochs) == [epoch_line(record) for record in run.history.epochs]
    assert len(run.history.steps) >= 5 or name == "diverges"


@pytest.mark.parametrize(
    "name", [f"optimizer: {name}" for name in OPTIMIZER_FIELDS] + ["three layers, dropout", "expression", "init: orthogonal"]
)
@pytest.mark.parametrize("style", ["scratch", "by_hand"])
def test_another_style_differs_by_rounding(tmp_path: Path, name: str, style: str) -> None:
    run = carried_out(replace(DESIGNS[name], implementation="concise"))
    assert same_losses(printed(tmp_path, DESIGNS[name], style).losses, run, ROUNDING)


@pytest.mark.parametrize("name", DESIGNS)
def test_by_hand_autograd_has_no_more_to_do_than_one_activation(name: str) -> None:
    program = script_of(DESIGNS[name], "by_hand")
    assert ".backward()" not in program
    written = resolve(DESIGNS[name].activation).derivative is not None or not DESIGNS[name].hidden
    assert ("autograd.grad" in program) == (not written)
    assert program.count("requires_grad") <= 1 + len(DESIGNS[name].hidden)  # of a learned slope in every layer


def test_a_divergence_is_told_as_the_run_tells_it(tmp_path: Path) -> None:
    run, program = carried_out(DESIGNS["diverges"]), printed(tmp_path, DESIGNS["diverges"], "concise")
    assert run.stop_reason is not None
    assert run.stop_reason.kind == "diverged"
    assert program.others[-1].startswith(f"Diverged at step {run.step}: the loss is ")


@in_every_style
@pytest.mark.parametrize("optimizer", ["sgd", "sgd, divided", "adam", "rmsprop, momentum, decay"])
def test_changes_of_lr_in_mid_run_are_kept(tmp_path: Path, optimizer: str, style: str) -> None:
    spec = replace(SMALL, **OPTIMIZER_FIELDS[optimizer], implementation=style)
    run, unchanged = carried_out(spec, CHANGES), carried_out(spec)
    program = printed(tmp_path, spec, style, tuple(run.history.changes))
    assert same_losses(program.losses, run, tolerance=0.0)
    before = [step.loss for step in unchanged.history.steps]
    assert [a == b for a, b in zip(program.losses, before, strict=True)][:5] == [True] * 4 + [False]  # step 4 is the first with another lr
    assert script_of(spec, style, CHANGES) == script_of(spec, style, run.history.changes)


@in_every_style
@pytest.mark.parametrize(
    "name",
    [*(f"optimizer: {name}" for name in OPTIMIZER_FIELDS), "three layers, dropout", "all dropped", "no hidden layer", "parameter: prelu"],
)
def test_changes_of_all_that_may_change_are_kept(tmp_path: Path, name: str, style: str) -> None:
    spec = replace(DESIGNS[name], implementation=style)
    run, unchanged = carried_out(spec, all_changes(spec)), carried_out(spec)
    program = printed(tmp_path, spec, style, tuple(run.history.changes))
    assert same_losses(program.losses, run, tolerance=0.0)
    assert list(program.epochs) == [epoch_line(record) for record in run.history.epochs]
    assert not same_losses(program.losses, unchanged, tolerance=1e-6)


@in_every_style
@pytest.mark.parametrize("ps", [((0.0,), (1.0,)), ((1.0,), (0.0,)), ((0.5,), (1.0,)), ((0.0,), ())])
def test_dropout_of_nothing_and_of_all_may_begin_and_end(tmp_path: Path, ps: tuple[tuple[float, ...], ...], style: str) -> None:
    spec, (first, then) = replace(SMALL, implementation=style), ps
    changes = [SettingChange(3, "dropout", then)]
    run = carried_out(replace(spec, dropout=first), changes)
    assert same_losses(printed(tmp_path, run.spec, style, tuple(changes)).losses, run, tolerance=0.0)


@in_every_style
def test_a_branch_is_a_run_whose_lr_changed_there(tmp_path: Path, style: str) -> None:
    spec = replace(SMALL, implementation=style, momentum=0.5)
    run = carried_out(spec)
    step = max(step for step in run.checkpoints.steps if step < run.step)
    branch = run.branch(step, lr=0.004)
    branch.advance()
    program = printed(tmp_path, spec, style, tuple(branch.history.changes))
    assert same_losses(program.losses, branch, tolerance=0.0)
    assert list(program.epochs) == [epoch_line(record) for record in branch.history.epochs]


def test_a_process_of_its_own_needs_nothing_of_this_project(tmp_path: Path) -> None:
    """Isolated (-I), elsewhere, and without `--steps`."""
    spec = replace(SMALL, dropout=(0.3,), optimizer="adam", lr=0.01)
    program = tmp_path / "program.py"
    program.write_text(script_of(spec, "scratch"), encoding="utf-8")
    command = [sys.executable, "-I", "-X", "utf8", str(program), "--data", str(SAMPLE_FOLDER)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=240)
    run = carried_out(replace(spec, implementation="scratch"))
    assert Printed.of(done.stdout) == Printed((), tuple(map(epoch_line, run.history.epochs)), (f"100 + 1,000 images from {SAMPLE_FOLDER}",))
    assert done.stderr == ""


def test_the_seed_can_be_told(tmp_path: Path) -> None:
    spec = replace(SMALL, dropout=(0.3,))
    program = printed(tmp_path, spec, "concise", (), "--seed", "3")
    assert same_losses(program.losses, carried_out(replace(spec, seed=3)), tolerance=0.0)
    assert not same_losses(program.losses, carried_out(spec), tolerance=1e-3)


@in_every_style
@pytest.mark.parametrize("changes", [lambda spec: CHANGES, all_changes], ids=["lr", "all"])
@pytest.mark.parametrize("name", DESIGNS)
def test_all_that_is_named_is_used(name: str, style: str, changes: Callable[[RunSpec], Sequence[SettingChange]]) -> None:
    """No dead code: everything defined or imported at the top is read somewhere below, but the one offer to its reader."""
    tree = ast.parse(script_of(DESIGNS[name], style, changes(DESIGNS[name])))
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    made = {
        node.id for statement in tree.body for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    made |= {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    made |= {alias.asname or alias.name for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names}
    assert made - read <= {"load_weights"}


@in_every_style
def test_a_plain_run_has_no_word_of_what_it_does_not_use(style: str) -> None:
    text = script_of(RunSpec(), style).lower()
    for word in ("dropout(", "mask", "adam", "momentum", "decay", "prelu", "sigmoid", "lr_changes", "device", "mlp_core", "eval", "exec"):
        assert word not in text.replace("torchvision.datasets", ""), word


@in_every_style
@pytest.mark.parametrize("changes", [lambda spec: CHANGES, all_changes], ids=["lr", "all"])
@pytest.mark.parametrize("name", ["optimizer: sgd", "three layers, dropout", "optimizer: adamw, both penalties", "init: orthogonal"])
def test_a_linter_has_nothing_to_say(tmp_path: Path, name: str, style: str, changes: Callable[[RunSpec], Sequence[SettingChange]]) -> None:
    program = tmp_path / "program.py"
    program.write_text(script_of(DESIGNS[name], style, changes(DESIGNS[name])), encoding="utf-8")
    rules = "E,F,W,I,UP,B,C4,SIM,RUF100"
    for command in (["check", "--select", rules], ["format", "--check"]):
        whole = [sys.executable, "-m", "ruff", command[0], "--isolated", *command[1:], str(program)]
        done = subprocess.run(whole, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


@in_every_style
def test_a_lower_precision_is_said_and_only_where_it_is(style: str) -> None:
    said, unsaid = (script_of(replace(SMALL, precision=precision), style) for precision in ("bfloat16", "float32"))
    assert "products rounded to bfloat16" in " ".join(said.split())
    assert "bfloat16" not in unsaid


def test_what_must_be_known_is_said() -> None:
    origin = Origin(sample=True, seeds=5, link="https://host/train?lr=0.5")
    head = ast.get_docstring(ast.parse(script_of(RunSpec(hidden=(), seed=4), "concise", CHANGES, origin=origin)))
    assert head is not None
    words = " ".join(head.split())
    for part in (
        "784-10 on Fashion-MNIST",
        "softmax regression",
        "the seeds 4 to 8",
        "repeats it only approximately",
        AMPLIFIED,
        "mlp_core/data/sample",
        "https://host/train?lr=0.5",
        "Changed in mid-run",
    ):
        assert part in words


@given(st.text(max_size=60))
def test_no_link_gets_out_of_its_docstring(link: str) -> None:
    tree = ast.parse(script_of(SMALL, "scratch", origin=Origin(link=f'https://host/{link}"""\nimport os\n"""')))
    plain = ast.parse(script_of(SMALL, "scratch"))
    assert ast.dump(ast.Module(tree.body[1:], [])) == ast.dump(ast.Module(plain.body[1:], []))


def test_a_run_elsewhere_is_put_on_its_device() -> None:
    for style in STYLES:
        code = script_of(DESIGNS["three layers, dropout"], style, origin=Origin(device="cuda", onednn=True))
        assert 'device = torch.device("cuda")' in code
        assert "torch.set_num_threads(1)" in code  # initial weights are drawn on the processor
        assert "torch.Generator(device).manual_seed(3 * seed + 2)" in code
        assert "mkldnn" not in code
        ast.parse(code)


@in_every_style
def test_what_is_written_for_a_device_computes_the_same(tmp_path: Path, style: str) -> None:
    """Every tensor and generator is put where the device is; here that is the processor after all."""
    spec = replace(DESIGNS["three layers, dropout"], activation="prelu", optimizer="adam", lr=0.01, implementation=style)
    program = tmp_path / "program.py"
    code = script_of(spec, style, origin=Origin(device="cuda")).replace('torch.device("cuda")', 'torch.device("cpu")')
    program.write_text(code, encoding="utf-8")
    assert same_losses(executed(program, *sample_arguments()).losses, carried_out(spec), tolerance=0.0)


def test_the_matrix_product_of_the_page_is_asked_for() -> None:
    line = 'torch.backends.mkldnn.matmul.fp32_precision = "bf16"'
    assert line in script_of(SMALL, "concise", origin=Origin(onednn=True))
    assert line not in script_of(SMALL, "concise")


def made_up(message: str) -> str:
    """Chinese of no sense, as wide as the English and a little wider."""
    return "损失，" * (len(message) // 6 + 2)


@cache
def chinese() -> Language:
    with (LOCALE / "zh_CN" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return Language("zh-CN", "中文", GNUTranslations(io.BytesIO(as_mo(read_po(file)))))


def translated(message: str) -> str:
    """As the catalogue says it."""
    assert isinstance(message, Message)
    return chinese().say(message, for_a_page=False)


def parted(code: str) -> tuple[str, str]:
    """A program without its words, and these: docstrings and comments."""
    tree, words = ast.parse(code), list[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and (docstring := ast.get_docstring(node)) is not None:
            node.body.pop(0)
            words.append(docstring)
    words += [token.string for token in tokenize.generate_tokens(io.StringIO(code).readline) if token.type == tokenize.COMMENT]
    return ast.dump(tree), "\n".join(words)


def cells(notebook: str, kind: str) -> str:
    return "\n".join("".join(cell["source"]) for cell in json.loads(notebook)["cells"] if cell["cell_type"] == kind)


@in_every_style
@pytest.mark.parametrize("say", [made_up, translated])
def test_in_another_language_it_is_the_same_program(style: str, say: Callable[[str], str]) -> None:
    spec = replace(DESIGNS["three layers, dropout"], activation="prelu", l1=0.001, precision="bfloat16")
    for origin in (Origin(onednn=True, sample=True), Origin(device="cuda", seeds=5, link="https://host/train?lr=1")):
        plain, script = (script_of(spec, style, all_changes(spec), origin=origin, say=one) for one in (str, say))
        book, notebook = (notebook_of(spec, style, all_changes(spec), origin=origin, say=one) for one in (str, say))
        code, words = parted(script)
        cell_code, cell_words = parted(cells(notebook, "code"))
        assert (code, cell_code) == (parted(plain)[0], parted(cells(book, "code"))[0])
        said = f"{words}\n{cell_words}\n{cells(notebook, 'markdown')}"
        assert not re.findall(r"\b(?:the|of|and|with|is|are|it)\b", re.sub(r"\$+.*?\$+|`.*?`", "", said, flags=re.DOTALL))
        lines = [line for line in (*script.splitlines(), *cells(notebook, "code").splitlines()) if re.search(r"[\u4e00-\u9fff]", line)]
        assert len(lines) > 20
        assert max(sum(1 + ("\u2e80" <= letter <= "\uffef") for letter in line) for line in lines) <= 88


def test_another_style_is_refused() -> None:
    with pytest.raises(SpecError, match=r"style: must be one of concise, scratch, by_hand, got 'jax'"):
        script_of(SMALL, "jax")


def test_a_design_survives_the_link_and_the_script() -> None:
    spec = RunSpec.from_json(json.dumps({"hidden": [3], "activation": "=x*sigmoid( 2*x )"}))
    assert "x * torch.sigmoid(2.0 * x)" in script_of(spec, "scratch")
    assert "sigmoid( 2" not in script_of(spec, "scratch")
