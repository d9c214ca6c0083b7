"""A report as one web page that needs nothing but itself."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from tenantry.fleet.outcome import Report
from tenantry.fleet.report import table
from tenantry.fleet.report.grouping import Page, page
from tenantry.providers.values.words import counted
from tenantry.text import on_one_line

_CODE = re.compile("`([^`]+)`")

INLINE = 6
"""The most stacks that are named beside a line; more are folded away below it."""

COLOURS = {
    "failed": "failed",
    "interrupted": "interrupted",
    "changed": "changed",
    "taken down": "changed",
    "to change": "changing",
    "changed outside": "changing",
}
"""The class of a cell by the state of its stack."""


def html(report: Report) -> str:
    """Return a report as one page of HTML, with every line, every name and every stack."""
    told = page(report)
    rendered = _template().render(
        page=told,
        summary=_summary(told, report.started),
        rows=table.rows(report),
        columns=table.COLUMNS,
        numbers=table.NUMBERS,
        colours=COLOURS,
        inline=INLINE,
        counted=counted,
    )
    return rendered.replace("##", "#&#35;")  # in the log of a job "##[" would be a command


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("tenantry.fleet.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["marked"] = _marked
    return environment.get_template("report.html.j2")


def _shown(value: Any) -> Any:
    """Take from a text of somebody else what a page must not hold; escaping comes after this."""
    return on_one_line(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _marked(text: str) -> Markup:
    """Return a line with what stands between backticks as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(on_one_line(text)))))  # noqa: S704 (escaped before)


def _summary(told: Page, started: str) -> str:
    parts = [told.summary if told.outcomes else "No stack is concerned"]
    if told.nothing:
        parts.append(told.nothing)
    if told.base:
        parts.append(f"against {told.base}")
    if started:
        parts.append(f"begun {started}")
    return " · ".join(parts)
