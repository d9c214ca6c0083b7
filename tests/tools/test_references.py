"""The generated pages are up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import docs

PAGES = {str(file.relative_to(docs.ROOT)): text for file, text in docs.pages().items()}


@pytest.mark.parametrize("page", PAGES)
def test_a_generated_page_is_up_to_date(page: str) -> None:
    now = (docs.ROOT / page).read_text("utf-8")
    assert now == PAGES[page], f"{page} is outdated. Run `make docs`."


def test_make_docs_writes_only_stale_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh, old, new = tmp_path / "fresh.md", tmp_path / "old.md", tmp_path / "new.md"
    fresh.write_text("same")
    old.write_text("yesterday")
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    monkeypatch.setattr(docs, "pages", lambda: {fresh: "same", old: "today", new: "made"})
    docs.main()
    assert (fresh.read_text(), old.read_text(), new.read_text()) == ("same", "today", "made")
    assert capsys.readouterr().out == "old.md written\nnew.md written\n"
