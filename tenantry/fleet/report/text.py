"""A report as text for a terminal or a log. The sections of a page appear below its table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tenantry.fleet.outcome import Report
from tenantry.fleet.report.grouping import Section, page
from tenantry.fleet.report.lines import Line
from tenantry.providers.values.words import counted
from tenantry.text import on_one_line

MAX_NAMES = 12
"""How many stacks a line names. In sections with `shorten_last`, lines name all of them."""


class ReportLine(NamedTuple):
    """A line and its style. `no_wrap`: the reader copies this line, so it must not be wrapped."""

    text: str
    heading: bool = False
    red: bool = False
    no_wrap: bool = False


def text(report: Report) -> Iterator[ReportLine]:
    """Yield the lines of all sections, each section under its title."""
    for section in page(report).sections:
        title = f"{section.title}: {section.stacks:,}" if section.stacks else section.title
        yield ReportLine(title, heading=True, red=section.is_warning or section.has_failures)
        for line in section.lines:
            yield ReportLine(f"  {_line(section, line)}")
            if line.block:
                yield from (ReportLine(""), ReportLine(f"    {line.block}", no_wrap=True), ReportLine(""))


def _line(section: Section, line: Line) -> str:
    if not line.stacks:
        return line.text
    names = _names(line.stacks, len(line.stacks) if section.shorten_last else MAX_NAMES)
    if section.names_first:
        return f"{names}: {line.text}"
    return f"{line.text} in {counted(len(line.stacks), 'customer')}: {names}"


def _names(stacks: Sequence[str], limit: int) -> str:
    more = len(stacks) - limit
    return ", ".join(map(on_one_line, stacks[:limit])) + (f" and {more:,} more" if more > 0 else "")
