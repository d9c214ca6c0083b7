"""The pages and their commands. documents.toml has the test of each command, or the reason for no test."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GENERATED = "docs/cli.md"
"""The reference page of the commands, which shows only their usage."""

PAGES = [
    *(file.name for file in sorted(ROOT.glob("*.md"))),
    *(f"docs/{file.name}" for file in sorted((ROOT / "docs").glob("*.md"))),
    "docs/examples/oem/README.md",
    "tenantry/starting/files/repository/README.md",
]

_LISTED = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
RUN = [(row["page"], row["test"], tuple(row["headings"])) for row in _LISTED["run"]]
"""Pages, tests, and the headings on the page whose commands the test runs."""

PART = re.compile(
    r"^#{1,4} (?P<heading>.+?)$|^ *```(?P<language>\w+)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL
)
REMARK = re.compile(r"\s+# .*$")


@dataclass(frozen=True)
class Block:
    """A block of code: its heading, its language, and its content."""

    heading: str
    language: str
    text: str

    @property
    def lines(self) -> list[str]:
        """The commands in the block, without comments. In a terminal block, these are the typed lines."""
        lines = [_command(line) for line in self.text.replace("\\\n", " ").splitlines()]
        if self.language == "console":
            lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        return [line for line in lines if line and not line.startswith("#")]


def _command(line: str) -> str:
    return REMARK.sub("", line).strip()


def blocks(page: str, *languages: str) -> Iterator[Block]:
    """Yield the blocks of a page in these languages. The default is the languages of commands."""
    heading = ""
    for part in PART.finditer((ROOT / page).read_text("utf-8")):
        heading = part["heading"] or heading
        if part["text"] and part["language"] in (languages or ("bash", "console", "sh")):
            yield Block(heading, part["language"], part["text"])


def not_run(page: str) -> list[str]:
    """Return the lines of a page that no test runs."""
    listed = [row["lines"] for row in _LISTED["not_run"] if row["page"] == page]
    return [line for lines in listed for line in lines.split("\n") if line]


def run_headings(page: str) -> list[str]:
    """Return the headings of a page whose commands a test runs."""
    return [heading for run_page, _, headings in RUN if run_page == page for heading in headings]


def scripts(page: str, heading: str) -> list[str]:
    """Return the blocks under a heading that a test must run, without the excluded lines."""
    assert heading in run_headings(page), f"{page}, {heading}: documents.toml lists no test"
    excluded = not_run(page)
    texts = []
    for block in blocks(page):
        if block.heading == heading:
            lines = block.lines if block.language == "console" else block.text.splitlines()
            texts.append("\n".join(line for line in lines if _command(line) not in excluded))
    assert texts, f"{page}, {heading}: has no command"
    return texts


def script(page: str, *headings: str) -> str:
    """Return the blocks under these headings as one script."""
    return "\n".join(text for heading in headings for text in scripts(page, heading))
