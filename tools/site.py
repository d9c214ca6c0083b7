"""A hook of MkDocs, named in mkdocs.yml: README.md and other files of the root are pages of the site."""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent

FROM_ROOT = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "LICENSE": "LICENSE.txt",
}
"""The place on the site of each file outside of docs that a page may link to."""

TARGET = re.compile(r"(?<=\]\()(?P<path>[\w./-]+)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files of the root."""
    for name, place in FROM_ROOT.items():
        files.append(File.generated(config, place, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links that are right in the repository be right on the site."""
    beside_docs = page.file.src_uri in FROM_ROOT.values()
    return TARGET.sub(lambda link: place(link["path"], beside_docs=beside_docs), markdown)


def place(path: str, *, beside_docs: bool) -> str:
    """Return where the site has what a link of a page of the root, or else of docs, leads to."""
    if beside_docs:
        return FROM_ROOT.get(path, path.removeprefix("docs/"))
    name = path.removeprefix("../")
    return FROM_ROOT.get(name, path) if name != path else path
