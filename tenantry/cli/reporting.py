"""The end of a run: its report, and the exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from tenantry.cli.output import echo, echo_text, fitted, heading, print_table
from tenantry.cli.running import INTERRUPTED
from tenantry.cli.shared import Output

if TYPE_CHECKING:
    from pathlib import Path

    from tenantry.fleet.outcome import Report

FAILED, STOPPED, CHANGED, BY_USER = 1, 3, 7, 130


def finish(report: Report, output: Output, *, expect_no: str = "") -> None:
    """Print a report, write its files, and end the command with its exit code.

    `expect_no` is "changes" or "drift". The exit code is 7 if the report has any. Drift counts as a change.
    """
    show(report, output.form)
    is_written = save(report, output.folder)
    code = exit_code(report, expect_no=expect_no) or (0 if is_written else FAILED)
    if code:
        raise typer.Exit(code)


def save(report: Report, folder: Path | None, link: str = "") -> bool:
    """Write the files of a report if `folder` is set. Print an error and return False if that fails."""
    from tenantry.fleet.report import write

    try:
        if folder:
            write(report, folder, link)
    except OSError as error:
        echo(f"The report cannot be written into {folder}: {error.strerror}", err=True)
        return False
    return True


def show(report: Report, form: str, link: str = "", *, err: bool = False) -> None:
    """Print a report, on standard error if `err` is set."""
    from tenantry.fleet.report.html import html
    from tenantry.fleet.report.markdown import markdown
    from tenantry.fleet.report.table import summary, table_cells
    from tenantry.fleet.report.text import text

    if form == "json":
        echo_text(report.to_json(), err=err)
    elif form == "markdown":
        echo_text(markdown(report, link=link), nl=False, err=err)
    elif form == "html":
        echo_text(html(report), err=err)
    else:
        columns, rows, dim = table_cells(report)
        if rows:
            print_table(columns, rows, dim=dim, spare=("plan", "time"), err=err)
        for line in text(report):
            if line.heading:
                heading(line.text, red=line.red, err=err)
            else:
                for part in [line.text] if line.no_wrap else fitted(line.text, err=err):
                    echo(part, err=err)
        echo_text(summary(report), err=err)


def exit_code(report: Report, *, expect_no: str = "") -> int:
    """Return 0 if the run succeeded, otherwise the code of its failure."""
    from tenantry.fleet.consent import DECLINED

    if report.stopped.startswith(INTERRUPTED):
        return BY_USER
    if report.stopped == DECLINED:
        return FAILED
    if report.stopped:
        return STOPPED
    if report.failed:
        return FAILED
    changed = any(
        outcome.drift or (outcome.changes and expect_no == "changes") for outcome in report.outcomes
    )
    return CHANGED if expect_no and changed else 0
