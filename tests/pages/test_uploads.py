"""A file that is taken away in the moment of a rerun: the page says nothing of it, and takes the next one."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from pages.ui.uploads import all_uploaded, uploaded
from tests.support.pages.visit import opened, said, visit

PLACES: dict[str, tuple[str, dict[str, str]]] = {
    "tests/browser/apps/export.py": ("experiment.json", {}),
    "tests/browser/apps/own_picture.py": ("garment.png", {}),
    "pages/nonlinearity.py": ("points.csv", {"act": "playground", "data": "own"}),
}


@pytest.mark.parametrize("script", PLACES)
def test_a_file_that_is_gone_when_it_is_read_is_no_file(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    with visit(script) as page:
        name, query = PLACES[script]
        opened(page, **query)
        before = said(page)
        place = page.file_uploader[0]
        with monkeypatch.context() as gone:
            gone.setattr(MemoryUploadedFileManager, "get_files", lambda *_, **__: [])
            place.set_value((name, b"nothing that could be read", "text/plain"))
            page.run()
        assert not page.exception
        assert not page.error
        assert said(page) == before
        page.file_uploader[0].set_value((name, b"nothing that could be read", "text/plain"))
        page.run()
        assert not page.exception
        assert len(page.error) == 1


def test_no_uploader_is_read_in_another_way() -> None:
    sources = {path.name: path.read_text(encoding="utf-8") for path in Path("pages/ui").rglob("*.py")}
    readers = [name for name, source in sources.items() if ".getvalue()" in source]
    assert readers == ["uploads.py"]
    assert uploaded("no such uploader") is None
    assert all_uploaded("no such uploader") == []
