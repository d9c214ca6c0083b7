"""The documentation site builds without a warning, and fetches nothing from another host."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tools.site import FROM_ROOT, ROOT, place

FETCHES = {
    "script": "src",
    "link": "href",
    "img": "src",
    "image": "href",
    "iframe": "src",
    "source": "src",
    "object": "data",
}
"""The elements that make a browser fetch something, and the attribute with the URL."""

URL = re.compile(r"(?:url\(|@import)\s*[\"']?(?P<url>[^\"')\s]+)")


class Fetched(HTMLParser):
    """Collects the URLs that a browser fetches to show a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.urls: list[str] = []
        self.classes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.urls.append(given.get(FETCHES.get(tag, "")) or "")
        self.urls += URL.findall(given.get("style") or "")
        self.classes |= set((given.get("class") or "").split())


def elsewhere(url: str) -> bool:
    return re.match(r"(?:[a-z]+:)?//", url, re.IGNORECASE) is not None


def built(project: Path, site: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)]
    env = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = built(ROOT, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_pages_of_the_root_exist(site: Path) -> None:
    made = [
        (site / page).with_suffix(Path(page).suffix.replace(".md", ".html")) for page in FROM_ROOT.values()
    ]
    assert [file for file in made if not file.is_file()] == []


def test_nothing_is_fetched_from_another_host(site: Path) -> None:
    pages = sorted(site.glob("**/*.html"))
    assert len(pages) > 15
    found = {}
    for file in pages:
        page = Fetched(file.read_text("utf-8"))
        assert "mermaid" not in page.classes, (
            f"{file.name}: Material fetches code for this diagram from another host"
        )
        found[file.name] = [url for url in page.urls if elsewhere(url)]
    for file in (*site.glob("**/*.css"), *site.glob("**/*.svg")):
        text = re.sub(r" xmlns(:\w+)?=[\"'][^\"']+[\"']", "", file.read_text("utf-8"))
        found[file.name] = [url for url in URL.findall(text) if elsewhere(url)]
    assert {name: urls for name, urls in found.items() if urls} == {}


@pytest.mark.parametrize(
    "wrong",
    [
        "[there](nowhere.md)",
        "[there](backends.md#nowhere)",
        "[there](../nowhere.py)",
        "![there](nowhere.svg)",
    ],
)
def test_a_broken_link_ends_the_build(tmp_path: Path, wrong: str) -> None:
    for name in ("docs", "tools", "mkdocs.yml", *FROM_ROOT):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name)
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    page = tmp_path / "docs" / "glossary.md"
    page.write_text(f"{page.read_text('utf-8')}\n{wrong}\n", "utf-8")
    done = built(tmp_path, tmp_path / "site")
    assert done.returncode != 0
    assert "nowhere" in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("link", "beside_docs", "leads_to"),
    [
        ("docs/backends.md", True, "backends.md"),
        ("CONTRIBUTING.md", True, "contributing.md"),
        ("../CHANGELOG.md", False, "changelog.md"),
        ("../README.md", False, "index.md"),
        ("backends.md", False, "backends.md"),
        ("../tools/site.py", False, "../tools/site.py"),
    ],
)
def test_links_have_the_same_target_in_both_views(link: str, beside_docs: bool, leads_to: str) -> None:
    assert place(link, beside_docs=beside_docs) == leads_to
