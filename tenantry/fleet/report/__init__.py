"""Reports of a run over many customers for people: as Markdown, as a web page, as a table."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tenantry.fleet.outcome import Report, merged
from tenantry.fleet.report import html as _html
from tenantry.fleet.report import markdown as _markdown


def write(report: Report, folder: Path, link: str = "") -> None:
    """Write `report.json`, `report.md` and `report.html` into a folder. It is created if needed.

    `link` is the address of the full report. The Markdown links to it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    report.write(folder / "report.json")
    text = _markdown.markdown(report, link=link)
    (folder / "report.md").write_text(text, "utf-8", errors="replace")
    (folder / "report.html").write_text(_html.html(report, folder), "utf-8", errors="replace")


def joined(reports: Iterable[Report]) -> Report:
    """Join reports, such as those of shards, into one. Their order makes no difference.

    If two contain the same stack, the result of the later run counts. Raises ValueError for reports that do
    not belong together.
    """
    return merged(sorted(reports, key=lambda report: (report.started, report.to_json(indent=None))))


def read(file: Path) -> Report:
    """Read a report. Raises ValueError for any other content, OSError if the file cannot be read."""
    try:
        return Report.from_json(file.read_bytes())
    except ValueError as error:
        first = str(error).splitlines()
        raise ValueError(f"{file} is not a report: {' '.join(first[:3])}") from None
