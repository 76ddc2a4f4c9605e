"""The README tells the truth: its code prints what it says, its files and commands exist, and it names every page."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from mlp_core.data.fashion_mnist import DEBIAN_FOLDER
from pages.ui.navigation import PAGES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
LINKS = [link for link in re.findall(r"\]\(([^)\s]+)\)", README) if not link.startswith("http")]
NAMED = re.findall(r"`((?:[\w.]+/)*[\w.-]+(?:\.(?:py|txt|toml)|/))`", README)
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


@pytest.mark.parametrize("name", sorted({*LINKS, *NAMED}))
def test_every_file_it_names_exists(name: str) -> None:
    assert (ROOT / name).exists()


def test_it_names_files_and_links() -> None:
    assert len(LINKS) >= 4
    assert len(NAMED) >= 10


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z]+)\b", README))))
def test_every_make_target_exists(target: str) -> None:
    assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize("title", [title for stem, title, _ in PAGES if stem != "start"])
def test_every_page_is_introduced(title: str) -> None:
    assert f"**{title}.**" in README


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "pictures").iterdir()), ids=lambda path: path.name)
def test_every_picture_is_shown_and_small(path: Path) -> None:
    assert f"docs/pictures/{path.name}" in README
    assert path.stat().st_size < 300_000
