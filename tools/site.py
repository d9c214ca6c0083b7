"""A hook of MkDocs (see mkdocs.yml), which adds README.md and other files of the root to the site."""

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
"""The path on the site of each file outside docs that a page can link to."""

TARGET = re.compile(r"(?<=\]\()(?P<path>[\w./-]+)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files of the root to the site."""
    for name, target in FROM_ROOT.items():
        files.append(File.generated(config, target, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Rewrite links of the repository so that they work on the site."""
    beside_docs = page.file.src_uri in FROM_ROOT.values()
    return TARGET.sub(lambda link: place(link["path"], beside_docs=beside_docs), markdown)


def place(path: str, *, beside_docs: bool) -> str:
    """Return the path on the site for a link of a page in docs (`beside_docs` false) or in the root."""
    if beside_docs:
        return FROM_ROOT.get(path, path.removeprefix("docs/"))
    name = path.removeprefix("../")
    return FROM_ROOT.get(name, path) if name != path else path
