"""What a run over many customers comes to, for people: as Markdown, as a web page, as a table."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tenantry.fleet.outcome import Report, merged
from tenantry.fleet.report import html as _html
from tenantry.fleet.report import markdown as _markdown


def write(report: Report, folder: Path, link: str = "") -> None:
    """Write `report.json`, `report.md` and `report.html` into a folder, which is made if it is not there.

    `link` is where the Markdown says that the whole report is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    report.write(folder / "report.json")
    text = _markdown.markdown(report, link=link)
    (folder / "report.md").write_text(text, "utf-8", errors="replace")
    (folder / "report.html").write_text(_html.html(report, folder), "utf-8", errors="replace")


def joined(reports: Iterable[Report]) -> Report:
    """Return reports, such as those of shards, as one; their order makes no difference.

    Where two tell of the same stack, the one that was begun later counts. Raises ValueError for reports that
    do not belong together.
    """
    return merged(sorted(reports, key=lambda report: (report.started, report.to_json(indent=None))))


def read(file: Path) -> Report:
    """Read a report. Raises ValueError for a file that is none; OSError for one that cannot be read."""
    try:
        return Report.from_json(file.read_bytes())
    except ValueError as error:
        first = str(error).splitlines()
        raise ValueError(f"{file} is no report: {' '.join(first[:3])}") from None
