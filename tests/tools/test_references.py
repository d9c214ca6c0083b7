"""Tests that the generated pages are up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import docs

PAGES = {str(file.relative_to(docs.ROOT)): text for file, text in docs.pages().items()}


@pytest.mark.parametrize("page", PAGES)
def test_a_generated_page_is_up_to_date(page: str) -> None:
    text = (docs.ROOT / page).read_text("utf-8")
    assert text == PAGES[page], f"{page} is outdated. Run `make docs`."


def test_make_docs_writes_only_stale_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    current, old, new = tmp_path / "current.md", tmp_path / "old.md", tmp_path / "new.md"
    current.write_text("current text")
    old.write_text("old text")
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    monkeypatch.setattr(
        docs, "pages", lambda: {current: "current text", old: "changed text", new: "new text"}
    )
    docs.main()
    texts = [file.read_text() for file in (current, old, new)]
    assert texts == ["current text", "changed text", "new text"]
    assert capsys.readouterr().out == "old.md written\nnew.md written\n"
