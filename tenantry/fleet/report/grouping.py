"""A report about many customers in few lines. The same change in a thousand stacks is one line.

A page is a list of sections, the most important first. It is plain text, which each output format escapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tenantry.fleet.outcome import Change, Operation, Outcome, Report
from tenantry.fleet.report import lines
from tenantry.fleet.report.lines import Line, Lines
from tenantry.fleet.report.words import no_changes, totals
from tenantry.providers.values.words import counted
from tenantry.text import on_one_line

PROOF, ACTIVATION, RELOAD = "TenantProof", "TenantActivation", "AppReload"
TENANT_LEVEL = frozenset({"Tenant", "TenantLifecycle", "GroupSettings", "LicenseSettings"})
"""The resource types whose changes affect everybody in a tenant, or the tenant itself."""

NEW_IMPORT = frozenset(
    {"version", "template", "template_id", "source_tenant", "data", "script_digest", "replace"}
)
"""The properties of an App that require a new import. The published app keeps its id."""

FOLLOWING_PROPERTIES = frozenset({"source_app", "description", "data", "loaded"})
"""The properties of an AppPublication that differ after a new import of its app."""


@dataclass(frozen=True)
class Section:
    """Lines under a title.

    `shorten_last`: other sections are shortened first. `is_warning`: the section warns of dangers.
    `has_failures`: its lines are failures. `names_first`: the lines are about the stacks themselves
    ("acme: no such role") and not about changes in them.
    """

    title: str
    lines: Sequence[Line]
    shorten_last: bool = False
    is_warning: bool = False
    has_failures: bool = False
    names_first: bool = False

    @property
    def stacks(self) -> int:
        """How many stacks the section has."""
        return len({stack for line in self.lines for stack in line.stacks})


@dataclass(frozen=True)
class Page:
    """A full report. `summary` is the line with its numbers. `no_changes` is empty if something changes."""

    title: str
    summary: str
    no_changes: str
    sections: Sequence[Section]
    outcomes: Sequence[Outcome]
    base: str = ""


REVIVE_TITLE = (
    "To bring a tenant back: put this line below `tenantry:customer:`, and for a trial set a later `ends_on`"
)
FAILED_TITLE = "Failed"
DANGERS_TITLE = "Deletes, replacements and changes of whole tenants"

TITLES: dict[Operation, str] = {
    "preview": "Preview",
    "up": "Up",
    "refresh": "Refresh",
    "destroy": "Destroy",
    "diff": "Difference",
}


def page(report: Report) -> Page:
    """Group the content of a report. The order of its outcomes makes no difference."""
    outcomes = sorted(report.outcomes, key=lambda outcome: outcome.stack)
    sections = (
        Section(DANGERS_TITLE, _dangers(report, outcomes), shorten_last=True, is_warning=True),
        Section(
            FAILED_TITLE,
            _failures(outcomes, "failed"),
            shorten_last=True,
            has_failures=True,
            names_first=True,
        ),
        Section("Interrupted", _failures(outcomes, "interrupted"), shorten_last=True, names_first=True),
        Section("Not run", _not_run(report), shorten_last=True, names_first=True),
        Section(REVIVE_TITLE, _revivals(outcomes), shorten_last=True, names_first=True),
        Section("New customers", _new(outcomes), names_first=True),
        Section("App versions", _rollouts(outcomes)),
        Section("Removed from the settings", _changes(outcomes, removed=True)),
        Section("Changes", _changes(outcomes)),
        Section("Changed outside of Tenantry", _drift(outcomes)),
        Section("Skipped", _skipped(outcomes), names_first=True),
        Section(
            "Pinned by the customer's own file", _texts_by_stack(outcomes, lambda outcome: outcome.pinned)
        ),
        Section("Remarks", _texts_by_stack(outcomes, _remarks), names_first=True),
    )
    return Page(
        title=f"{TITLES[report.operation]} of {counted(len(outcomes), 'stack')}",
        summary=totals(report.outcomes, report.seconds),
        no_changes=no_changes(report),
        sections=[section for section in sections if section.lines],
        outcomes=outcomes,
        base=on_one_line(report.base),
    )


def is_taken_down(outcome: Outcome) -> bool:
    """Tell whether the run deactivates the tenant, by deleting its lifecycle."""
    return any(
        change.kind == "TenantLifecycle" and change.operation == "delete" for change in outcome.changes
    )


def is_new(outcome: Outcome) -> bool:
    """Tell whether this run creates the customer."""
    return outcome.new or any(
        change.kind == "Tenant" and change.operation == "create" for change in outcome.changes
    )


def is_new_import(change: Change) -> bool:
    """Tell whether a change only imports an app again, which is routine."""
    if change.kind != "App" or change.operation not in ("replace", "update"):
        return False
    reasons = set(change.because) or {difference.name for difference in change.differences}
    if change.operation == "update":
        return change.difference("version") is not None
    return bool(reasons) and reasons <= NEW_IMPORT


def is_dangerous(change: Change, *, new: bool = False) -> bool:
    """Tell whether a change deserves a second look."""
    if change.kind in (lines.SETTING, PROOF, RELOAD):
        return False
    if (change.operation, change.kind) == ("create", ACTIVATION):
        return not new
    if change.operation == "delete" or lines.loses_protection(change):
        return True
    if change.operation == "replace":
        return not is_new_import(change)
    if change.kind not in TENANT_LEVEL:
        return False
    return not (change.operation == "create" and new) and not (
        change.operation == "import" and not change.differences
    )


def remaining(outcome: Outcome) -> Iterable[Change]:
    """Yield the changes of a stack that have their own lines.

    This leaves out the deletes of a deactivated tenant, the creates of a new customer, new imports of apps,
    publications that follow an import, and the changes of the activation that repeat the lifecycle.
    """
    new, down = is_new(outcome), is_taken_down(outcome)
    for change in split_imports(outcome)[1]:
        if (change.operation, change.kind) == ("update", ACTIVATION) and not lines.loses_protection(change):
            continue
        if not ((down and change.operation == "delete") or (new and change.operation == "create")):
            yield change


def split_imports(outcome: Outcome) -> tuple[list[Change], list[Change]]:
    """Return the new imports of apps, and all other changes except those that follow from an import."""
    imports = [change for change in outcome.changes if is_new_import(change)]
    imported = tuple(f"{change.name} in " for change in imports)
    rest = [change for change in outcome.changes if not (is_new_import(change) or _follows(change, imported))]
    return imports, rest


def _follows(change: Change, imported: tuple[str, ...]) -> bool:
    """Tell whether an app is reloaded or published again because it was imported again.

    A reload has the name of its app, a publication has the name "App in Space".
    """
    if change.kind == RELOAD and change.operation == "replace":
        return f"{change.name} in " in imported
    if change.kind != "AppPublication" or change.operation != "update":
        return False
    return (
        change.name.startswith(imported)
        and {difference.name for difference in change.differences} <= FOLLOWING_PROPERTIES
    )


def _dangers(report: Report, outcomes: Iterable[Outcome]) -> list[Line]:
    """Return the lines, the most serious first. If a page is too long, its last lines are left out."""
    down, tenants, removed, publications, others = (Lines() for _ in range(5))
    of_kind = {"AppPublication": publications} | dict.fromkeys(TENANT_LEVEL, tenants)
    for outcome in outcomes:
        new = is_new(outcome)
        if is_taken_down(outcome):
            down.add(lines.taken_down(outcome), outcome.stack)
        for change in remaining(outcome):
            if is_dangerous(change, new=new):
                of_kind.get(change.kind, others).add(lines.danger(change), outcome.stack, change)
    for stack in sorted(report.removed):
        removed.add("stack file removed (this does not delete the tenant)", stack)
    return [line for group in (down, tenants, removed, publications, others) for line in group.all()]


def _failures(outcomes: Iterable[Outcome], status: str) -> list[Line]:
    found = Lines()
    for outcome in outcomes:
        if outcome.status != status:
            continue
        for trouble in outcome.troubles:
            found.add(lines.trouble(trouble, same_for_all=True), outcome.stack, alone=lines.trouble(trouble))
        if not outcome.troubles:
            found.add("no error message", outcome.stack)
    return found.all()


def _not_run(report: Report) -> list[Line]:
    found = Lines()
    for outcome in sorted(report.of("not run"), key=lambda outcome: outcome.stack):
        found.add(
            "; ".join(outcome.remarks) or report.stopped or "the run ended before its turn", outcome.stack
        )
    if report.stopped and not found.all():
        return [Line(on_one_line(f"the run was stopped: {report.stopped}"), ())]
    return found.all()


def _revivals(outcomes: Iterable[Outcome]) -> list[Line]:
    return [
        Line(
            on_one_line(f"until {outcome.purged_on or 'it is purged'}"),
            (outcome.stack,),
            block=on_one_line(outcome.revive),
        )
        for outcome in outcomes
        if outcome.revive
    ]


def _new(outcomes: Iterable[Outcome]) -> list[Line]:
    found = Lines()
    for outcome in outcomes:
        count = outcome.counts.get("create", 0)
        if is_new(outcome) and count:
            found.add(lines.new_customer(outcome, count), outcome.stack)
    return found.all()


def _rollouts(outcomes: Iterable[Outcome]) -> list[Line]:
    found = Lines()
    for outcome in outcomes:
        for change in outcome.changes:
            if is_new_import(change):
                found.add(lines.rollout(change), outcome.stack, change)
    return found.all()


def _changes(outcomes: Iterable[Outcome], *, removed: bool = False) -> list[Line]:
    found = Lines()
    for outcome in outcomes:
        new = is_new(outcome)
        for change in remaining(outcome):
            is_removed = change.kind == lines.SETTING and change.operation == "delete"
            if is_removed == removed and not is_dangerous(change, new=new):
                found.add(lines.change(change), outcome.stack, change)
    return found.all()


def _drift(outcomes: Iterable[Outcome]) -> list[Line]:
    found = Lines()
    for outcome in outcomes:
        for change in outcome.drift:
            found.add(lines.drift(change), outcome.stack, change)
    return found.all()


def _skipped(outcomes: Iterable[Outcome]) -> list[Line]:
    found = Lines()
    for outcome in outcomes:
        if outcome.status == "skipped":
            found.add("; ".join(outcome.remarks) or "no reason given", outcome.stack)
    return found.all()


def _remarks(outcome: Outcome) -> Sequence[str]:
    """Return the remarks that no other section shows."""
    if outcome.status in ("skipped", "not run"):
        return ()
    return outcome.remarks


def _texts_by_stack(outcomes: Iterable[Outcome], texts: Callable[[Outcome], Sequence[str]]) -> list[Line]:
    found = Lines()
    for outcome in outcomes:
        for text in texts(outcome):
            found.add(text, outcome.stack)
    return found.all()
