"""A report as one web page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from tenantry.fleet.outcome import Report
from tenantry.fleet.report import table
from tenantry.fleet.report.grouping import Page, Section, page
from tenantry.fleet.report.lines import Line
from tenantry.fleet.report.words import clean, count

INLINE = 6
"""The most stacks that are named beside a line; more are folded away below it."""

STYLE = """
:root { color-scheme: light dark; --text: #1f2328; --soft: #656d76; --line: #d8dee4; --page: #fff;
  --card: #f6f8fa; --red: #b42318; --red-card: #fff2f0; --red-line: #f3c1bb; --green: #1a7f37;
  --blue: #0a5cc2; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --soft: #9198a1; --line: #30363d;
  --page: #0d1117; --card: #161b22; --red: #ff8f84; --red-card: #2a1513; --red-line: #6b2a25;
  --green: #56d364; --blue: #79b8ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 2.5rem 1.5rem 4rem; background: var(--page);
  color: var(--text); font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; }
h2 { font-size: 1.05rem; margin: 0 0 .6rem; }
h2 span { color: var(--soft); font-weight: 400; margin-left: .4rem; }
p.summary { color: var(--soft); margin: 0 0 2rem; }
section { border: 1px solid var(--line); border-radius: 8px; padding: 1rem 1.25rem; margin: 0 0 1rem; }
section.red { background: var(--red-card); border-color: var(--red-line); }
section.red h2, section.red h2 span, td.failed, td.interrupted { color: var(--red); }
ul { list-style: none; margin: 0; padding: 0; }
li { padding: .3rem 0; overflow-wrap: anywhere; }
li + li { border-top: 1px solid var(--line); }
section.red li + li { border-color: var(--red-line); }
.who { color: var(--soft); }
summary { cursor: pointer; }
details p { margin: .4rem 0 .3rem 1.1rem; color: var(--soft); max-height: 16rem; overflow: auto; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { color: var(--soft); font-weight: 500; white-space: nowrap; background: var(--page); }
th, td { padding: .35rem .7rem .35rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); }
th.number, td.number { text-align: right; white-space: nowrap; }
tr.dim td { color: var(--soft); }
td.changed { color: var(--green); } td.changing { color: var(--blue); }
td small { display: block; color: var(--soft); }
td:first-child { white-space: nowrap; }
td:nth-child(8) { overflow-wrap: anywhere; }
"""

NUMBERS = frozenset({2, 3, 4, 5, 6, 8})
COLOURS = {
    "failed": "failed",
    "interrupted": "interrupted",
    "changed": "changed",
    "taken down": "changed",
    "to change": "changing",
    "changed outside": "changing",
}


def html(report: Report) -> str:
    """Return a report as one page of HTML, with every line, every name and every stack."""
    told = page(report)
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            '<head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            # Nothing on the page is to run or to be fetched, even if something were to slip in.
            '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
            "style-src 'unsafe-inline'\">",
            f"<title>{_safe(told.title)}</title>",
            f"<style>{STYLE}</style></head>",
            "<body>",
            f"<h1>{_safe(told.title)}</h1>",
            f'<p class="summary">{_safe(_summary(told, report.started))}</p>',
            *(_section(section) for section in told.sections),
            *_table(report),
            "</body>",
            "</html>",
            "",
        ]
    )


def _safe(text: str) -> str:
    return escape(clean(text))


def _summary(told: Page, started: str) -> str:
    parts = [told.summary if told.outcomes else "No stack is concerned"]
    if told.nothing:
        parts.append(told.nothing)
    if told.base:
        parts.append(f"against {told.base}")
    if started:
        parts.append(f"begun {started}")
    return " · ".join(parts)


def _section(section: Section) -> str:
    number = f"<span>{section.stacks:,}</span>" if section.stacks else ""
    red = ' class="red"' if section.red else ""
    items = "\n".join(f"<li>{_line(section, line)}</li>" for line in section.lines)
    return f"<section{red}><h2>{_safe(section.title)}{number}</h2>\n<ul>\n{items}\n</ul></section>"


def _line(section: Section, line: Line) -> str:
    text, number = _safe(line.text), count(len(line.stacks), "customer")
    if not line.stacks:
        return text
    names = ", ".join(map(_safe, line.stacks))
    if len(line.stacks) > INLINE:
        told = f"{text} ({number})" if section.names_first else f"{text} in {number}"
        return f"<details><summary>{told}</summary><p>{names}</p></details>"
    if section.names_first:
        return f"<b>{names}</b>: {text}"
    return f'{text} in {number}: <span class="who">{names}</span>'


def _table(report: Report) -> Iterator[str]:
    rows = table.rows(report)
    if not rows:
        return
    heads = (f"<th{_number(at)}>{_safe(name)}</th>" for at, name in enumerate(table.COLUMNS))
    yield '<section><h2>All stacks</h2><div class="table"><table>'
    yield f"<thead><tr>{''.join(heads)}</tr></thead><tbody>"
    yield from map(_row, rows)
    yield "</tbody></table></div></section>"


def _row(row: table.Row) -> str:
    cells = [f"<td{_number(at)}>{_safe(cell)}</td>" for at, cell in enumerate(row.cells)]
    outcome = row.outcome
    if outcome.customer and outcome.customer != outcome.stack:
        cells[0] = f"<td>{_safe(outcome.stack)}<small>{_safe(outcome.customer)}</small></td>"
    colour = COLOURS.get(row.short[-2], "")
    cells[-2] = f'<td class="{colour}">{_safe(row.result)}</td>' if colour else cells[-2]
    dim = ' class="dim"' if row.dim else ""
    return f"<tr{dim}>{''.join(cells)}</tr>"


def _number(column: int) -> str:
    return ' class="number"' if column in NUMBERS else ""
