"""Tests that the documentation site builds without a warning, and fetches nothing from another host."""

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

FETCHED_ATTRIBUTES = {
    "script": "src",
    "link": "href",
    "img": "src",
    "image": "href",
    "iframe": "src",
    "source": "src",
    "object": "data",
}
"""The elements for which a browser fetches something, and the attribute with the URL."""

URL = re.compile(r"(?:url\(|@import)\s*[\"']?(?P<url>[^\"')\s]+)")


class FetchParser(HTMLParser):
    """A parser that collects the URLs that a browser fetches for a page, and the CSS classes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.urls: list[str] = []
        self.classes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.urls.append(attributes.get(FETCHED_ATTRIBUTES.get(tag, "")) or "")
        self.urls += URL.findall(attributes.get("style") or "")
        self.classes |= set((attributes.get("class") or "").split())


def is_on_another_host(url: str) -> bool:
    return re.match(r"(?:[a-z]+:)?//", url, re.IGNORECASE) is not None


def build(project: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Build the site of a project into the folder `site`."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)]
    env = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    process = build(ROOT, folder)
    assert process.returncode == 0, process.stdout + process.stderr
    return folder


def test_pages_of_the_root_exist(site: Path) -> None:
    files = [
        (site / page).with_suffix(Path(page).suffix.replace(".md", ".html")) for page in FROM_ROOT.values()
    ]
    assert [file for file in files if not file.is_file()] == []


def test_nothing_is_fetched_from_another_host(site: Path) -> None:
    pages = sorted(site.glob("**/*.html"))
    assert len(pages) > 15
    urls_by_file = {}
    for file in pages:
        page = FetchParser(file.read_text("utf-8"))
        assert "mermaid" not in page.classes, (
            f"{file.name}: Material fetches code for this diagram from another host"
        )
        urls_by_file[file.name] = [url for url in page.urls if is_on_another_host(url)]
    for file in (*site.glob("**/*.css"), *site.glob("**/*.svg")):
        text = re.sub(r" xmlns(:\w+)?=[\"'][^\"']+[\"']", "", file.read_text("utf-8"))
        urls_by_file[file.name] = [url for url in URL.findall(text) if is_on_another_host(url)]
    assert {name: urls for name, urls in urls_by_file.items() if urls} == {}


@pytest.mark.parametrize(
    "link",
    [
        "[text](nowhere.md)",
        "[text](backends.md#nowhere)",
        "[text](../nowhere.py)",
        "![text](nowhere.svg)",
    ],
)
def test_a_broken_link_fails_the_build(tmp_path: Path, link: str) -> None:
    for name in ("docs", "tools", "mkdocs.yml", *FROM_ROOT):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name)
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    page = tmp_path / "docs" / "glossary.md"
    page.write_text(f"{page.read_text('utf-8')}\n{link}\n", "utf-8")
    process = build(tmp_path, tmp_path / "site")
    assert process.returncode != 0
    assert "nowhere" in process.stderr + process.stdout


@pytest.mark.parametrize(
    ("link", "beside_docs", "target"),
    [
        ("docs/backends.md", True, "backends.md"),
        ("CONTRIBUTING.md", True, "contributing.md"),
        ("../CHANGELOG.md", False, "changelog.md"),
        ("../README.md", False, "index.md"),
        ("backends.md", False, "backends.md"),
        ("../tools/site.py", False, "../tools/site.py"),
    ],
)
def test_links_have_the_same_target_in_both_views(link: str, beside_docs: bool, target: str) -> None:
    assert place(link, beside_docs=beside_docs) == target
