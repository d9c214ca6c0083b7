"""The pictures of a report: the web page, and the comment on a pull request.

`make docs` draws docs/fleet-report.svg and docs/pull-request-comment.svg with the current code. Each is an
SVG that contains HTML, because both the site and a forge show an SVG in a page.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from markdown_it import MarkdownIt

from tenantry.fleet.outcome import Change, Difference, Outcome, Report, Trouble
from tenantry.fleet.report.html import html
from tenantry.fleet.report.markdown import markdown

DOCS = Path(__file__).resolve().parent.parent / "docs"

WIDTH = 1000
SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">
<title>{title}</title>
<style>{style}</style>
<foreignObject width="{width}" height="{height}">
<body xmlns="http://www.w3.org/1999/xhtml">
{body}
</body>
</foreignObject>
</svg>
"""

COMMENT_STYLE = """
body { margin: 0; padding: 1px 24px 8px; box-sizing: border-box; height: 100%; background: #fff;
  color: #1f2328; border: 1px solid #d1d9e0; border-radius: 6px;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
h2 { border-bottom: 1px solid #d1d9e0; padding-bottom: 6px; }
h3 { margin: 18px 0 6px; }
p, ul { margin: 8px 0; }
blockquote { margin: 12px 0; padding: 2px 16px; border-left: 4px solid #cf222e; }
blockquote > p:first-child { color: #d1242f; font-weight: 600; }
"""
"""A style similar to the one in which a forge renders Markdown."""

VERSION_CHANGE = Change(
    "replace", "App", "Sales Overview", (Difference("version", "2.3.0", "2.4.0"),), ("version",)
)
NEW_ACCESS = Change("create", "SpaceAssignment", "Analysts in Sales")
ROLE_CHANGE = Change("update", "Group", "Analysts", (Difference("roles", [], ["AnalyticsAdmin"]),))
DELETED_PUBLICATION = Change("delete", "AppPublication", "Stock in Sales")
NEW_GROUPS = tuple(Change("create", "Group", f"Group {number}") for number in range(10))
SETTINGS_ERROR = Trouble(
    'customer.ring: "erly" is not allowed; the closest is "early"; allowed: broad, early, pilot',
    "stacks/Pulumi.hooli.yaml:7",
)


def sample() -> Report:
    """Return a preview of seven customers with one example of each kind of result."""
    changes_by_stack: dict[str, tuple[Change, ...]] = dict.fromkeys(
        ("bluth", "cyberdyne", "dunder", "globex", "initech"), (VERSION_CHANGE, NEW_ACCESS)
    )
    changes_by_stack["globex"] += (ROLE_CHANGE,)
    changes_by_stack["initech"] += (DELETED_PUBLICATION,)
    outcomes = [
        *(
            Outcome(name, "preview", "ok", plan="standard", changes=changes)
            for name, changes in changes_by_stack.items()
        ),
        Outcome("hooli", "preview", "failed", plan="standard", troubles=(SETTINGS_ERROR,)),
        Outcome("umbrella", "preview", "ok", plan="standard", changes=NEW_GROUPS, new=True),
    ]
    return Report("preview", tuple(outcomes), seconds=4.8, removed=("acme",), base="origin/main")


def _report() -> tuple[str, str]:
    page = html(sample())
    style, body = page.partition("<style>")[2], page.partition("<body>")[2]
    return style.partition("</style>")[0], body.partition("</body>")[0].strip()


def _comment() -> tuple[str, str]:
    renderer = MarkdownIt("commonmark", {"html": True}).enable("table")
    body = renderer.render(markdown(sample()).replace("> [!CAUTION]\n", "> Caution\n>\n"))
    return COMMENT_STYLE, body.strip()


def picture(title: str, style: str, body: str, height: int) -> str:
    """Return a page as a picture. Raises ParseError for invalid XML, which a browser does not show."""
    svg = SVG.format(width=WIDTH, height=height, title=title, style=style, body=body)
    ElementTree.fromstring(svg)  # noqa: S314 (the text is our own)
    return svg


def pages() -> dict[Path, str]:
    """Return the expected content of the pictures. The heights were measured in a browser."""
    return {
        DOCS / "fleet-report.svg": picture("A report of tenantry preview", *_report(), height=1280),
        DOCS / "pull-request-comment.svg": picture("A comment on a pull request", *_comment(), height=640),
    }
