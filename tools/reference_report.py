"""The comment that docs/pull-requests.md shows, as the code writes it today; `make docs` puts it there."""

from __future__ import annotations

from pathlib import Path

from tenantry.fleet.outcome import Change, Difference, Outcome, Report, Trouble
from tenantry.fleet.report.markdown import markdown

PAGE = Path(__file__).resolve().parent.parent / "docs" / "pull-requests.md"
BEGIN, END = "<!-- From here made by `make docs` -->\n", "<!-- To here -->\n"

VERSION = Change("replace", "App", "Sales Overview", (Difference("version", "2.3.0", "2.4.0"),), ("version",))
ACCESS = Change("create", "SpaceAssignment", "Analysts in Sales")
ROLE = Change("update", "Group", "Analysts", (Difference("roles", [], ["AnalyticsAdmin"]),))
GONE = Change("delete", "AppPublication", "Stock in Sales")
NEW = tuple(Change("create", "Group", f"Group {number}") for number in range(10))
BROKEN = Trouble(
    'customer.ring: "erly" is not allowed; did you mean "early"? allowed: broad, early, pilot',
    "stacks/Pulumi.hooli.yaml:7",
)


def _sample() -> Report:
    changed: dict[str, tuple[Change, ...]] = dict.fromkeys(
        ("bluth", "cyberdyne", "dunder", "globex", "initech"), (VERSION, ACCESS)
    )
    changed["globex"] += (ROLE,)
    changed["initech"] += (GONE,)
    outcomes = [
        *(Outcome(name, "preview", "ok", changes=changes) for name, changes in changed.items()),
        Outcome("hooli", "preview", "failed", troubles=(BROKEN,)),
        Outcome("umbrella", "preview", "ok", plan="standard", changes=NEW, new=True),
    ]
    return Report("preview", tuple(outcomes), seconds=4.8, removed=("acme",), base="origin/main")


def pages() -> dict[Path, str]:
    """What the page must hold: the comment in it, quoted, without the table at its end."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    told = markdown(_sample()).partition("<details><summary>All stacks")[0]
    # A warning box has no frame within a quotation.
    lines = [line for line in told.strip().splitlines() if line != "> [!CAUTION]"]
    quoted = "".join(f"> {line}".rstrip() + "\n" for line in lines)
    return {PAGE: f"{before}{BEGIN}\n{quoted}\n{END}{after}"}
