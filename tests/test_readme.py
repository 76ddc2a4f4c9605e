"""README and docs tell the truth: their code prints what they say, their files and commands exist, and they name every page."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mlp_core.data.fashion_mnist import DEBIAN_FOLDER
from pages.language import languages
from pages.ui.navigation import PAGES
from tests.bench.__main__ import in_chinese

ROOT = Path(__file__).parents[1]
README, CHINESE = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh.md"))
READ = {path: path.read_text("utf-8") for path in (ROOT / "README.md", ROOT / "README.zh.md", *sorted((ROOT / "docs").glob("*.md")))}
TEXT = "\n".join(READ.values())
MAKEFILE = (ROOT / "Makefile").read_text()
LINKS = [path.parent / link for path, text in READ.items() for link in re.findall(r"\]\(([^)\s]+)\)", text) if not link.startswith("http")]
NAMED = [ROOT / name for name in re.findall(r"`((?:[\w.]+/)*[\w.-]+(?:\.(?:py|txt|toml)|/))`", TEXT)]
NUMBER = re.compile(r"\d+\.\d+")


@pytest.mark.full_data
@pytest.mark.skipif(not DEBIAN_FOLDER.is_dir(), reason="the Debian package dataset-fashion-mnist is not installed")
def test_the_script_prints_what_the_readme_says() -> None:
    found = re.search(r"```python\n(.*?)```\n\n```text\n(.*?)```", README, re.DOTALL)
    assert found is not None
    script, said = found.groups()
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(script, {})
    assert NUMBER.sub("#", printed.getvalue()) == NUMBER.sub("#", said)
    # Another library of matrix products rounds otherwise; d2l's test accuracy moves by two points from epoch to epoch.
    assert [float(number) for number in NUMBER.findall(printed.getvalue())] == pytest.approx(
        [float(number) for number in NUMBER.findall(said)], abs=0.03
    )


@pytest.mark.parametrize("path", sorted({*LINKS, *NAMED}), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_it_names_exists(path: Path) -> None:
    assert path.exists()


def test_it_names_files_and_links() -> None:
    assert len(LINKS) >= 4
    assert len(NAMED) >= 10


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make ([a-z]+)\b", TEXT))))
def test_every_make_target_exists(target: str) -> None:
    assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize("title", [title for stem, title, _ in PAGES if stem != "start"])
def test_every_page_is_introduced(title: str) -> None:
    assert f"**{title}.**" in README
    chinese = languages()["zh"].catalogue
    assert chinese is not None
    assert f"**{chinese.gettext(title)}。**" in CHINESE


def blocks(text: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


def test_both_readmes_have_the_same_commands_code_links_and_numbers() -> None:
    """The script is run above; that of the Chinese one is the same."""
    assert blocks(CHINESE, "python") == blocks(README, "python")
    assert blocks(CHINESE, "text")[0] == blocks(README, "text")[0]
    assert blocks(CHINESE, "text")[1:] == [f"{in_chinese(numbers)}\n" for numbers in blocks(README, "text")[1:]]
    commands, links, numbers = [], [], []
    for text in (README, CHINESE.replace("zh.d2l.ai", "d2l.ai").replace("_zh.png", ".png")):
        commands.append([line.partition("#")[0].split() for block in blocks(text, "sh") for line in block.splitlines()])
        prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        links.append(sorted({*re.findall(r"`([^`]+)`", prose), *re.findall(r"\]\(([^)]+)\)", prose)} - {"README.md", "README.zh.md"}))
        numbers.append(sorted(re.findall(r"\d[\d.,]*\d|\d", re.sub(r"`[^`]*`|\]\([^)]*\)", "", prose))))
    assert commands[0] == commands[1]
    assert links[0] == links[1]
    assert numbers[0] == numbers[1]


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "pictures").iterdir()), ids=lambda path: path.name)
def test_every_picture_is_shown_and_small(path: Path) -> None:
    assert f"pictures/{path.name})" in TEXT
    assert path.stat().st_size < 300_000


def test_the_picture_of_the_layers_is_of_todays_imports() -> None:
    assert subprocess.run([sys.executable, "scripts/draw_architecture.py", "--check"], cwd=ROOT, check=False).returncode == 0
